import type { TimedCache } from './timed-cache.js';

/** Every way to invalidate the entry under key 1, which carries the tag `t`. */
export const INVALIDATIONS: readonly (readonly [
  name: string,
  invalidate: (timed: TimedCache) => Promise<unknown>,
])[] = [
  ['delete', ({ cache }) => cache.delete(1)],
  ['deleteMany', ({ cache }) => cache.deleteMany([1, 2])],
  ['deletePattern', ({ cache }) => cache.deletePattern('*')],
  ['clear', ({ cache }) => cache.clear()],
  ['clearAll', ({ manager }) => manager.clearAll()],
  ['invalidateTags', ({ manager }) => manager.invalidateTags('t')],
  ['invalidateTags of all', ({ manager }) => manager.invalidateTags({ all: ['t', 'u'] })],
  ['expire with a ttl of 0', ({ cache }) => cache.expire(1, 0)],
];

/** The tags that an entry needs for each of them to hit. */
export const TAGS = { tags: ['t', 'u'] } as const;
