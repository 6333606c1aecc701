import { RedisBackend } from '#internal/backends/redis/redis-backend.js';
import { RedisBus } from '#internal/backends/redis/redis-bus.js';
import { TieredBackend } from '#internal/backends/tiered/tiered-backend.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import {
  cacheSubject,
  type CacheSubjectOptions,
} from '#internal/testing/consistency/cache-subject.js';
import type { OpenSubject } from '#internal/testing/consistency/consistency-subject.js';
import { countingLoadsBehind } from './loads-behind.js';

/** What the specs tell the processes. */
export interface TieredSubjectOptions extends Pick<CacheSubjectOptions, 'definition'> {
  /** Ways to Redis for the entries; a process takes the one of its number, the first again after the last. */
  readonly storeUrls: readonly string[];
  /** The same for messages. */
  readonly busUrls: readonly string[];
  readonly maxStalenessMs?: number;
  readonly commandTimeoutMs?: number;
  /** Where the loads behind the answers are counted, if they are. */
  readonly countsUrl?: string;
}

/** Memory in each process over Redis, kept in step by a bus. */
export const openSubject: OpenSubject = ({ process, options }) => {
  const { storeUrls, busUrls, maxStalenessMs, commandTimeoutMs, definition, countsUrl } =
    options as TieredSubjectOptions;
  const own = (urls: readonly string[]): string => urls[process % urls.length]!;
  const patience = commandTimeoutMs === undefined ? {} : { commandTimeout: commandTimeoutMs };
  const backend = new TieredBackend({
    l2: new RedisBackend({ url: own(storeUrls), ...patience }),
    bus: new RedisBus({ url: own(busUrls), ...patience }),
    ...(maxStalenessMs !== undefined && { maxStaleness: maxStalenessMs }),
  });
  const manager = new CacheManager({ backend, logger: silentLogger });
  const subject = cacheSubject(manager, { definition });
  return countsUrl === undefined ? subject : countingLoadsBehind(subject, countsUrl);
};
