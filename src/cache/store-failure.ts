import {
  CacheBackendError,
  CacheClosedError,
  CacheConnectionError,
  CacheTimeoutError,
  isCacheError,
} from '../errors.js';

/**
 * Whether an error says that a store could not do its work. What is the programmer's fault says nothing of the store,
 * and a store that was closed is not asked again.
 */
export function isStoreFailure(error: unknown): boolean {
  if (!isCacheError(error)) return true;
  return error instanceof CacheBackendError && !(error instanceof CacheClosedError);
}

/** Whether an error says that the store is out of reach, so that the next call would fail as well. */
export function isOutage(error: unknown): error is CacheConnectionError | CacheTimeoutError {
  return error instanceof CacheConnectionError || error instanceof CacheTimeoutError;
}
