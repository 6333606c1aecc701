import { RedisBackend } from '#internal/backends/redis/redis-backend.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import {
  cacheSubject,
  type CacheSubjectOptions,
} from '#internal/testing/consistency/cache-subject.js';
import type { OpenSubject } from '#internal/testing/consistency/consistency-subject.js';
import { countingLoadsBehind } from './loads-behind.js';

/** What the specs tell the processes. */
export interface RedisSubjectOptions extends Pick<CacheSubjectOptions, 'definition'> {
  readonly url: string;
  /** Where the loads behind the answers are counted, if they are. */
  readonly countsUrl?: string;
}

export const openSubject: OpenSubject = ({ options }) => {
  const { url, definition, countsUrl } = options as RedisSubjectOptions;
  const backend = new RedisBackend({ url, commandTimeout: '5s' });
  const manager = new CacheManager({ backend, logger: silentLogger });
  const subject = cacheSubject(manager, { definition });
  return countsUrl === undefined ? subject : countingLoadsBehind(subject, countsUrl);
};
