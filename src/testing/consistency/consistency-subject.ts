import type { InvalidationKind, OriginValue } from './operation-record.js';

/**
 * A cache as the consistency checker sees it, in one process. Implement it for a cache of your own; for a manager of
 * this library there is {@link cacheSubject}.
 *
 * What resolves counts as acknowledged. What rejects is counted as a failure and promises nothing. Methods are called
 * concurrently.
 */
export interface ConsistencySubject {
  /** The kinds of invalidation that it can do; the checker asks for no other. `put` needs `put` to be there. */
  readonly invalidations: readonly InvalidationKind[];
  /** The value under a key, or else what `load` gives, which is to be stored. */
  read(key: string, load: OriginLoad, tags: EntryTags): Promise<unknown>;
  /** The value under a key if there is one, without loading. */
  get?(key: string): Promise<unknown>;
  /** Loads and stores, whatever is there. */
  refresh?(key: string, load: OriginLoad, tags: EntryTags): Promise<unknown>;
  /** As `read`, for many keys in one call; the values stand under their keys. */
  bulk?(
    keys: readonly string[],
    loadMany: OriginLoadMany,
    tags: EntryTags,
  ): Promise<ReadonlyMap<string, unknown>>;
  /** Loads and stores before anybody asks. */
  warm?(keys: readonly string[], load: OriginLoadOf, tags: EntryTags): Promise<void>;
  /** Replaces what is stored. Resolves with whether the store has taken it. */
  put?(key: string, value: OriginValue, tags: EntryTags): Promise<boolean>;
  /** Makes values void, and resolves once that is acknowledged. */
  invalidate(target: InvalidationTarget): Promise<void>;
  /** Lets go of connections and timers, so that the process can end. */
  close(): Promise<void>;
}

/** Asks the origin; to be called once per load, at its beginning. */
export type OriginLoad = () => Promise<OriginValue>;

/** Asks the origin for one of many keys. */
export type OriginLoadOf = (key: string) => Promise<OriginValue>;

/** Asks the origin for the keys that are missing. */
export type OriginLoadMany = (
  missing: readonly string[],
) => Promise<ReadonlyMap<string, OriginValue>>;

/** The tags of an entry, all of which it must carry. A cache whose loads cannot add tags takes both at once. */
export interface EntryTags {
  /** Known before the load. */
  readonly known: readonly string[];
  /** Known only from its result. */
  readonly found: readonly string[];
}

/** What is to be made void. */
export type InvalidationTarget =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'keys'; readonly keys: readonly string[] }
  /** Keys that match a glob: a text followed by `*`. */
  | { readonly kind: 'pattern'; readonly glob: string; readonly prefix: string }
  /** Entries with any of the tags. */
  | { readonly kind: 'tags'; readonly tags: readonly string[] }
  /** Entries with all of the tags. */
  | { readonly kind: 'allTags'; readonly tags: readonly string[] }
  | { readonly kind: 'clear' }
  /** Sets the time to live of a key to 0. */
  | { readonly kind: 'expire'; readonly key: string };

/** What a subject's module gets to know. */
export interface SubjectContext {
  /** The number of the process, from 0; a process that replaces a killed one has a number of its own. */
  readonly process: number;
  /** `ConsistencyOptions.subjectOptions`, as it came out of `JSON`. */
  readonly options: unknown;
}

/** What a subject's module exports under the name `openSubject`. Called once in every process. */
export type OpenSubject = (
  context: SubjectContext,
) => ConsistencySubject | Promise<ConsistencySubject>;
