import type {
  BackendStore,
  CacheSpace,
  CallOptions,
  EntryWrite,
  FillStart,
  FillToken,
  LoadTurn,
  ReadHints,
  ReleaseOptions,
  ScanPage,
  ScanRequest,
  StoreOutcome,
} from '../../cache/backend.js';
import type { StoredEntry } from '../../cache/entry.js';
import type { KeyPattern } from '../../cache/key-pattern.js';
import type { MaybePromise } from '../../cache/maybe-promise.js';
import { spaceId } from './coherence-message.js';
import { DEFAULT_SPACE } from './l1-trust.js';
import { isStart } from './shared-tier.js';
import { invalidateTiers, type TieredParts } from './tiered-parts.js';
import { TieredReads } from './tiered-reads.js';
import { TieredToken } from './tiered-token.js';
import { mayFillAlone, releaseTokens, TieredWrites } from './tiered-writes.js';

/**
 * The entries of one cache in two tiers. A hit in the own tier is answered at once.
 *
 * Fills take a token in both tiers, the own one first: a message that arrives at any time after that keeps the value
 * out of the own tier, and the shared tier's own fence keeps it out of both.
 */
export class TieredStore implements BackendStore {
  /** Only where the shared tier has leases. */
  readonly beginTurns?: NonNullable<BackendStore['beginTurns']>;
  readonly #parts: TieredParts;
  readonly #space: CacheSpace;
  readonly #id: string;
  readonly #l1: BackendStore;
  readonly #l2: BackendStore;
  readonly #reads: TieredReads;
  readonly #writes: TieredWrites;

  constructor(parts: TieredParts, space: CacheSpace, l1: BackendStore, l2: BackendStore) {
    this.#parts = parts;
    this.#space = space;
    this.#id = spaceId(space);
    this.#l1 = l1;
    this.#l2 = l2;
    this.#reads = new TieredReads(parts, space, l1, l2);
    this.#writes = new TieredWrites(parts, space, l1, l2);
    if (l2.beginTurns !== undefined) {
      this.beginTurns = (keys, hints) => this.#begin(keys, () => l2.beginTurns!(keys, hints));
    }
  }

  get(key: string, hints?: ReadHints): MaybePromise<StoredEntry | undefined> {
    return this.#reads.get(key, hints);
  }

  getMany(
    keys: readonly string[],
    hints?: ReadHints,
  ): MaybePromise<readonly (StoredEntry | undefined)[]> {
    return this.#reads.getMany(keys, hints);
  }

  begin(keys: readonly string[], hints?: ReadHints): Promise<readonly FillStart[]> {
    return this.#begin(keys, () => this.#l2.begin(keys, hints)) as Promise<readonly FillStart[]>;
  }

  async watch(options?: CallOptions): Promise<FillToken> {
    const l1 = await this.#l1.watch();
    const begunAt = this.#now();
    try {
      return new TieredToken('', l1, await this.#l2.watch(options), begunAt);
    } catch (error) {
      this.#l1.release([l1]);
      throw error;
    }
  }

  release(tokens: readonly FillToken[], options?: ReleaseOptions): void {
    releaseTokens(this.#l1, this.#l2, tokens, options);
  }

  store(
    writes: readonly EntryWrite[],
    options?: CallOptions,
  ): MaybePromise<readonly StoreOutcome[]> {
    if (writes.length === 0) return [];
    return this.#parts.work.run('store', () => this.#writes.store(writes, options));
  }

  delete(keys: readonly string[], options?: CallOptions): MaybePromise<number> {
    if (keys.length === 0) return 0;
    return invalidateTiers(this.#parts, 'delete', options, {
      shared: (call) => this.#l2.delete(keys, call),
      message: { kind: 'keys', space: this.#id, keys },
      own: () => this.#l1.delete(keys),
    });
  }

  deletePattern(pattern: KeyPattern, options?: CallOptions): Promise<number> {
    return invalidateTiers(this.#parts, 'deletePattern', options, {
      shared: (call) => this.#l2.deletePattern(pattern, call),
      message: { kind: 'pattern', space: this.#id, glob: pattern.glob },
      own: () => this.#l1.deletePattern(pattern),
    });
  }

  clear(options?: CallOptions): Promise<void> {
    return invalidateTiers(this.#parts, 'clear', options, {
      shared: (call) => this.#l2.clear(call),
      message: { kind: 'clear', space: this.#id },
      own: () => this.#l1.clear(),
    });
  }

  /** Copies are dropped everywhere, rather than changed: one that is under way still has the old times. */
  expire(key: string, ttlMs: number, retainMs: number, options?: CallOptions): Promise<boolean> {
    return invalidateTiers(this.#parts, 'expire', options, {
      shared: (call) => this.#l2.expire(key, ttlMs, retainMs, call),
      message: { kind: 'keys', space: this.#id, keys: [key] },
      own: async () => (await this.#l1.delete([key])) > 0,
    });
  }

  touch(key: string, retainMs: number): void {
    this.#l2.touch(key, retainMs);
    this.#l1.touch(key, Math.min(retainMs, this.#space.l1TtlMs ?? DEFAULT_SPACE.l1TtlMs));
  }

  scan(request: ScanRequest): MaybePromise<ScanPage> {
    return this.#l2.scan(request);
  }

  get outlines(): BackendStore['outlines'] {
    const store = this.#l2;
    return store.outlines?.bind(store);
  }

  async #begin(
    keys: readonly string[],
    beginShared: () => MaybePromise<readonly (FillStart | LoadTurn)[]>,
  ): Promise<readonly (FillStart | LoadTurn)[]> {
    if (keys.length === 0) return [];
    const own = await this.#l1.begin(keys);
    const begunAt = this.#now();
    let turns: readonly (FillStart | LoadTurn)[];
    try {
      turns = await beginShared();
    } catch (error) {
      if (mayFillAlone(this.#parts, this.#space, error)) return this.#beginAlone(own, begunAt);
      this.#l1.release(own.map(({ token }) => token));
      throw error;
    }
    this.#parts.isSharedTierOut = false;
    return turns.map((turn, index) => {
      const { token } = own[index]!;
      if (isStart(turn)) {
        return {
          token: new TieredToken(token.key, token, turn.token, begunAt),
          entry: turn.entry,
        };
      }
      this.#l1.release([token]);
      return turn;
    });
  }

  /** Goes on without the shared tier, which fails: what is loaded is kept here, for a while. */
  #beginAlone(own: readonly FillStart[], begunAt: number): readonly FillStart[] {
    return own.map(({ token, entry }) => ({
      token: new TieredToken(token.key, token, undefined, begunAt),
      entry: entry !== undefined && this.#reads.isServed(entry) ? entry : undefined,
    }));
  }

  #now(): number {
    return this.#parts.context.clock.now();
  }
}
