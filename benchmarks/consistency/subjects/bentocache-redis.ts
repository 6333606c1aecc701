import { BentoCache, bentostore } from 'bentocache';
import { redisDriver } from 'bentocache/drivers/redis';
import { Redis } from 'ioredis';
import type { OpenSubject } from 'cachewell/testing';
import { bentocacheSubject } from '../bentocache-subject.js';
import type { SubjectOptions } from '../subject-options.js';

/** All entries in Redis. */
export const openSubject: OpenSubject = ({ options }) => {
  const connection = new Redis((options as SubjectOptions).url);
  return bentocacheSubject(
    new BentoCache({
      default: 'redis',
      stores: { redis: bentostore().useL2Layer(redisDriver({ connection })) },
    }),
  );
};
