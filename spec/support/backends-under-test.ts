import { MemoryBackend, type CacheBackend } from 'cachewell';
import { RedisBackend } from 'cachewell/redis';
import { RedisServer } from './redis-server.js';

/** A place to make backends at, empty each, such as a server. */
export interface BackendPlace {
  /** A backend that sees no entry of another one. */
  backend(): CacheBackend;
  /** As many backends as there would be processes, on the same entries. Memory has one process only. */
  cluster(size: number): readonly CacheBackend[];
  stop(): Promise<void>;
}

/** Every store that the behaviour of the decorators is checked on. */
export const BACKENDS_UNDER_TEST: readonly {
  readonly name: string;
  readonly isShared: boolean;
  start(): Promise<BackendPlace>;
}[] = [
  ...(['reference', 'copy', 'frozen'] as const).map((isolation) => ({
    name: `on MemoryBackend with isolation '${isolation}'`,
    isShared: false,
    start: async (): Promise<BackendPlace> => ({
      backend: () => new MemoryBackend({ isolation }),
      cluster: () => [new MemoryBackend({ isolation })],
      stop: async () => undefined,
    }),
  })),
  { name: 'on RedisBackend', isShared: true, start: startRedis },
];

async function startRedis(): Promise<BackendPlace> {
  const server = await RedisServer.start();
  let count = 0;
  // A prefix of its own costs less than a flush, and cannot race with what an earlier case left under way.
  const made = (prefix: string): CacheBackend =>
    new RedisBackend({ url: server.url, prefix, commandTimeout: 5_000 });
  return {
    backend: () => made(`case-${++count}`),
    cluster: (size) => {
      const prefix = `case-${++count}`;
      return Array.from({ length: size }, () => made(prefix));
    },
    stop: () => server.stop(),
  };
}
