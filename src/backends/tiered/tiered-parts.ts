import { performance } from 'node:perf_hooks';
import type { BackendContext, CallOptions } from '../../cache/backend.js';
import type { MaybePromise } from '../../cache/maybe-promise.js';
import { isOutage as isOutOfReach } from '../../cache/store-failure.js';
import { isCacheError, type CacheError } from '../../errors.js';
import type { Coherence } from './coherence.js';
import type { Invalidation } from './coherence-message.js';
import type { L1Trust } from './l1-trust.js';
import type { ProcessTier } from './process-tier.js';
import type { WorkUnderWay } from './work-under-way.js';

/** What the stores of one tiered backend share. */
export interface TieredParts {
  readonly context: BackendContext;
  readonly trust: L1Trust;
  readonly ownTier: ProcessTier;
  /** `undefined` without a bus. */
  readonly coherence: Coherence | undefined;
  readonly work: WorkUnderWay;
  /** The most that one call may wait, over all its steps; see `CacheBackend.callTimeoutMs`. */
  readonly callTimeoutMs: number | undefined;
  /** Whether the last fill could not begin in the shared tier. */
  isSharedTierOut: boolean;
}

/** The steps of an invalidation, in their order. */
export interface InvalidationSteps<Result> {
  /** In the shared tier. Absent where the cache has none. */
  readonly shared?: ((options: CallOptions) => MaybePromise<Result>) | undefined;
  /** What the other processes are told; nothing where it is absent. */
  readonly message: Invalidation | undefined;
  /** In the own tier, whatever became of the other steps. */
  readonly own: () => MaybePromise<Result>;
}

/**
 * Invalidates in the shared tier, then tells the other processes, then drops the own entries: one after the other.
 *
 * In another order a reader in between would copy the old value again, into a tier that was dropped already. When the
 * shared tier or the bus fails, the following steps are taken all the same, without waiting for a bus whose shared tier is
 * out of reach, and the call rejects with the first failure:
 * the own process no longer sees the entries then, and the others notice that a message is missing.
 *
 * @returns what the shared tier answered, or the own one where there is no shared one
 */
export function invalidateTiers<Result>(
  parts: TieredParts,
  operation: string,
  options: CallOptions | undefined,
  { shared, message, own }: InvalidationSteps<Result>,
): Promise<Result> {
  return parts.work.run(operation, async () => {
    const call = withDeadline(parts, options);
    const failures: unknown[] = [];
    let answer: Result | undefined;
    if (shared !== undefined) {
      try {
        answer = await shared(call);
      } catch (error) {
        failures.push(error);
        // It may be executed yet, after the others have copied what it is to make void.
        parts.coherence?.oweEpoch();
      }
    }
    await announceSafely(parts, message, call, failures);
    const dropped = await own();
    if (failures.length > 0) throw failures[0];
    return shared === undefined ? dropped : (answer as Result);
  });
}

/**
 * Tells the other processes; a failure is put to those before it.
 *
 * Nobody waits for that when the shared tier was found out of reach: the call has cost a timeout already, the bus is likely
 * to be out of reach as well, with a circuit breaker of its own, and the call rejects whatever comes of it. The message is
 * sent all the same. That it may be lost, or overtaken by what it is about, is what the owed epoch is for.
 */
export async function announceSafely(
  { coherence }: TieredParts,
  message: Invalidation | undefined,
  call: CallOptions,
  failures: unknown[],
): Promise<void> {
  if (message === undefined || coherence === undefined) return;
  if (failures.some(isOutOfReach)) {
    // The call's own time is likely to be up.
    void Promise.resolve(coherence.announce(message, {})).catch(() => undefined);
    return;
  }
  try {
    await coherence.announce(message, call);
  } catch (error) {
    failures.push(error);
  }
}

/** One deadline for all steps of a call together. */
export function withDeadline(
  { callTimeoutMs }: TieredParts,
  options: CallOptions | undefined,
): CallOptions {
  if (options?.dueAt !== undefined) return { dueAt: options.dueAt };
  return callTimeoutMs === undefined ? {} : { dueAt: performance.now() + callTimeoutMs };
}

/** Whether an error says that the store cannot be used now, rather than that the call was wrong or came too late. */
export function isOutage(error: unknown): error is CacheError {
  return (
    isCacheError(error, 'ERR_CACHE_BACKEND') ||
    isCacheError(error, 'ERR_CACHE_CONNECTION') ||
    isCacheError(error, 'ERR_CACHE_TIMEOUT')
  );
}
