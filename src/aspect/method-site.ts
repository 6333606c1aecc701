import type { Operation } from './operation.js';

/** A function whose results can be cached. */
export type Method = (this: unknown, ...args: unknown[]) => unknown;

/** Where decorators stand: the method, and the operations that they ask for, in the order of the source. */
export interface MethodSite {
  readonly name: PropertyKey;
  /** `function` for the function forms, which have no class. */
  readonly kind: 'instance' | 'static' | 'private' | 'function';
  readonly method: Method;
  /** What stands in the method's place. */
  readonly wrapper: Method;
  readonly operations: readonly Operation[];
}

/** How a member is called in messages. */
export function memberName(site: Pick<MethodSite, 'name'>): string {
  return String(site.name);
}

/** The methods inside of wrappers that have no operations, by wrapper. */
const wrapped = new WeakMap<Method, Method>();

/** Remembers that a wrapper of ours, which is no site, stands around a method. */
export function noteWrapper(wrapper: Method, method: Method): void {
  wrapped.set(wrapper, method);
}

/** Whether a member is a method, or a wrapper of ours around it. */
export function standsFor(member: unknown, method: Method): boolean {
  let each = member as Method | undefined;
  while (each !== undefined && each !== method) {
    each = typeof each === 'function' ? wrapped.get(each) : undefined;
  }
  return each !== undefined;
}
