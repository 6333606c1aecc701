import type {
  BackendStore,
  CallOptions,
  EntryOutline,
  EntryWrite,
  FillStart,
  FillToken,
  LoadTurn,
  ReadHints,
  ReleaseOptions,
  ScanPage,
  ScanRequest,
  StoreOutcome,
  TurnHints,
} from '../../cache/backend.js';
import type { StoredEntry } from '../../cache/entry.js';
import type { KeyPattern } from '../../cache/key-pattern.js';
import type { MaybePromise } from '../../cache/maybe-promise.js';
import { RELEASE } from './fill-scripts.js';
import type { KeyWalk } from './key-walk.js';
import type { LeasedStore, RedisLeases } from './redis-leases.js';
import type { RedisLike } from './redis-like.js';
import { WATCH_MARK } from './redis-lua.js';
import { outlinesOf } from './redis-outlines.js';
import { chunks, type RedisFillToken, type RedisStoreParts } from './redis-parts.js';
import { RedisReads } from './redis-reads.js';
import { runScript } from './redis-script.js';
import { RedisWriter } from './redis-writer.js';
import { groupKeys, type StoreSite } from './store-site.js';

/** Keys that one script begins or releases, so that it does not keep other clients waiting. */
export const KEYS_PER_FILL_SCRIPT = 250;

/** What the stores of one server and of a Cluster share: everything but what their scripts do differently. */
export abstract class StoredOnRedis implements BackendStore {
  protected readonly parts: RedisStoreParts;
  protected readonly reads: RedisReads;
  readonly #site: StoreSite;
  readonly #writer: RedisWriter;
  readonly #walk: KeyWalk;
  readonly #leases: RedisLeases;
  readonly #leased: LeasedStore = {
    groupsOf: (keys) =>
      groupKeys(this.#site, keys).flatMap(({ parts: { generation, keys: layout }, keys: names }) =>
        chunks(names, KEYS_PER_FILL_SCRIPT).map((part) => ({
          generationKey: generation.key,
          // Where scripts do not see tags, readers compare them.
          tagPrefix: this.#site.seesTags ? layout.tagPrefix : '',
          keys: part,
        })),
      ),
    nameOf: (key) => this.#site.partsOf(key).generation.entryPrefix + key,
    begin: (client, keys, hints) => this.beginIn(client, keys, hints),
    release: (tokens) => this.release(tokens),
  };

  /** @param parts - of any place of the site */
  constructor(parts: RedisStoreParts, site: StoreSite, walk: KeyWalk, leases: RedisLeases) {
    this.parts = parts;
    this.reads = new RedisReads(parts, site);
    this.#site = site;
    this.#writer = new RedisWriter(parts, site);
    this.#walk = walk;
    this.#leases = leases;
  }

  get(key: string, hints?: ReadHints): Promise<StoredEntry | undefined> {
    return this.reads.get(key, hints);
  }

  getMany(
    keys: readonly string[],
    hints?: ReadHints,
  ): MaybePromise<readonly (StoredEntry | undefined)[]> {
    return keys.length === 0 ? [] : this.reads.getMany(keys, hints);
  }

  begin(keys: readonly string[], hints?: ReadHints): MaybePromise<readonly FillStart[]> {
    if (keys.length === 0) return [];
    return this.parts.connection.call(
      'begin',
      (client) => this.beginIn(client, keys, hints),
      (starts) => starts,
      hints,
    );
  }

  beginTurns(
    keys: readonly string[],
    hints?: TurnHints,
  ): MaybePromise<readonly (FillStart | LoadTurn)[]> {
    return keys.length === 0 ? [] : this.#leases.begin(this.#leased, keys, hints);
  }

  abstract watch(options?: CallOptions): Promise<FillToken>;

  /** Sent without waiting; a token that is not given back is forgotten after `fillTimeout`. */
  release(tokens: readonly FillToken[], options?: ReleaseOptions): void {
    const { connection } = this.parts;
    const ours = (tokens as readonly RedisFillToken[]).filter(
      ({ lineage }) => lineage !== undefined && !lineage.startsWith(WATCH_MARK),
    );
    if (ours.length === 0) return;
    if (!connection.isAvailable) return this.#leases.free(ours, options);
    const tokenKeys = ours.map(({ key }) => key);
    connection
      .call(
        'release',
        (client) =>
          Promise.all(
            groupKeys(this.#site, tokenKeys).flatMap(({ parts: { generation }, indexes }) =>
              chunks(indexes, KEYS_PER_FILL_SCRIPT).map((part) =>
                runScript(
                  client,
                  RELEASE,
                  part.map((index) => generation.entryPrefix + ours[index]!.key),
                  part.map((index) => ours[index]!.lineage),
                ),
              ),
            ),
          ),
        () => undefined,
      )
      .catch(() => undefined);
    this.#leases.free(ours, options);
  }

  store(
    writes: readonly EntryWrite[],
    options?: CallOptions,
  ): MaybePromise<readonly StoreOutcome[]> {
    if (writes.length === 0) return [];
    const tokens = writes.flatMap(({ fence }) => (fence.kind === 'set' ? [] : [fence.token]));
    return this.#leases.freeAfter(tokens, this.#writer.store(writes, options));
  }

  delete(keys: readonly string[], options?: CallOptions): MaybePromise<number> {
    if (keys.length === 0) return 0;
    for (const key of keys) this.parts.pendingSets.overtake(key);
    return this.#walk.delete(keys, options);
  }

  deletePattern(pattern: KeyPattern, options?: CallOptions): Promise<number> {
    this.parts.pendingSets.overtakeAll();
    return this.#walk.deletePattern(pattern, options);
  }

  abstract clear(options?: CallOptions): Promise<void>;

  abstract expire(
    key: string,
    ttlMs: number,
    retainMs: number,
    options?: CallOptions,
  ): Promise<boolean>;

  touch(key: string, retainMs: number): void {
    const { connection, generation } = this.#site.partsOf(key);
    if (!connection.isAvailable) return;
    connection
      .call(
        'touch',
        (client) => client.pexpire(generation.entryPrefix + key, Math.ceil(retainMs)),
        () => undefined,
      )
      .catch(() => undefined);
  }

  scan(request: ScanRequest): Promise<ScanPage> {
    return this.#walk.scan(request);
  }

  outlines(
    keys: readonly string[],
    options?: CallOptions,
  ): MaybePromise<readonly (EntryOutline | undefined)[]> {
    return keys.length === 0 ? [] : outlinesOf(this.parts, this.#site, keys, options);
  }

  /** Takes the tokens of keys, wherever they lie. */
  protected abstract beginIn(
    client: RedisLike,
    keys: readonly string[],
    hints: ReadHints | undefined,
  ): Promise<readonly FillStart[]>;
}
