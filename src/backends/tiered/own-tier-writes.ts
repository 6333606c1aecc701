import type { BackendStore, CacheSpace, EntryWrite, StoreOutcome } from '../../cache/backend.js';
import { CacheBackendError, isCacheError } from '../../errors.js';
import type { TieredParts } from './tiered-parts.js';

/**
 * Stores copies in the own tier whose originals are in the shared one. What becomes of a copy is no concern of the
 * caller: it is refused when something was invalidated meanwhile, or too large, and the original is there anyway.
 * Never rejects; a tier that fails is reported.
 */
export async function storeCopies(
  parts: TieredParts,
  space: CacheSpace,
  l1: BackendStore,
  writes: readonly EntryWrite[],
): Promise<readonly (StoreOutcome | undefined)[]> {
  if (writes.length === 0) return [];
  try {
    return await l1.store(writes);
  } catch (cause) {
    l1.release(writes.flatMap(({ fence }) => (fence.kind === 'set' ? [] : [fence.token])));
    reportUnlessClosed(parts, space, 'store', cause);
    return writes.map(() => undefined);
  }
}

/** Reports a failure of the own tier; that it was closed meanwhile is none. */
export function reportUnlessClosed(
  { context }: TieredParts,
  space: CacheSpace,
  operation: string,
  cause: unknown,
): void {
  if (isCacheError(cause, 'ERR_CACHE_CLOSED')) return;
  const error = isCacheError(cause)
    ? cause
    : new CacheBackendError(`The first tier of cache '${space.name}' failed (${operation})`, {
        cause,
      });
  context.report({ type: 'error', cache: space.name, operation, error });
}
