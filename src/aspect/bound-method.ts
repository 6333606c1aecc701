import type { CacheCore } from '../cache/cache-core.js';
import type { CallBudget } from '../cache/call-budget.js';
import type { CacheReference } from '../cache/cache-handle.js';
import { DecoratorUsageError } from '../errors.js';
import type { CacheManager } from '../manager/cache-manager.js';
import { BoundEvict } from './bound-evict.js';
import { BoundCacheable, BoundPut } from './bound-operation.js';
import { claimDefaultKeys, defaultCacheName } from './default-names.js';
import type { MethodSite } from './method-site.js';
import type { Operation } from './operation.js';
import type { CacheConfigOptions } from './operation-options.js';

const DECORATOR = { cacheable: 'Cacheable', put: 'CachePut', evict: 'CacheEvict' } as const;

/** A decorated method's operations, bound to one manager's caches by the configuration of one class. */
export class BoundMethod {
  readonly site: MethodSite;
  readonly manager: CacheManager;
  readonly cacheables: readonly BoundCacheable[];
  readonly puts: readonly BoundPut[];
  readonly evicts: readonly BoundEvict[];
  /** The only operation, if it is a `@Cacheable` of one cache without condition: the way of most hits. */
  readonly simple: BoundCacheable | undefined;
  /** The same, if its lookups do more than to tell fresh entries from others. */
  readonly timed: BoundCacheable | undefined;

  /**
   * @throws {@link DecoratorUsageError} when a cache has no name, or operations contradict each other
   * @throws {@link UnknownCacheError} when the manager does not know a cache
   */
  constructor(site: MethodSite, self: unknown, manager: CacheManager, config: CacheConfigOptions) {
    this.site = site;
    this.manager = manager;
    const cacheables: BoundCacheable[] = [];
    const puts: BoundPut[] = [];
    const evicts: BoundEvict[] = [];
    for (const operation of site.operations) {
      const cores = coresOf(operation, site, self, manager, config);
      const { name } = site;
      if (operation.kind === 'cacheable') {
        const { options } = operation;
        if (
          options.key === undefined &&
          (options.keyGenerator ?? config.keyGenerator) === undefined
        ) {
          for (const core of cores) claimDefaultKeys(site, self, manager, core.name);
        }
        cacheables.push(new BoundCacheable(options, config, cores, name));
      } else if (operation.kind === 'put') {
        puts.push(new BoundPut(operation.options, config, cores, name));
      } else evicts.push(new BoundEvict(operation.options, config, cores, name));
    }
    if (cacheables.some(({ each }) => each !== undefined)) {
      expectLoneBulk(site, cacheables, puts);
    }
    this.cacheables = cacheables;
    this.puts = puts;
    this.evicts = evicts;
    const [only] = cacheables;
    const isSimple =
      site.operations.length === 1 &&
      only?.cores.length === 1 &&
      !only.hasCondition &&
      !only.hasRefresh &&
      only.each === undefined;
    this.simple = isSimple && !only.isTimed ? only : undefined;
    this.timed = isSimple && only.isTimed ? only : undefined;
  }

  /** The time that one call may wait for the store, over all its operations. */
  startBudget(): CallBudget | undefined {
    const [first = this.puts[0] ?? this.evicts[0]] = this.cacheables;
    return first?.core.startBudget();
  }
}

function coresOf(
  operation: Operation,
  site: MethodSite,
  self: unknown,
  manager: CacheManager,
  config: CacheConfigOptions,
): readonly CacheCore[] {
  const reference = operation.options.cache ?? config.cache;
  if (reference === undefined) {
    return [manager.core(defaultCacheName(site, self, manager, DECORATOR[operation.kind]))];
  }
  const references = (
    Array.isArray(reference) ? reference : [reference]
  ) as readonly CacheReference[];
  return references.map((each) =>
    typeof each === 'string' ? manager.core(each) : manager.core(each.name, each.definition),
  );
}

function expectLoneBulk(
  site: MethodSite,
  cacheables: readonly BoundCacheable[],
  puts: readonly BoundPut[],
): void {
  if (cacheables.length === 1 && puts.length === 0 && cacheables[0]!.cores.length === 1) return;
  throw new DecoratorUsageError(
    'Cacheable',
    site.name,
    "'each' caches item by item, so it stands alone: one cache, no other @Cacheable, no @CachePut",
  );
}
