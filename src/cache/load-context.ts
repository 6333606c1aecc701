import { AsyncLocalStorage } from 'node:async_hooks';
import type { Duration } from '../duration.js';
import { CacheConfigurationError } from '../errors.js';
import { NO_TAGS, normalizeTags } from './cache-settings.js';
import type { LoadScope } from './flight-table.js';
import { LoadWaiters } from './load-waiters.js';

/** Takes tags that a load finds out. */
export interface LoadTags {
  /** Adds tags to the entry that the load's result will become. */
  add(...tags: readonly string[]): void;
}

/** The value that a load is to replace. */
export interface StaleValue {
  readonly value: unknown;
  /** How long ago it was stored, in milliseconds. */
  readonly ageMs: number;
  readonly tags: readonly string[];
}

/**
 * What a running load can say about the entry that its result will become.
 *
 * A loader of `getOrSet` gets it as its argument; inside a decorated method {@link currentLoad} gives it.
 */
export class LoadContext {
  /** Tags that only the load knows. */
  readonly tags: LoadTags = {
    add: (...tags) => {
      this.#tags = normalizeTags([...this.#tags, ...tags], 'load.tags');
    },
  };
  /**
   * The value that is still there, though it has expired or is being refreshed: for a conditional request to the origin.
   * `undefined` when there is none, or when several keys are loaded together.
   */
  readonly stale: StaleValue | undefined;
  readonly #waiters: LoadWaiters | undefined;
  #tags: readonly string[] = NO_TAGS;
  #ttl: Duration | undefined;
  #isStored = true;

  /** @internal */
  constructor(stale?: StaleValue, waiters?: LoadWaiters) {
    this.stale = stale;
    this.#waiters = waiters;
  }

  /**
   * Aborted when nobody waits for the result any more: when all callers passed an `AbortSignal` to `getOrSet`, and all
   * of these have been aborted. Calls of decorated methods and background refreshes wait to the end.
   */
  get signal(): AbortSignal {
    return (this.#waiters ?? PATIENT).signal;
  }

  /**
   * How long the result is fresh, instead of what the options say.
   * @defaultValue undefined
   */
  get ttl(): Duration | undefined {
    return this.#ttl;
  }

  set ttl(ttl: Duration | undefined) {
    this.#ttl = ttl;
  }

  /** Keeps the result out of the cache. */
  doNotStore(): void {
    this.#isStored = false;
  }

  /**
   * Gives the stale value back, for the load to resolve with: the origin says that it still holds. It is stored anew,
   * with a fresh ttl and the tags that it had, unless it was invalidated since the load began.
   *
   * @throws {@link CacheConfigurationError} when there is no stale value
   */
  notModified<Value = unknown>(): Value {
    if (this.stale === undefined) {
      throw new CacheConfigurationError(
        "notModified() was called in a load that has no stale value; ask whether 'stale' is there before the origin is asked conditionally.",
      );
    }
    if (this.stale.tags.length > 0) this.tags.add(...this.stale.tags);
    return this.stale.value as Value;
  }

  /** Whether the result may be stored. */
  get isStored(): boolean {
    return this.#isStored;
  }

  /** The tags added so far, sorted, without doubles. */
  get addedTags(): readonly string[] {
    return this.#tags;
  }
}

/** Waits for what nobody can give up. */
const PATIENT = new LoadWaiters();

const storage = new AsyncLocalStorage<{
  readonly context: LoadContext;
  readonly scope: LoadScope | undefined;
}>();

/**
 * The context of the load that is running here: inside a method that `@Cacheable` called because of a miss, and
 * in whatever it awaits. `undefined` elsewhere.
 *
 * @example
 * ```ts
 * import { Cacheable, currentLoad } from 'cachewell';
 *
 * class Rates {
 *   @Cacheable({ cache: 'rates' })
 *   async find(currency: string): Promise<{ rate: number; validForMs: number }> {
 *     const found = { rate: currency === 'EUR' ? 1 : 1.1, validForMs: 60_000 };
 *     const load = currentLoad();
 *     if (load !== undefined) load.ttl = found.validForMs;
 *     return found;
 *   }
 * }
 * ```
 */
export function currentLoad(): LoadContext | undefined {
  return storage.getStore()?.context;
}

/** The load within which this runs, as far as others may wait for it. */
export function currentScope(): LoadScope | undefined {
  return storage.getStore()?.scope;
}

let runningLoads = 0;

/**
 * Runs a load with its context around it; one that nobody can join counts as part of the load around it.
 *
 * Before Node.js 24 a storage that is in use makes every promise of the process slower, those of other code included,
 * so it is switched off while nothing loads.
 */
export function runLoad<Value>(
  context: LoadContext,
  scope: LoadScope | undefined,
  load: () => Promise<Value>,
): Promise<Value> {
  runningLoads++;
  const loading = storage.run({ context, scope: scope ?? currentScope() }, async () => load());
  loading.then(endLoad, endLoad);
  return loading;
}

function endLoad(): void {
  if (--runningLoads === 0) storage.disable();
}
