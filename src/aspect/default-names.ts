import { DecoratorUsageError } from '../errors.js';
import type { CacheManager } from '../manager/cache-manager.js';
import { memberName, standsFor, type MethodSite } from './method-site.js';

/** What is known of the caches of one manager that were named, or keyed, by default. */
interface Names {
  readonly owners: Map<string, object>;
  readonly keyedByAllArguments: Map<
    string,
    { readonly site: MethodSite; readonly owner: object | undefined }
  >;
}

const names = new WeakMap<CacheManager, Names>();

/**
 * The name of a cache that nobody named: `ClassName.method`, after the class that declares the method. The class
 * is found by walking the prototypes, for a TC39 method decorator does not see it.
 *
 * @throws {@link DecoratorUsageError} when the class cannot be found, or another class has that name already
 */
export function defaultCacheName(
  site: MethodSite,
  self: unknown,
  manager: CacheManager,
  decorator: string,
): string {
  if (site.kind === 'function') {
    const name = site.method.name;
    if (name !== '') return uniqueName(name, site.method, site, manager, decorator);
    throw new DecoratorUsageError(
      decorator,
      'anonymous function',
      "give it a 'cache': it has no name",
    );
  }
  const owner = declaringClass(site, self);
  const className = owner?.name ?? '';
  if (owner === undefined || className === '') {
    throw new DecoratorUsageError(
      decorator,
      site.name,
      "the class that declares it cannot be found, so there is no name for its cache; add 'cache', or @CacheConfig({ cache }) to the class",
    );
  }
  return uniqueName(`${className}.${memberName(site)}`, owner, site, manager, decorator);
}

/**
 * Remembers that a `@Cacheable` without `key` stores in a cache.
 *
 * @throws {@link DecoratorUsageError} when another method does so already: with the same arguments they would
 * answer for each other. An override counts as the same method.
 */
export function claimDefaultKeys(
  site: MethodSite,
  self: unknown,
  manager: CacheManager,
  cacheName: string,
): void {
  const { keyedByAllArguments } = namesOf(manager);
  const owner = declaringClass(site, self);
  const first = keyedByAllArguments.get(cacheName);
  if (first === undefined) {
    keyedByAllArguments.set(cacheName, { site, owner });
    return;
  }
  // One function may stand behind several sites: inherited, or in a function form made of another one.
  if (first.site.method === site.method || isOverride(first, { site, owner })) return;
  throw new DecoratorUsageError(
    'Cacheable',
    site.name,
    `it stores in the cache '${cacheName}' under all its arguments, as '${memberName(first.site)}' does already, so they would answer for each other; give one of them a 'key' or another 'cache'`,
  );
}

/** The class on whose prototype, or on which itself, the wrapper stands. */
function declaringClass(
  site: MethodSite,
  self: unknown,
): (object & { readonly name: string }) | undefined {
  if (site.kind === 'private' || site.kind === 'function') return undefined;
  let holder = self as object | null | undefined;
  while (holder !== null && (typeof holder === 'object' || typeof holder === 'function')) {
    const member: unknown = Object.getOwnPropertyDescriptor(holder, site.name)?.value;
    if (standsFor(member, site.wrapper)) {
      const owner: unknown =
        site.kind === 'static' ? holder : (holder as { constructor?: unknown }).constructor;
      return typeof owner === 'function' ? owner : undefined;
    }
    holder = Object.getPrototypeOf(holder) as object | null;
  }
  return undefined;
}

function uniqueName(
  name: string,
  owner: object,
  site: MethodSite,
  manager: CacheManager,
  decorator: string,
): string {
  const { owners } = namesOf(manager);
  const first = owners.get(name) ?? owner;
  owners.set(name, first);
  if (first === owner) return name;
  throw new DecoratorUsageError(
    decorator,
    site.name,
    `two classes would share the cache '${name}' by their name; add 'cache', or @CacheConfig({ cache }) to one of them`,
  );
}

function isOverride(
  first: { readonly site: MethodSite; readonly owner: object | undefined },
  second: { readonly site: MethodSite; readonly owner: object | undefined },
): boolean {
  if (first.site.name !== second.site.name) return false;
  const [a, b] = [first.owner, second.owner];
  if (a === undefined || b === undefined) return false;
  return Object.prototype.isPrototypeOf.call(a, b) || Object.prototype.isPrototypeOf.call(b, a);
}

function namesOf(manager: CacheManager): Names {
  let known = names.get(manager);
  if (known === undefined) {
    known = { owners: new Map(), keyedByAllArguments: new Map() };
    names.set(manager, known);
  }
  return known;
}
