import type { CacheCore } from '../cache/cache-core.js';
import type { CallBudget } from '../cache/call-budget.js';
import { keyText, type KeyPart } from '../cache/cache-key.js';
import { normalizeTags } from '../cache/cache-settings.js';
import { compilePattern, type KeyPattern } from '../cache/key-pattern.js';
import { CacheKeyError } from '../errors.js';
import { BoundOperation, textOf, type Invocation } from './bound-operation.js';
import type { CacheConfigOptions, CacheEvictOptions } from './operation-options.js';

type Callable = (this: unknown, ...args: readonly unknown[]) => unknown;

/** What one call of an evict will do. Worked out before the method runs, so it cannot see changed arguments. */
export interface EvictPlan {
  readonly evict: BoundEvict;
  readonly keys: readonly string[];
  readonly pattern: KeyPattern | undefined;
  readonly tags: readonly string[];
}

/** A `@CacheEvict`, bound to its caches. */
export class BoundEvict extends BoundOperation {
  readonly isEarly: boolean;
  readonly #options: CacheEvictOptions;

  constructor(
    options: CacheEvictOptions,
    config: CacheConfigOptions,
    cores: readonly CacheCore[],
    method: PropertyKey,
  ) {
    super(options, config, cores, method);
    this.#options = options;
    this.isEarly = options.beforeInvocation === true;
  }

  /** @throws {@link CacheKeyError} when a key, the pattern or a tag cannot be built */
  plan({ self, args }: Invocation): EvictPlan {
    const { allEntries, keyOf, keys, key, keyGenerator, pattern, tags } = this.#options;
    const isKeyed =
      allEntries !== true &&
      keyOf === undefined &&
      (key !== undefined ||
        keys !== undefined ||
        keyGenerator !== undefined ||
        (pattern === undefined && tags === undefined));
    return {
      evict: this,
      keys: isKeyed ? this.#keysOf(self, args) : [],
      pattern:
        pattern === undefined
          ? undefined
          : built('pattern', () =>
              compilePattern(
                typeof pattern === 'function'
                  ? (Reflect.apply(pattern as Callable, self, args) as string)
                  : pattern,
              ),
            ),
      tags:
        tags === undefined
          ? []
          : built('tags', () =>
              normalizeTags(
                typeof tags === 'function' ? Reflect.apply(tags as Callable, self, args) : tags,
                'tags',
              ),
            ),
    };
  }

  /** Carries a plan out. `result` is the method's, for `keyOf`. */
  async run(
    plan: EvictPlan,
    { self, args }: Invocation,
    result: unknown,
    budget: CallBudget | undefined,
  ): Promise<void> {
    let { keys } = plan;
    let isClearing = this.#options.allEntries === true;
    const { keyOf } = this.#options;
    if (keyOf !== undefined) {
      try {
        keys = [textOf('keyOf', () => (keyOf as Callable).call(self, result, ...args))];
      } catch (error) {
        // The method has run, and which entry it made stale is unknown: all of them may be.
        this.core.failCallback('keyOf', error, 'bypass');
        isClearing = true;
      }
    }
    const work = this.cores.map((core) =>
      this.#runOn(core, keys, plan.pattern, isClearing, budget),
    );
    if (plan.tags.length > 0)
      work.push(this.core.runtime.invalidateTags({ anyOf: plan.tags }, this.mode, budget));
    await Promise.all(work);
  }

  async #runOn(
    core: CacheCore,
    keys: readonly string[],
    pattern: KeyPattern | undefined,
    isClearing: boolean,
    budget: CallBudget | undefined,
  ): Promise<void> {
    if (isClearing) return core.clear(this.mode, budget);
    const work: Promise<unknown>[] = [];
    if (keys.length > 0) work.push(core.delete(keys, this.mode, budget));
    if (pattern !== undefined) work.push(core.deletePattern(pattern, this.mode, budget));
    await Promise.all(work);
  }

  #keysOf(self: unknown, args: readonly unknown[]): readonly string[] {
    const { keys } = this.#options;
    if (keys === undefined) return [this.keyOfArguments(self, args)];
    const given: unknown = built('keys', () => Reflect.apply(keys as Callable, self, args));
    if (!Array.isArray(given)) {
      throw new CacheKeyError("The function 'keys' must give a list of keys.", 'keys');
    }
    return [...new Set(given.map((key, index) => keyText(key as KeyPart, `keys[${index}]`)))];
  }
}

function built<Value>(option: string, build: () => Value): Value {
  try {
    return build();
  } catch (error) {
    throw new CacheKeyError(`The option '${option}' failed before the method ran.`, option, {
      cause: error,
    });
  }
}
