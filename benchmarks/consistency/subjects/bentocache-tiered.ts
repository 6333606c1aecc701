import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { redisBusDriver, redisDriver } from 'bentocache/drivers/redis';
import { Redis } from 'ioredis';
import type { OpenSubject } from 'cachewell/testing';
import { bentocacheSubject } from '../bentocache-subject.js';
import type { SubjectOptions } from '../subject-options.js';

/** Memory in each process over Redis, kept in step by its bus, as its documentation sets it up. */
export const openSubject: OpenSubject = ({ options }) => {
  const { hostname: host, port } = new URL((options as SubjectOptions).url);
  const connection = { host, port: Number(port) };
  return bentocacheSubject(
    new BentoCache({
      default: 'tiered',
      stores: {
        tiered: bentostore()
          .useL1Layer(memoryDriver({ maxItems: 10_000 }))
          .useL2Layer(redisDriver({ connection: new Redis(connection) }))
          .useBus(redisBusDriver({ connection })),
      },
    }),
  );
};
