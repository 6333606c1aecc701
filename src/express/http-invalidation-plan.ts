import { normalizeTags } from '../cache/cache-settings.js';
import { CacheBackendError, isCacheError } from '../errors.js';
import { invalidatedGroups } from '../http/cache-groups.js';
import { pathInvalidationTags } from '../http/path-tags.js';
import type { CacheManager } from '../manager/cache-manager.js';
import { locateManager } from '../manager/manager-locator.js';
import {
  DEFAULT_INVALIDATE_TIMING,
  DEFAULT_INVALIDATION_SCOPE,
  expectPaths,
  type ListOf,
  type ResolvedHttpInvalidationOptions,
} from './http-invalidation-options.js';
import { headField, writtenTargets, type HeadArguments } from './http-invalidation-targets.js';
import type { HttpRequest, HttpResponse } from './http-middleware.js';

/** What one write will invalidate: the sum of what the middlewares on its way said. */
export class InvalidationPlan {
  readonly #req: HttpRequest;
  readonly #res: HttpResponse;
  readonly #contributions: ResolvedHttpInvalidationOptions[] = [];
  /** How often it has invalidated, each time in one call; `NaN` once a call failed. */
  invalidations = 0;
  #manager: CacheManager | undefined;

  constructor(req: HttpRequest, res: HttpResponse) {
    this.#req = req;
    this.#res = res;
  }

  /** @throws {@link InvalidOptionError} when there is no manager */
  add(options: ResolvedHttpInvalidationOptions): void {
    if (this.#contributions.includes(options)) return;
    this.#contributions.push(options);
    this.#manager = locateManager(undefined, this.#last('manager'));
  }

  get timing(): 'before' | 'after' {
    return this.#last('invalidateTiming') ?? DEFAULT_INVALIDATE_TIMING;
  }

  /** The most that the store of the manager may take, where it says. */
  get callTimeoutMs(): number | undefined {
    return this.#manager!.backend.callTimeoutMs;
  }

  /**
   * Invalidates, in one call. Never rejects: what the store cannot take it keeps for later, and a write must not fail for
   * its cache.
   *
   * @param head - what `writeHead` was called with
   */
  async invalidate(head: HeadArguments): Promise<void> {
    const manager = this.#manager!;
    const tags = this.#tags(head, manager);
    try {
      if (tags.length === 0) return;
      this.invalidations += 1;
      await manager.invalidateTags(...tags);
    } catch {
      // With `onError: 'throw'`; it was reported where it failed.
      this.invalidations = NaN;
    }
  }

  #tags(head: HeadArguments, manager: CacheManager): readonly string[] {
    const attempt = <Result>(what: string, run: () => Result, otherwise: Result): Result => {
      try {
        return run();
      } catch (error) {
        const failure = isCacheError(error)
          ? error
          : new CacheBackendError(`${what} of httpInvalidation failed: ${String(error)}`, {
              cause: error,
            });
        manager.runtime.reportError('httpInvalidation', failure, undefined);
        return otherwise;
      }
    };
    const isWanted = this.#contributions.every(({ condition }) =>
      attempt('The condition', () => condition?.(this.#req, this.#res) ?? true, true),
    );
    if (!isWanted) return [];
    const scope = this.#last('scope') ?? DEFAULT_INVALIDATION_SCOPE;
    const base = this.#last('basePath');
    const targets = [
      ...writtenTargets(this.#req, this.#res, head, this.#last('originHost')),
      ...this.#contributions.flatMap(({ relates }) =>
        attempt('The option relates', () => expectPaths(this.#listed(relates)), []),
      ),
    ];
    const tags = new Set(targets.flatMap((each) => pathInvalidationTags(each, scope, base)));
    for (const { tags: declared } of this.#contributions) {
      const given = attempt(
        'The option tags',
        () => normalizeTags(this.#listed(declared), 'httpInvalidation.tags'),
        [],
      );
      for (const tag of given) tags.add(tag);
    }
    // What cannot be read is ignored as a whole (RFC 9651 section 4.2).
    const groups = headField(this.#res, head, 'cache-group-invalidation');
    for (const group of invalidatedGroups({ 'cache-group-invalidation': groups }) ?? []) {
      tags.add(group);
    }
    return [...tags];
  }

  #listed(list: ListOf): readonly string[] {
    return typeof list === 'function' ? list(this.#req, this.#res) : list;
  }

  /** What the last one says that says something. */
  #last<Name extends 'manager' | 'scope' | 'basePath' | 'invalidateTiming' | 'originHost'>(
    name: Name,
  ): ResolvedHttpInvalidationOptions[Name] {
    return this.#contributions.findLast((each) => each[name] !== undefined)?.[name];
  }
}
