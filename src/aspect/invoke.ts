import { isPromiseLike } from '../cache/maybe-promise.js';
import { DecoratorUsageError } from '../errors.js';
import type { BoundMethod } from './bound-method.js';
import type { BoundCacheable, Invocation } from './bound-operation.js';

/**
 * Calls the method itself. What it throws is rejected with, the same object.
 *
 * @throws {@link DecoratorUsageError} when it gives no promise: a cache cannot answer synchronously
 */
export function invoke(
  { site }: BoundMethod,
  self: unknown,
  args: readonly unknown[],
): Promise<unknown> {
  const result = site.method.apply(self, args as unknown[]);
  if (isPromiseLike(result)) return result as Promise<unknown>;
  throw new DecoratorUsageError(
    'Cacheable',
    site.name,
    'it returned no promise; only asynchronous methods can be cached, so make it async',
  );
}

/** The same, with what it throws at once as a rejection too. */
export async function invokeAsync(
  bound: BoundMethod,
  { self, args }: Invocation,
): Promise<unknown> {
  return invoke(bound, self, args);
}

/** The key of a lookup; without one the method runs uncached, with a report, unless errors are to be thrown. */
export function keyOrBypass(
  cacheable: BoundCacheable,
  { self, args }: Invocation,
): string | undefined {
  try {
    return cacheable.keyOfArguments(self, args);
  } catch (error) {
    return reportKey(cacheable, error);
  }
}

/** @throws the error when the operation wants to know */
export function reportKey(cacheable: BoundCacheable, error: unknown): undefined {
  return cacheable.core.failCallback('key', error, cacheable.mode);
}
