import type { EntryWrite, FillToken } from '../backend.js';
import type { StoredEntry } from '../entry.js';
import type { KeyJournal } from './invalidation-journal.js';
import type { TransactionToken } from './transaction-token.js';

/** An entry that a transaction has of its own. */
export interface OwnEntry {
  /** As it was given. */
  readonly write: EntryWrite;
  entry: StoredEntry;
  /** Whether it is to be stored when the transaction succeeds. What was loaded inside is not to leave it. */
  readonly isPut: boolean;
  /** Behind which place of the journal a record makes it void. */
  readonly place: number;
  /** The store's token, as old as the entry; absent while it is asked for. */
  token: FillToken | undefined;
}

/** What the entries of one cache in a transaction live by. */
export interface OwnEntriesContext {
  readonly journal: KeyJournal;
  now(): number;
  /** Gives the store its tokens back. */
  release(tokens: readonly FillToken[]): void;
}

/**
 * The entries that a transaction has put or loaded, for one cache. Each owns a token of the store, which goes back
 * when the entry does.
 */
export class OwnEntries {
  readonly #context: OwnEntriesContext;
  readonly #entries = new Map<string, OwnEntry>();

  constructor(context: OwnEntriesContext) {
    this.#context = context;
  }

  /** The live entry under a key. One that is void or expired is dropped. */
  get(key: string): OwnEntry | undefined {
    const own = this.#entries.get(key);
    if (own === undefined) return undefined;
    const { entry, place } = own;
    const isLive =
      !this.#context.journal.isVoid(key, entry.tags, place) &&
      (entry.retainedUntil === Infinity || entry.retainedUntil > this.#context.now());
    if (isLive) return own;
    this.drop(key);
    return undefined;
  }

  /** Keeps a put. It voids what was there, and the loads of its key that are under way inside. */
  put(write: EntryWrite, token: FillToken | undefined): void {
    const place = this.#context.journal.deleteKeys([write.key]);
    const entry: StoredEntry = { ...write.entry, sequence: token?.sequence ?? 0, source: 'l1' };
    this.#replace({ write, entry, isPut: true, place, token });
  }

  /** Keeps a loaded value. */
  fill(write: EntryWrite, { place, sequence }: TransactionToken, token: FillToken): void {
    const entry: StoredEntry = { ...write.entry, sequence, source: 'l1' };
    this.#replace({ write, entry, isPut: false, place, token });
  }

  /** Hands a put the token that was asked for on its behalf, or gives it back when the put has gone. */
  equip(write: EntryWrite, token: FillToken): void {
    const own = this.#entries.get(write.key);
    if (own?.write === write) own.token = token;
    else this.#context.release([token]);
  }

  drop(key: string): void {
    const token = this.#entries.get(key)?.token;
    this.#entries.delete(key);
    if (token !== undefined) this.#context.release([token]);
  }

  /** Forgets what an invalidation has just made void. */
  dropVoid(keys: Iterable<string> = [...this.#entries.keys()]): void {
    for (const key of keys) this.get(key);
  }

  /** The number of live entries that match. */
  count(isMatch: (key: string) => boolean): number {
    return [...this.#entries.keys()].filter((key) => isMatch(key) && this.get(key) !== undefined)
      .length;
  }

  /** Drops what was loaded, and what was put behind a place of the journal. */
  rollBack(place: number): void {
    for (const [key, own] of [...this.#entries]) {
      if (!own.isPut || own.place > place) this.drop(key);
    }
  }

  /** Takes out the puts that can be stored, with their tokens; everything else is dropped. */
  takePuts(): readonly EntryWrite[] {
    const puts: EntryWrite[] = [];
    for (const key of [...this.#entries.keys()]) {
      const own = this.get(key);
      if (own === undefined) continue;
      const { write, entry, isPut, token } = own;
      if (!isPut || token === undefined) {
        this.drop(key);
        continue;
      }
      const { expiresAt, retainedUntil } = entry;
      this.#entries.delete(key);
      puts.push({
        ...write,
        entry: { ...write.entry, expiresAt, retainedUntil },
        fence: { kind: 'put', token },
      });
    }
    return puts;
  }

  dropAll(): void {
    for (const key of [...this.#entries.keys()]) this.drop(key);
  }

  #replace(own: OwnEntry): void {
    this.drop(own.write.key);
    this.#entries.set(own.write.key, own);
  }
}
