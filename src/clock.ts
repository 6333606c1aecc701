import { performance } from 'node:perf_hooks';

/** Where the library reads the time. Injected, so that specs own it. */
export interface CacheClock {
  /** Milliseconds since the Unix epoch. Must not run backwards within a process. */
  now(): number;
}

// The global `performance` and its origin are getters that cost as much as the clock itself.
const startedAt = performance.timeOrigin;

/**
 * Wall time that never runs backwards: the process' start by the wall clock plus monotonic time since, so that a
 * step of the system clock neither revives nor kills entries.
 */
export const systemClock: CacheClock = {
  now: () => startedAt + performance.now(),
};
