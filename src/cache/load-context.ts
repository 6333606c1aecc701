import { AsyncLocalStorage } from 'node:async_hooks';
import type { Duration } from '../duration.js';
import { NO_TAGS, normalizeTags } from './cache-settings.js';
import type { LoadScope } from './flight-table.js';

/** Takes tags that a load finds out. */
export interface LoadTags {
  /** Adds tags to the entry that the load's result will become. */
  add(...tags: readonly string[]): void;
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
  #tags: readonly string[] = NO_TAGS;
  #ttl: Duration | undefined;
  #isStored = true;

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

  /** Whether the result may be stored. */
  get isStored(): boolean {
    return this.#isStored;
  }

  /** The tags added so far, sorted, without doubles. */
  get addedTags(): readonly string[] {
    return this.#tags;
  }
}

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
