import type { CacheBackend } from '../../cache/backend.js';

/** The shared tier; here is the place where invalidations that it cannot take are to be kept and replayed. */
export function deferring(backend: CacheBackend): CacheBackend {
  return backend;
}
