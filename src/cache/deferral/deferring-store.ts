import type { BackendStore, CallOptions, EntryWrite, StoreOutcome } from '../backend.js';
import { andThen, type MaybePromise } from '../maybe-promise.js';
import type { DeferralPlace, DeferredInvalidation } from './deferred-invalidation.js';

/** What decides whether a store is asked, and keeps what it could not take. */
export interface Deferral {
  /** Whether nothing is deferred, so that the store may be read and filled. */
  readonly isTrusted: boolean;
  /** Whether invalidations may be sent, for those before them are carried out, or are being so. */
  readonly isAnswering: boolean;
  /** Carries an invalidation out, or keeps it and fails. */
  invalidate<Result>(
    operation: string,
    invalidation: DeferredInvalidation,
    run: () => MaybePromise<Result>,
  ): MaybePromise<Result>;
  /** Runs what invalidates something, and keeps that when it fails. */
  keepOnFailure<Result>(
    operation: string,
    run: () => MaybePromise<Result>,
    invalidation: () => DeferredInvalidation | undefined,
  ): MaybePromise<Result>;
  /** @throws what a call fails with that is not sent while the store is not trusted */
  refuse(): never;
}

/** One cache's store, whose failed invalidations are kept. While nothing is kept, a call costs one check more. */
export function deferringStore(place: DeferralPlace, deferral: Deferral): BackendStore {
  const { store: inner } = place;
  return {
    get: (key, hints) => (deferral.isTrusted ? inner.get(key, hints) : deferral.refuse()),
    getMany: (keys, hints) => (deferral.isTrusted ? inner.getMany(keys, hints) : deferral.refuse()),
    begin: (keys, hints) => (deferral.isTrusted ? inner.begin(keys, hints) : deferral.refuse()),
    ...(inner.beginTurns !== undefined && {
      beginTurns: (keys, hints) =>
        deferral.isTrusted ? inner.beginTurns!(keys, hints) : deferral.refuse(),
    }),
    watch: (options) => (deferral.isTrusted ? inner.watch(options) : deferral.refuse()),
    release: (tokens, options) => inner.release(tokens, options),
    store: (writes, options) => storeOrKeep(place, deferral, writes, options),
    delete: (keys, options) =>
      deferral.invalidate('delete', { kind: 'keys', place, keys }, () =>
        inner.delete(keys, options),
      ),
    deletePattern: (pattern, options) =>
      deferral.invalidate('deletePattern', { kind: 'pattern', place, pattern }, () =>
        inner.deletePattern(pattern, options),
      ),
    clear: (options) =>
      deferral.invalidate('clear', { kind: 'cache', place }, () => inner.clear(options)),
    expire: (key, ttlMs, retainMs, options) =>
      deferral.isTrusted ? inner.expire(key, ttlMs, retainMs, options) : deferral.refuse(),
    touch: (key, retainMs) => {
      if (deferral.isTrusted) inner.touch(key, retainMs);
    },
    scan: (request) => (deferral.isTrusted ? inner.scan(request) : deferral.refuse()),
    ...(inner.outlines !== undefined && {
      outlines: (keys, options) =>
        deferral.isTrusted ? inner.outlines!(keys, options) : deferral.refuse(),
    }),
  };
}

/**
 * Stores entries. A write that takes the place of what is there and fails leaves something untrue behind, so its key
 * is to be deleted.
 *
 * While the store is not trusted, nothing is filled: what was loaded may be older than an invalidation that the store
 * does not know of. Neither is anything put, and keys of puts are deleted instead; a bare `set` is as new as its call,
 * and goes through as soon as the store answers.
 */
function storeOrKeep(
  place: DeferralPlace,
  deferral: Deferral,
  writes: readonly EntryWrite[],
  options: CallOptions | undefined,
): MaybePromise<readonly StoreOutcome[]> {
  const { store } = place;
  const replaced = (): DeferredInvalidation | undefined => {
    const keys = writes.filter(({ fence }) => fence.kind !== 'fill').map(({ key }) => key);
    return keys.length === 0 ? undefined : { kind: 'keys', place, keys };
  };
  const isSet = writes.every(({ fence }) => fence.kind === 'set');
  if (deferral.isTrusted || (isSet && deferral.isAnswering)) {
    return deferral.keepOnFailure('store', () => store.store(writes, options), replaced);
  }
  // The store is not to keep others waiting for what it is not given.
  store.release(writes.flatMap(({ fence }) => (fence.kind === 'set' ? [] : [fence.token])));
  const invalidation = replaced();
  if (invalidation?.kind !== 'keys') return deferral.refuse();
  const deleted = deferral.invalidate('store', invalidation, () =>
    store.delete(invalidation.keys, options),
  );
  return andThen(deleted, () => writes.map((): StoreOutcome => 'refused'));
}
