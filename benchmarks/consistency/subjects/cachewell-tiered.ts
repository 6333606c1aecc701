import * as cachewell from 'cachewell';
import * as redis from 'cachewell/redis';
import { cacheSubject, type OpenSubject } from 'cachewell/testing';
import type { SubjectOptions } from '../subject-options.js';

/** Looked up by name, so that this compiles against releases without tiers and says so when it runs. */
interface Tiers {
  readonly TieredBackend?: new (options: {
    readonly l1: cachewell.CacheBackend;
    readonly l2: cachewell.CacheBackend;
    readonly bus: unknown;
  }) => cachewell.CacheBackend;
  readonly RedisBus?: new (options: { readonly url: string }) => unknown;
}

/** Memory in each process over Redis, kept in step by a bus. */
export const openSubject: OpenSubject = ({ options }) => {
  const { url } = options as SubjectOptions;
  const { TieredBackend, RedisBus } = { ...cachewell, ...redis } as Tiers;
  if (TieredBackend === undefined || RedisBus === undefined) {
    throw new TypeError('this release of cachewell has no TieredBackend and RedisBus');
  }
  const backend = new TieredBackend({
    l1: new cachewell.MemoryBackend(),
    l2: new redis.RedisBackend({ url }),
    bus: new RedisBus({ url }),
  });
  return cacheSubject(new cachewell.CacheManager({ backend }));
};
