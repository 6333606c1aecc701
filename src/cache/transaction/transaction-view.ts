import type {
  BackendStore,
  CallOptions,
  EntryWrite,
  FillStart,
  FillToken,
  ReadHints,
  ScanPage,
  ScanRequest,
  StoreOutcome,
} from '../backend.js';
import type { StoredEntry } from '../entry.js';
import type { FlightTable } from '../flight-table.js';
import type { KeyPattern } from '../key-pattern.js';
import { andThen, type MaybePromise } from '../maybe-promise.js';
import { Conclusion, type TransactionalCache } from './conclusion.js';
import { KeyJournal, type InvalidationJournal } from './invalidation-journal.js';
import { OwnEntries } from './own-entries.js';
import { isSameClaim, TransactionToken } from './transaction-token.js';

/**
 * One cache as a transaction sees it: what it has put or loaded itself, over the store without what it has
 * invalidated. Until the transaction ends nothing of it reaches the store but tokens, each taken when its put or load
 * began. So the store can say at the end whether anything has happened to the key since.
 *
 * What was loaded inside is served again only while the store still honours its token: asking for it once more gives
 * the same claim. Where a backend's claims cannot be compared, such a value is not kept.
 */
export class TransactionView implements BackendStore {
  readonly flights: FlightTable;
  readonly #cache: TransactionalCache;
  readonly #journal: KeyJournal;
  readonly #own: OwnEntries;
  readonly #pending = new Set<Promise<void>>();
  /** Loads and puts that began before this place of the journal are not taken any more. */
  #floor = 0;
  #state: 'open' | 'succeeded' | 'failed' = 'open';

  constructor(cache: TransactionalCache, shared: InvalidationJournal) {
    this.#cache = cache;
    this.#journal = new KeyJournal(shared);
    this.flights = cache.ownFlights.branch();
    this.#own = new OwnEntries({
      journal: this.#journal,
      now: () => cache.runtime.clock.now(),
      release: (tokens) => this.#store.release(tokens),
    });
  }

  get(key: string, hints?: ReadHints): MaybePromise<StoredEntry | undefined> {
    const own = this.#own.get(key);
    if (own?.isPut === true) return own.entry;
    if (own !== undefined) return andThen(this.#lookAgain([key], hints), ([entry]) => entry);
    if (this.#journal.isVoid(key, [], 0)) return undefined;
    return andThen(this.#store.get(key, hints), (entry) => this.#unlessVoid(key, entry));
  }

  getMany(
    keys: readonly string[],
    hints?: ReadHints,
  ): MaybePromise<readonly (StoredEntry | undefined)[]> {
    const found = new Map<string, StoredEntry | undefined>();
    const loaded: string[] = [];
    const others: string[] = [];
    for (const key of keys) {
      const own = this.#own.get(key);
      if (own?.isPut === true) found.set(key, own.entry);
      else if (own !== undefined) loaded.push(key);
      else if (!this.#journal.isVoid(key, [], 0)) others.push(key);
    }
    const again = loaded.length === 0 ? [] : this.#lookAgain(loaded, hints);
    const rest = others.length === 0 ? [] : this.#store.getMany(others, hints);
    return andThen(both(again, rest), ([entries, stored]) => {
      loaded.forEach((key, index) => found.set(key, entries[index]));
      others.forEach((key, index) => found.set(key, this.#unlessVoid(key, stored[index])));
      return keys.map((key) => found.get(key));
    });
  }

  begin(keys: readonly string[], hints?: ReadHints): MaybePromise<readonly FillStart[]> {
    const { place } = this.#journal;
    return andThen(this.#store.begin(keys, hints), (starts) =>
      starts.map((start, index): FillStart => {
        const key = keys[index]!;
        const token = new TransactionToken(key, this, place, start.token);
        return { token, entry: this.#visible(key, start) };
      }),
    );
  }

  /** Without leases: nobody outside may wait for a load whose value stays here. */
  beginTurns(keys: readonly string[], hints?: ReadHints): MaybePromise<readonly FillStart[]> {
    return this.begin(keys, hints);
  }

  watch(options?: CallOptions): MaybePromise<FillToken> {
    const { place } = this.#journal;
    return andThen(
      this.#store.watch(options),
      (token) => new TransactionToken('', this, place, token),
    );
  }

  release(tokens: readonly FillToken[]): void {
    this.#giveBack(tokens.map(realToken));
  }

  store(
    writes: readonly EntryWrite[],
    options?: CallOptions,
  ): MaybePromise<readonly StoreOutcome[]> {
    if (this.#state !== 'open') return this.#storeLate(writes, options);
    // Own puts hold as of the call; what the store has to be asked for comes behind that.
    const decided = writes.map((write) => this.#decide(write));
    const asking = writes.filter((_, index) => decided[index] === undefined);
    if (asking.length === 0) return decided as readonly StoreOutcome[];
    const tags = [...new Set(asking.flatMap(({ entry }) => entry.tags))];
    const keys = asking.map(({ key }) => key);
    const outcomes = andThen(this.#store.begin(keys, { ...options, tags }), (starts) => {
      const answers = starts.map(({ token }, index) => this.#settle(asking[index]!, token));
      let next = 0;
      return decided.map((outcome) => outcome ?? answers[next++]!);
    });
    if (outcomes instanceof Promise) this.#keepPending(outcomes);
    return outcomes;
  }

  /** Resolves with the number of entries that the transaction had of its own. */
  delete(keys: readonly string[]): number {
    const given = new Set(keys);
    const count = [...given].filter((key) => this.#own.get(key) !== undefined).length;
    this.#journal.deleteKeys(keys);
    this.#own.dropVoid(given);
    return count;
  }

  /** Resolves with the number of entries that the transaction had of its own. */
  deletePattern(pattern: KeyPattern): number {
    const count = this.#own.count((key) => pattern.matches(key));
    this.#journal.deletePattern(pattern);
    this.#own.dropVoid();
    return count;
  }

  clear(): void {
    this.#journal.clear();
    this.#own.dropVoid();
  }

  /** An entry of the transaction's own changes here, one of the store's at once: it becomes no other value. */
  expire(
    key: string,
    ttlMs: number,
    retainMs: number,
    options?: CallOptions,
  ): MaybePromise<boolean> {
    const own = this.#own.get(key);
    if (own !== undefined) {
      const now = this.#cache.runtime.clock.now();
      const retainedUntil = now + Math.max(ttlMs, retainMs);
      own.entry = { ...own.entry, expiresAt: now + ttlMs, retainedUntil };
      return true;
    }
    return andThen(this.get(key), (entry) =>
      entry === undefined ? false : this.#store.expire(key, ttlMs, retainMs, options),
    );
  }

  touch(key: string, retainMs: number): void {
    const isOfStore = this.#own.get(key) === undefined && !this.#journal.isVoid(key, [], 0);
    if (isOfStore) this.#store.touch(key, retainMs);
  }

  /** The store's own keys, as they are. */
  scan(request: ScanRequest): MaybePromise<ScanPage> {
    return this.#store.scan(request);
  }

  /** Forgets what an invalidation of all caches has just made void. */
  dropVoid(): void {
    this.flights.detachAll();
    this.#own.dropVoid();
  }

  /**
   * Drops what was loaded, and what was put behind a place of the journal: the work that it came from was undone.
   * Loads and puts that began before `floor` are refused.
   */
  rollBack(place: number, floor: number): void {
    this.#floor = floor;
    this.flights.detachAll();
    this.#own.rollBack(place);
  }

  /** Takes nothing more. Gives what has to be waited for before the conclusion. */
  close(isSuccess: boolean): readonly Promise<void>[] {
    this.#state = isSuccess ? 'succeeded' : 'failed';
    this.flights.prune();
    return [...this.#pending];
  }

  /** What is left to be done to the store. Called once, when nothing is pending. */
  conclude(): Conclusion {
    const puts = this.#state === 'succeeded' ? this.#own.takePuts() : [];
    this.#own.dropAll();
    return new Conclusion(this.#cache, this.#journal, puts);
  }

  get #store(): BackendStore {
    return this.#cache.ownStore();
  }

  #unlessVoid(key: string, entry: StoredEntry | undefined): StoredEntry | undefined {
    if (entry === undefined || this.#journal.isVoid(key, entry.tags, 0)) return undefined;
    return entry;
  }

  /** What may be seen under a key whose token has just been taken anew. */
  #visible(key: string, { token, entry }: FillStart): StoredEntry | undefined {
    const own = this.#own.get(key);
    if (own !== undefined && (own.isPut || isSameClaim(own.token, token))) return own.entry;
    if (own !== undefined) this.#own.drop(key);
    return this.#unlessVoid(key, entry);
  }

  /** Reads keys that were loaded here, as far as their tokens still hold. */
  #lookAgain(
    keys: readonly string[],
    hints: ReadHints | undefined,
  ): MaybePromise<readonly (StoredEntry | undefined)[]> {
    return andThen(this.#store.begin(keys, hints), (starts) => {
      const entries = starts.map((start, index) => this.#visible(keys[index]!, start));
      this.#giveBack(starts.map(({ token }) => token));
      return entries;
    });
  }

  /** Decides about a write as of now; `undefined` where the store has to be asked first. */
  #decide(write: EntryWrite): StoreOutcome | undefined {
    const { key, entry, fence } = write;
    if (fence.kind === 'set') {
      this.#own.put(write, undefined);
      return undefined;
    }
    const token = fence.token as TransactionToken;
    if (this.#isRefused(key, entry.tags, token)) {
      this.release([token]);
      if (fence.kind === 'put') this.delete([key]);
      return 'refused';
    }
    if (fence.kind === 'fill') return undefined;
    this.#own.put(write, token.spend());
    return 'stored';
  }

  /** Goes on with a write when the store has given a token for its key. */
  #settle(write: EntryWrite, fresh: FillToken): StoreOutcome {
    const { key, entry, fence } = write;
    if (fence.kind === 'set') {
      this.#own.equip(write, fresh);
      return 'stored';
    }
    const token = fence.token as TransactionToken;
    const isKept =
      this.#state === 'open' &&
      isSameClaim(token.real, fresh) &&
      !this.#isRefused(key, entry.tags, token);
    this.#giveBack([fresh]);
    if (isKept) this.#own.fill(write, token, token.spend()!);
    else this.release([token]);
    return isKept ? 'stored' : 'refused';
  }

  #isRefused(key: string, tags: readonly string[], { isSpent, place }: TransactionToken): boolean {
    return isSpent || place < this.#floor || this.#journal.isVoid(key, tags, place);
  }

  /** What began inside and ends behind the end: a load's value goes nowhere, a put goes its way under its own token. */
  #storeLate(
    writes: readonly EntryWrite[],
    options: CallOptions | undefined,
  ): MaybePromise<readonly StoreOutcome[]> {
    const live = writes.flatMap((write) => {
      const token = write.fence.kind === 'put' ? realToken(write.fence.token) : undefined;
      return token === undefined ? [] : [{ ...write, fence: { kind: 'put', token } as const }];
    });
    if (this.#state === 'succeeded' && live.length === writes.length) {
      return this.#store.store(live, options);
    }
    this.#giveBack(live.map(({ fence }) => fence.token));
    this.release(writes.flatMap(({ fence }) => (fence.kind === 'set' ? [] : [fence.token])));
    const refused = writes.map(() => 'refused' as const);
    const keys = writes.filter(({ fence }) => fence.kind !== 'fill').map(({ key }) => key);
    return keys.length === 0 ? refused : andThen(this.#store.delete(keys, options), () => refused);
  }

  #giveBack(tokens: readonly (FillToken | undefined)[]): void {
    const given = tokens.filter((token) => token !== undefined);
    if (given.length > 0) this.#store.release(given);
  }

  #keepPending(work: Promise<unknown>): void {
    const end = (): void => void this.#pending.delete(settled);
    const settled: Promise<void> = work.then(end, end);
    this.#pending.add(settled);
  }
}

/** The store's token out of one of ours, for its new owner; `undefined` when it has one already. */
function realToken(token: FillToken): FillToken | undefined {
  return token instanceof TransactionToken ? token.spend() : undefined;
}

function both<First, Second>(
  first: MaybePromise<First>,
  second: MaybePromise<Second>,
): MaybePromise<readonly [First, Second]> {
  if (first instanceof Promise || second instanceof Promise) return Promise.all([first, second]);
  return [first, second];
}
