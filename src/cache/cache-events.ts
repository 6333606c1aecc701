import type { CacheError } from '../errors.js';
import type { CacheLogger } from './cache-logger.js';
import type { EntrySource } from './entry.js';

/** What an event says about the entry that it concerns. Never its value. */
export interface KeyedEvent {
  readonly cache: string;
  /** The key text. */
  readonly key: string;
}

/** The events of a manager, by name. */
export interface CacheEventMap {
  /** A fresh entry was served. */
  readonly hit: KeyedEvent & { readonly source: EntrySource };
  /** An expired entry was served, as a `stale…` option allows. */
  readonly stale: KeyedEvent & { readonly source: EntrySource };
  /** There was no entry to serve. */
  readonly miss: KeyedEvent;
  /** A load ended. `outcome` says what became of its result; `rejected` when there is none. */
  readonly load: KeyedEvent & { readonly durationMs: number; readonly outcome: LoadOutcome };
  /** An entry was stored. */
  readonly set: KeyedEvent & { readonly ttlMs: number };
  /** Keys were deleted; `count` of them held a live entry. */
  readonly delete: {
    readonly cache: string;
    readonly keys: readonly string[];
    readonly count: number;
  };
  /** Entries were made void, whichever way. */
  readonly invalidate: InvalidateEvent;
  /** The bound was reached and an entry had to go. */
  readonly evict: KeyedEvent & { readonly reason: 'entries' | 'bytes' };
  /** An entry's time was up, and it was freed. */
  readonly expire: KeyedEvent;
  /** The cache failed, and the call went on without it. */
  readonly error: {
    readonly operation: string;
    readonly error: CacheError;
    readonly cache?: string | undefined;
    readonly key?: string | undefined;
  };
  /** The store stopped answering. */
  readonly degraded: { readonly error: CacheError };
  /** The store answers again. */
  readonly recovered: Readonly<Record<never, never>>;
  /**
   * The store could not take an invalidation. It holds in this process at once, and is replayed for the others before
   * the store is trusted again; it is lost if this process dies before that.
   */
  readonly deferred: {
    readonly operation: string;
    readonly error: CacheError;
    readonly cache?: string | undefined;
  };
}

/**
 * What became of a loaded value: stored; not stored because of an option or because it is `undefined`; refused,
 * because the key was invalidated meanwhile; not stored because the store failed; no value, the load rejected.
 */
export type LoadOutcome = 'stored' | 'skipped' | 'refused' | 'unavailable' | 'rejected';

/** What was invalidated. */
export type InvalidateEvent =
  | { readonly scope: 'keys'; readonly cache: string; readonly keys: readonly string[] }
  | { readonly scope: 'pattern'; readonly cache: string; readonly pattern: string }
  | { readonly scope: 'cache'; readonly cache: string }
  | { readonly scope: 'tags'; readonly tags: readonly string[]; readonly match: 'any' | 'all' }
  | { readonly scope: 'all' };

/** The name of an event. */
export type CacheEventName = keyof CacheEventMap;

/** The names of all events. */
export const CACHE_EVENT_NAMES: readonly CacheEventName[] = [
  'hit',
  'stale',
  'miss',
  'load',
  'set',
  'delete',
  'invalidate',
  'evict',
  'expire',
  'error',
  'degraded',
  'recovered',
  'deferred',
];

/** Is told of an event, at once and in order. What it throws or rejects with is logged and goes no further. */
export type CacheEventListener<Name extends CacheEventName> = (
  event: CacheEventMap[Name],
) => unknown;

type AnyListener = (event: never) => unknown;

/** Hands events to listeners. Without listeners an event costs one property read: callers ask `has` first. */
export class CacheEvents {
  readonly #logger: CacheLogger;
  readonly #listeners = new Map<CacheEventName, Set<AnyListener>>();

  constructor(logger: CacheLogger) {
    this.#logger = logger;
  }

  /** Whether anyone listens. */
  has(name: CacheEventName): boolean {
    return this.#listeners.size !== 0 && this.#listeners.has(name);
  }

  /** Adds a listener; the same function twice is told once. Disposing of the result takes it off. */
  on<Name extends CacheEventName>(name: Name, listener: CacheEventListener<Name>): Disposable {
    const listeners = this.#listeners.get(name) ?? new Set<AnyListener>();
    listeners.add(listener);
    this.#listeners.set(name, listeners);
    return {
      [Symbol.dispose]: () => {
        listeners.delete(listener);
        if (listeners.size === 0 && this.#listeners.get(name) === listeners) {
          this.#listeners.delete(name);
        }
      },
    };
  }

  emit<Name extends CacheEventName>(name: Name, event: CacheEventMap[Name]): void {
    const listeners = this.#listeners.get(name);
    if (listeners === undefined) return;
    for (const listener of [...listeners]) {
      try {
        const result = (listener as CacheEventListener<Name>)(event);
        if (result instanceof Promise) result.catch((error: unknown) => this.#report(name, error));
      } catch (error) {
        this.#report(name, error);
      }
    }
  }

  #report(name: CacheEventName, error: unknown): void {
    this.#logger.warn(`A listener of the event '${name}' failed.`, { error: String(error) });
  }
}
