import type { CacheManager } from '../manager/cache-manager.js';
import { locateManager, managerEpoch } from '../manager/manager-locator.js';
import { BoundMethod } from './bound-method.js';
import { classConfigOf } from './class-config.js';
import type { Method, MethodSite } from './method-site.js';
import type { Operation } from './operation.js';
import { runOperations } from './run-operations.js';
import { runSimple } from './run-simple.js';
import { runTimed } from './run-timed.js';

/** The sites of our wrappers, so that decorators above join their lists instead of wrapping again. */
const advised = new WeakMap<Method, MethodSite>();

/**
 * Puts a caching wrapper in a method's place; where ours stands there already, the new one takes over its
 * operations. So stacked decorators run in Spring's order, not in the order of nesting; a foreign decorator in
 * between ends the list.
 *
 * The wrapper keeps `name`, `length` and the function's own properties and metadata, reads `this` at the call,
 * and rejects where the method would throw.
 */
export function adviseMethod(
  given: Method,
  { name, kind }: Pick<MethodSite, 'name' | 'kind'>,
  added: readonly Operation[],
): Method {
  const inner = advised.get(given);
  const method = inner?.method ?? given;
  const operations = [...added, ...(inner?.operations ?? [])];
  const wrapper = function (this: unknown, ...args: unknown[]): Promise<unknown> {
    let bound: BoundMethod;
    try {
      bound = bindings.of(this);
    } catch (error) {
      return Promise.reject(error as Error);
    }
    if (bound.simple !== undefined) return runSimple(bound, this, args);
    return bound.timed === undefined
      ? runOperations(bound, { self: this, args })
      : runTimed(bound, bound.timed, { self: this, args });
  } as Method;
  const site: MethodSite = { name, kind, method, wrapper, operations };
  const bindings = new Bindings(site);
  copyFunction(given, wrapper);
  advised.set(wrapper, site);
  return wrapper;
}

/** A method's operations, bound for the instances that it was called on. */
class Bindings {
  readonly #site: MethodSite;
  /** By instance; by class for static methods. */
  readonly #bySelf = new WeakMap<object, Binding>();
  /** By class: instances of one class share a binding as long as they use one manager. */
  readonly #byClass = new WeakMap<object, Binding>();

  constructor(site: MethodSite) {
    this.#site = site;
  }

  /** @throws what {@link BoundMethod} and the search for a manager throw */
  of(self: unknown): BoundMethod {
    const holder = isObject(self) ? self : NOBODY;
    const kept = this.#bySelf.get(holder);
    if (kept !== undefined && isCurrent(kept)) return kept.bound;
    const owner = ownerOf(this.#site, self);
    const config = classConfigOf(owner);
    const ofClass = owner === null ? undefined : this.#byClass.get(owner);
    const manager = locateManager(self, this.#explicitManager() ?? config.manager);
    const binding =
      ofClass !== undefined && isCurrent(ofClass) && ofClass.bound.manager === manager
        ? ofClass
        : { bound: new BoundMethod(this.#site, self, manager, config), epoch: managerEpoch() };
    this.#bySelf.set(holder, binding);
    if (owner !== null) this.#byClass.set(owner, binding);
    return binding.bound;
  }

  #explicitManager(): CacheManager | (() => CacheManager) | undefined {
    return this.#site.operations.find(({ options }) => options.manager !== undefined)?.options
      .manager;
  }
}

interface Binding {
  readonly bound: BoundMethod;
  readonly epoch: number;
}

/** Stands for `this` where a method is called without one. */
const NOBODY: object = {};

function isCurrent({ bound, epoch }: Binding): boolean {
  return epoch === managerEpoch() && !bound.manager.isClosed;
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** The class whose `@CacheConfig` holds: the one of the instance, so a subclass can override. */
export function ownerOf(site: Pick<MethodSite, 'kind'>, self: unknown): object | null {
  if (site.kind === 'function' || !isObject(self)) return null;
  if (typeof self === 'function') return self;
  const { constructor } = self;
  return typeof constructor === 'function' ? constructor : null;
}

/** Name, length, own properties and, where reflect-metadata is loaded, the metadata of a function. */
export function copyFunction(from: Method, to: Method): void {
  for (const key of Reflect.ownKeys(from)) {
    if (key === 'prototype' || key === 'arguments' || key === 'caller') continue;
    Object.defineProperty(to, key, Object.getOwnPropertyDescriptor(from, key)!);
  }
  const { getOwnMetadataKeys, getOwnMetadata, defineMetadata } =
    Reflect as Partial<ReflectMetadata>;
  if (getOwnMetadataKeys === undefined || getOwnMetadata === undefined) return;
  for (const key of getOwnMetadataKeys(from)) defineMetadata?.(key, getOwnMetadata(key, from), to);
}

/** The part of reflect-metadata that is used here; it may not be loaded. */
interface ReflectMetadata {
  getOwnMetadataKeys(target: object): readonly unknown[];
  getOwnMetadata(key: unknown, target: object): unknown;
  defineMetadata(key: unknown, value: unknown, target: object): void;
}
