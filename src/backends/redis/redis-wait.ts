import { toMilliseconds, type Duration } from '../../duration.js';
import { CacheBackendError, InvalidOptionError } from '../../errors.js';
import { describeValue, expectInteger, expectOptions, rejectUnknown } from '../../options.js';
import type { PendingCall } from './call-deadlines.js';
import { allMasters } from './cluster-masters.js';
import type { RedisLike } from './redis-like.js';

/** How many replicas must have an invalidation before it counts as done. */
export interface RedisWaitOptions {
  /** Of each master, 1 to 100. */
  readonly replicas: number;
  /**
   * How long they may take, at least 1 ms; never beyond the call's own time. @defaultValue '100ms'
   */
  readonly timeout?: Duration | undefined;
}

/** {@link RedisWaitOptions}, checked. */
export interface ResolvedRedisWait {
  readonly replicas: number;
  readonly timeoutMs: number;
}

const DEFAULT_TIMEOUT_MS = 100;
const LONGEST_TIMEOUT_MS = 60_000;

/** @throws {@link InvalidOptionError} for an unknown or wrong part */
export function resolveWait(option: string, wait: RedisWaitOptions): ResolvedRedisWait {
  expectOptions(option, wait);
  rejectUnknown(option, wait, ['replicas', 'timeout']);
  const timeoutMs =
    wait.timeout === undefined
      ? DEFAULT_TIMEOUT_MS
      : toMilliseconds(wait.timeout, `${option}.timeout`);
  if (!(timeoutMs >= 1 && timeoutMs <= LONGEST_TIMEOUT_MS)) {
    throw new InvalidOptionError(
      `${option}.timeout`,
      `expected a duration from 1 to ${LONGEST_TIMEOUT_MS} ms, got ${describeValue(wait.timeout)}`,
    );
  }
  return Object.freeze({
    replicas: expectInteger(`${option}.replicas`, wait.replicas, 1, 100),
    timeoutMs: Math.ceil(timeoutMs),
  });
}

/**
 * Waits until replicas have what this connection has written (Redis: "WAIT"). Commands behind it on the connection
 * wait as well.
 *
 * @throws {@link CacheBackendError} when there were fewer in time, or a master of a Cluster is out of reach; on the
 * master it is done all the same
 */
export async function confirmOnReplicas(
  client: RedisLike,
  wait: ResolvedRedisWait | undefined,
  call: PendingCall,
): Promise<void> {
  if (wait === undefined || call.isSettled) return;
  const leftMs = Math.floor(call.dueAt - performance.now());
  const timeoutMs = Math.max(1, Math.min(wait.timeoutMs, leftMs));
  const masters = client.isCluster === true ? allMasters(client) : [client];
  const counts = await Promise.all(
    masters.map((master) => master.callBuffer('wait', wait.replicas, timeoutMs)),
  );
  const confirmed = Math.min(...counts.map(Number));
  if (confirmed >= wait.replicas) return;
  throw new CacheBackendError(
    `${call.operation} is done on the master, but only ${confirmed} of ${wait.replicas} replicas confirmed it within ${timeoutMs} ms: look at the replicas, or change the option wait`,
  );
}
