import type { BackendStore, CacheBackend, CacheSpace, TagSelection } from '../backend.js';
import type { KeyPattern } from '../key-pattern.js';

/** Which cache an invalidation concerns, and how its store is reached. */
export interface DeferralPlace {
  readonly space: CacheSpace;
  readonly store: BackendStore;
}

/** An invalidation that the store could not take. */
export type DeferredInvalidation =
  | { readonly kind: 'keys'; readonly place: DeferralPlace; readonly keys: readonly string[] }
  | { readonly kind: 'pattern'; readonly place: DeferralPlace; readonly pattern: KeyPattern }
  | { readonly kind: 'cache'; readonly place: DeferralPlace }
  | { readonly kind: 'tags'; readonly selection: TagSelection }
  | { readonly kind: 'all' };

/** Carries an invalidation out, as if it had been issued now. */
export async function replay(
  backend: CacheBackend,
  invalidation: DeferredInvalidation,
): Promise<void> {
  switch (invalidation.kind) {
    case 'keys':
      await invalidation.place.store.delete(invalidation.keys);
      return;
    case 'pattern':
      await invalidation.place.store.deletePattern(invalidation.pattern);
      return;
    case 'cache':
      await invalidation.place.store.clear();
      return;
    case 'tags':
      await backend.invalidateTags(invalidation.selection);
      return;
    case 'all':
      await backend.clearAll();
  }
}

/**
 * The next larger invalidation that includes one; `undefined` for the largest. For those that a store cannot carry
 * out although it answers, such as a pattern where scanning is forbidden.
 */
export function widen(invalidation: DeferredInvalidation): DeferredInvalidation | undefined {
  switch (invalidation.kind) {
    case 'keys':
    case 'pattern':
      return { kind: 'cache', place: invalidation.place };
    case 'cache':
      return { kind: 'all' };
    case 'tags':
      return 'allOf' in invalidation.selection
        ? { kind: 'tags', selection: { anyOf: invalidation.selection.allOf } }
        : { kind: 'all' };
    case 'all':
      return undefined;
  }
}
