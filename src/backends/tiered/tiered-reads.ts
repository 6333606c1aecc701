import type {
  BackendStore,
  CacheSpace,
  EntryWrite,
  FillToken,
  ReadHints,
} from '../../cache/backend.js';
import type { StoredEntry } from '../../cache/entry.js';
import { andThen, isPending, type MaybePromise } from '../../cache/maybe-promise.js';
import type { CacheClock } from '../../clock.js';
import { boundedCopy, DEFAULT_SPACE, type L1Trust } from './l1-trust.js';
import { storeCopies } from './own-tier-writes.js';
import type { ProcessTier } from './process-tier.js';
import { isOutage, type TieredParts } from './tiered-parts.js';

/**
 * Reads of a cache in two tiers: the own one if it may be trusted, else the shared one, whose answer is copied.
 *
 * The token of the copy is taken before the shared tier is asked. So whatever is invalidated between the two, by this
 * process or by a message of another one, makes the own tier refuse the copy; what was invalidated before the token
 * was taken, the shared tier knows.
 */
export class TieredReads {
  readonly #parts: TieredParts;
  readonly #space: CacheSpace;
  readonly #l1: BackendStore;
  readonly #l2: BackendStore;
  readonly #clock: CacheClock;
  readonly #trust: L1Trust;
  readonly #ownTier: ProcessTier;
  readonly #keepMs: number;

  constructor(parts: TieredParts, space: CacheSpace, l1: BackendStore, l2: BackendStore) {
    this.#parts = parts;
    this.#space = space;
    this.#l1 = l1;
    this.#l2 = l2;
    this.#clock = parts.context.clock;
    this.#trust = parts.trust;
    this.#ownTier = parts.ownTier;
    this.#keepMs = space.l1TtlMs ?? DEFAULT_SPACE.l1TtlMs;
  }

  get(key: string, hints: ReadHints | undefined): MaybePromise<StoredEntry | undefined> {
    const now = this.#clock.now();
    const found = this.#l1.get(key, undefined, now);
    if (isPending(found)) {
      return found.then((entry) =>
        entry !== undefined && this.isServed(entry) ? entry : this.#getShared(key, entry, hints),
      );
    }
    if (found !== undefined && this.isServed(found, now)) return found;
    return this.#getShared(key, found, hints);
  }

  getMany(
    keys: readonly string[],
    hints: ReadHints | undefined,
  ): MaybePromise<readonly (StoredEntry | undefined)[]> {
    if (keys.length === 0) return [];
    return andThen(this.#l1.getMany(keys), (found) => {
      const served = found.map((entry) =>
        entry !== undefined && this.isServed(entry) ? entry : undefined,
      );
      return served.includes(undefined) ? this.#getMissing(keys, found, served, hints) : served;
    });
  }

  /** Whether an entry of the own tier may be given without asking the shared one. */
  isServed(entry: StoredEntry, now: number = this.#clock.now()): boolean {
    return entry.expiresAt > now && this.#trust.holds(entry, now) && !this.#ownTier.isUnsafe;
  }

  async #getShared(
    key: string,
    previous: StoredEntry | undefined,
    hints: ReadHints | undefined,
  ): Promise<StoredEntry | undefined> {
    const token = (await this.#l1.begin([key]))[0]!.token;
    const begunAt = this.#clock.now();
    let entry: StoredEntry | undefined;
    try {
      entry = await this.#l2.get(key, { ...hints, needsTimes: true });
    } catch (error) {
      this.#l1.release([token]);
      return this.#keepGoing(key, error);
    }
    await this.#copy([token], [entry], begunAt);
    // Only what was there before: a fill that has stored meanwhile is not to be hindered.
    if (entry === undefined && previous !== undefined) await this.#drop([key]);
    return entry;
  }

  async #getMissing(
    keys: readonly string[],
    found: readonly (StoredEntry | undefined)[],
    served: readonly (StoredEntry | undefined)[],
    hints: ReadHints | undefined,
  ): Promise<readonly (StoredEntry | undefined)[]> {
    const places = [...keys.keys()].filter((place) => served[place] === undefined);
    const missing = places.map((place) => keys[place]!);
    const tokens = (await this.#l1.begin(missing)).map(({ token }) => token);
    const begunAt = this.#clock.now();
    let entries: readonly (StoredEntry | undefined)[];
    try {
      entries = await this.#l2.getMany(missing, { ...hints, needsTimes: true });
    } catch (error) {
      this.#l1.release(tokens);
      return this.#keepGoingWithout(missing, places, served, error);
    }
    await this.#copy(tokens, entries, begunAt);
    const result = [...served];
    const gone: string[] = [];
    places.forEach((place, index) => {
      result[place] = entries[index];
      if (entries[index] === undefined && found[place] !== undefined) gone.push(keys[place]!);
    });
    if (gone.length > 0) await this.#drop(gone);
    return result;
  }

  /** Keeps what the shared tier answered, and gives the tokens back of what it does not have. */
  async #copy(
    tokens: readonly FillToken[],
    entries: readonly (StoredEntry | undefined)[],
    begunAt: number,
  ): Promise<void> {
    const now = this.#clock.now();
    const bounds = { confirmedAt: begunAt, keptUntil: now + this.#keepMs, lagMs: now - begunAt };
    const writes: EntryWrite[] = [];
    const unused: FillToken[] = [];
    tokens.forEach((token, index) => {
      const entry = entries[index];
      const copy = entry === undefined ? undefined : boundedCopy(entry, bounds);
      if (copy === undefined || copy.retainedUntil <= now) unused.push(token);
      else writes.push({ key: token.key, entry: copy, fence: { kind: 'fill', token } });
    });
    this.#l1.release(unused);
    await storeCopies(this.#parts, this.#space, this.#l1, writes);
  }

  async #drop(keys: readonly string[]): Promise<void> {
    await this.#l1.delete(keys);
  }

  /** While the shared tier fails, an entry that is trusted answers even if it is stale: it is kept for that. */
  async #keepGoing(key: string, error: unknown): Promise<StoredEntry> {
    const entry = isOutage(error) ? await this.#l1.get(key) : undefined;
    if (entry !== undefined && this.#isTrusted(entry)) return entry;
    throw error;
  }

  /**
   * The same for many keys: the answers that there are, unless there are none. That the others are not known to be
   * absent is reported, not thrown: the entries at hand are worth more to the caller than the failure.
   */
  async #keepGoingWithout(
    missing: readonly string[],
    places: readonly number[],
    served: readonly (StoredEntry | undefined)[],
    error: unknown,
  ): Promise<readonly (StoredEntry | undefined)[]> {
    if (!isOutage(error)) throw error;
    const kept = await this.#l1.getMany(missing);
    const result = [...served];
    places.forEach((place, index) => {
      const entry = kept[index];
      if (entry !== undefined && this.#isTrusted(entry)) result[place] = entry;
    });
    if (result.every((entry) => entry === undefined)) throw error;
    if (result.includes(undefined)) {
      const { name } = this.#space;
      this.#parts.context.report({ type: 'error', cache: name, operation: 'getMany', error });
    }
    return result;
  }

  #isTrusted(entry: StoredEntry): boolean {
    return this.#trust.holds(entry, this.#clock.now()) && !this.#ownTier.isUnsafe;
  }
}
