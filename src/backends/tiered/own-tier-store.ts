import type {
  BackendStore,
  CacheSpace,
  CallOptions,
  EntryWrite,
  FillStart,
  FillToken,
  ReadHints,
  ScanPage,
  ScanRequest,
  StoreOutcome,
} from '../../cache/backend.js';
import type { StoredEntry } from '../../cache/entry.js';
import type { KeyPattern } from '../../cache/key-pattern.js';
import { andThen, isPending, type MaybePromise } from '../../cache/maybe-promise.js';
import { spaceId } from './coherence-message.js';
import { boundedCopy, DEFAULT_SPACE } from './l1-trust.js';
import { announceSafely, invalidateTiers, withDeadline, type TieredParts } from './tiered-parts.js';
import { isTieredToken, splitTokens, TieredToken } from './tiered-token.js';

/**
 * The entries of a cache that is kept in the own tier only (`tiers: 'l1'`). Each process loads for itself, and what
 * one of them invalidates or puts, all of them drop. Entries are trusted as copies are: without a bus, or while it is
 * silent, for `maxStaleness` after their load began.
 */
export class OwnTierStore implements BackendStore {
  readonly #parts: TieredParts;
  readonly #id: string;
  readonly #l1: BackendStore;
  readonly #keepMs: number;

  constructor(parts: TieredParts, space: CacheSpace, l1: BackendStore) {
    this.#parts = parts;
    this.#id = spaceId(space);
    this.#l1 = l1;
    this.#keepMs = space.l1TtlMs ?? DEFAULT_SPACE.l1TtlMs;
  }

  get(key: string, hints?: ReadHints): MaybePromise<StoredEntry | undefined> {
    const now = this.#now();
    const found = this.#l1.get(key, hints, now);
    if (isPending(found)) return found.then((entry) => this.#trusted(entry));
    return this.#trusted(found, now);
  }

  getMany(
    keys: readonly string[],
    hints?: ReadHints,
  ): MaybePromise<readonly (StoredEntry | undefined)[]> {
    return andThen(this.#l1.getMany(keys, hints), (found) =>
      found.map((entry) => this.#trusted(entry)),
    );
  }

  begin(keys: readonly string[], hints?: ReadHints): MaybePromise<readonly FillStart[]> {
    const begunAt = this.#now();
    return andThen(this.#l1.begin(keys, hints), (starts) =>
      starts.map(({ token, entry }) => ({
        token: new TieredToken(token.key, token, undefined, begunAt),
        entry: this.#trusted(entry),
      })),
    );
  }

  watch(options?: CallOptions): MaybePromise<FillToken> {
    const begunAt = this.#now();
    return andThen(
      this.#l1.watch(options),
      (token) => new TieredToken('', token, undefined, begunAt),
    );
  }

  release(tokens: readonly FillToken[]): void {
    this.#l1.release(splitTokens(tokens).l1);
  }

  store(
    writes: readonly EntryWrite[],
    options?: CallOptions,
  ): MaybePromise<readonly StoreOutcome[]> {
    if (writes.length === 0) return [];
    return this.#parts.work.run('store', () => this.#store(writes, options));
  }

  delete(keys: readonly string[], options?: CallOptions): MaybePromise<number> {
    if (keys.length === 0) return 0;
    return invalidateTiers(this.#parts, 'delete', options, {
      message: { kind: 'keys', space: this.#id, keys },
      own: () => this.#l1.delete(keys),
    });
  }

  deletePattern(pattern: KeyPattern, options?: CallOptions): Promise<number> {
    return invalidateTiers(this.#parts, 'deletePattern', options, {
      message: { kind: 'pattern', space: this.#id, glob: pattern.glob },
      own: () => this.#l1.deletePattern(pattern),
    });
  }

  clear(options?: CallOptions): Promise<void> {
    return invalidateTiers(this.#parts, 'clear', options, {
      message: { kind: 'clear', space: this.#id },
      own: () => this.#l1.clear(),
    });
  }

  /**
   * Other processes' entries are dropped: theirs are to live no longer than this one. What they are loading stays, as it
   * does here.
   */
  expire(key: string, ttlMs: number, retainMs: number, options?: CallOptions): Promise<boolean> {
    return invalidateTiers(this.#parts, 'expire', options, {
      message: { kind: 'entry', space: this.#id, key },
      own: () =>
        this.#l1.expire(key, Math.min(ttlMs, this.#keepMs), Math.min(retainMs, this.#keepMs)),
    });
  }

  touch(key: string, retainMs: number): void {
    this.#l1.touch(key, Math.min(retainMs, this.#keepMs));
  }

  scan(request: ScanRequest): MaybePromise<ScanPage> {
    return this.#l1.scan(request);
  }

  get outlines(): BackendStore['outlines'] {
    const store = this.#l1;
    return store.outlines?.bind(store);
  }

  async #store(
    writes: readonly EntryWrite[],
    options: CallOptions | undefined,
  ): Promise<readonly StoreOutcome[]> {
    const failures: unknown[] = [];
    const now = this.#now();
    // Taken before the others are told: what they invalidate after that keeps the value out.
    const owned: EntryWrite[] = [];
    for (const write of writes) owned.push(await this.#owned(write, now));
    const keys = writes.flatMap(({ key, fence }) => (fence.kind === 'fill' ? [] : [key]));
    const message =
      keys.length === 0
        ? undefined
        : ({ kind: 'keys', space: this.#id, keys: [...new Set(keys)] } as const);
    await announceSafely(this.#parts, message, withDeadline(this.#parts, options), failures);
    const outcomes = await this.#l1.store(owned);
    if (failures.length === 0) return outcomes;
    await this.#l1.delete(keys);
    throw failures[0];
  }

  async #owned(write: EntryWrite, now: number): Promise<EntryWrite> {
    const { key, fence } = write;
    let token: FillToken;
    let confirmedAt = now;
    if (fence.kind === 'set') token = (await this.#l1.begin([key]))[0]!.token;
    else if (isTieredToken(fence.token)) ({ l1: token, begunAt: confirmedAt } = fence.token);
    else token = fence.token;
    const bounds = { confirmedAt, keptUntil: now + this.#keepMs, lagMs: 0 };
    return {
      ...write,
      entry: boundedCopy(write.entry, bounds),
      fence: { kind: fence.kind === 'fill' ? 'fill' : 'put', token },
    };
  }

  #trusted(entry: StoredEntry | undefined, now: number = this.#now()): StoredEntry | undefined {
    if (entry === undefined || this.#parts.ownTier.isUnsafe) return undefined;
    return this.#parts.trust.holds(entry, now) ? entry : undefined;
  }

  #now(): number {
    return this.#parts.context.clock.now();
  }
}
