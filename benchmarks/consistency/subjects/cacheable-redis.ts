import KeyvRedis from '@keyv/redis';
import { Cacheable } from 'cacheable';
import { Keyv } from 'keyv';
import type { OpenSubject } from 'cachewell/testing';
import { cacheableSubject } from '../cacheable-subject.js';
import type { SubjectOptions } from '../subject-options.js';

/** All entries in Redis: its primary store is the shared one. */
export const openSubject: OpenSubject = ({ options }) => {
  const primary = new Keyv({ store: new KeyvRedis((options as SubjectOptions).url) });
  const cache = new Cacheable({ primary });
  return cacheableSubject(cache, ['key', 'keys', 'clear', 'put'], () => cache.disconnect());
};
