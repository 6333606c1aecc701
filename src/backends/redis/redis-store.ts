import type {
  BackendStore,
  CallOptions,
  EntryWrite,
  FillStart,
  FillToken,
  LoadTurn,
  ReadHints,
  ScanPage,
  ScanRequest,
  StoreOutcome,
  TurnHints,
} from '../../cache/backend.js';
import type { StoredEntry } from '../../cache/entry.js';
import type { KeyPattern } from '../../cache/key-pattern.js';
import type { MaybePromise } from '../../cache/maybe-promise.js';
import type { LeasedStore, RedisLeases } from './redis-leases.js';
import type { RedisLike } from './redis-like.js';
import { RedisKeyWalk } from './redis-key-walk.js';
import { WATCH_MARK } from './redis-lua.js';
import { chunks, newLineage, type RedisFillToken, type RedisStoreParts } from './redis-parts.js';
import { RedisReads } from './redis-reads.js';
import { changeExpiry } from './redis-expiry.js';
import { BEGIN, RELEASE, WATCH } from './fill-scripts.js';
import { CLEAR } from './invalidation-scripts.js';
import { runScript } from './redis-script.js';
import { serverSite } from './store-site.js';
import { confirmOnReplicas } from './redis-wait.js';
import { RedisWriter } from './redis-writer.js';

const KEYS_PER_BEGIN = 250;
/** Generation, sequence and time stand before the entries in what `begin` answers. */
const REPLY_HEAD = 3;

/** One cache's entries in Redis. */
export class RedisStore implements BackendStore {
  readonly #parts: RedisStoreParts;
  readonly #reads: RedisReads;
  readonly #writer: RedisWriter;
  readonly #walk: RedisKeyWalk;
  readonly #onClear: (generationKey: string) => void;
  readonly #leases: RedisLeases;
  readonly #leased: LeasedStore = {
    groupsOf: (keys) =>
      chunks(keys, KEYS_PER_BEGIN).map((part) => ({
        generationKey: this.#parts.generation.key,
        tagPrefix: this.#parts.keys.tagPrefix,
        keys: part,
      })),
    nameOf: (key) => this.#parts.generation.entryPrefix + key,
    begin: async (client, keys, hints) => {
      const parts = chunks(keys, KEYS_PER_BEGIN).map((part) => this.#begin(client, part, hints));
      return (await Promise.all(parts)).flat();
    },
    release: (tokens) => this.release(tokens),
  };

  /** @param onClear - told when the entries of a cache have become void and can be freed */
  constructor(
    parts: RedisStoreParts,
    onClear: (generationKey: string) => void,
    leases: RedisLeases,
  ) {
    this.#parts = parts;
    this.#leases = leases;
    const site = serverSite(parts);
    this.#reads = new RedisReads(parts, site);
    this.#writer = new RedisWriter(parts, site);
    this.#walk = new RedisKeyWalk(parts);
    this.#onClear = onClear;
  }

  get(key: string, hints?: ReadHints): Promise<StoredEntry | undefined> {
    return this.#reads.get(key, hints);
  }

  getMany(
    keys: readonly string[],
    hints?: ReadHints,
  ): MaybePromise<readonly (StoredEntry | undefined)[]> {
    return keys.length === 0 ? [] : this.#reads.getMany(keys, hints);
  }

  begin(keys: readonly string[], hints?: ReadHints): MaybePromise<readonly FillStart[]> {
    if (keys.length === 0) return [];
    return this.#parts.connection.call(
      'begin',
      async (client) => {
        const parts = chunks(keys, KEYS_PER_BEGIN).map((part) => this.#begin(client, part, hints));
        return (await Promise.all(parts)).flat();
      },
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

  watch(options?: CallOptions): Promise<FillToken> {
    const { connection, generation, keys, stamp, fillTimeoutMs } = this.#parts;
    return connection.call(
      'watch',
      (client) =>
        runScript(
          client,
          WATCH,
          [generation.key, keys.sequence, keys.registry],
          [String(fillTimeoutMs), String(stamp.highest)],
        ),
      (reply): RedisFillToken => {
        const [current, sequence, serverMs, watched] = (reply as unknown[]).map(Number);
        generation.value = current!;
        stamp.learn(sequence!, serverMs!);
        return {
          key: '',
          sequence: sequence!,
          generation: current!,
          lineage: `${WATCH_MARK}${watched}`,
        };
      },
      options,
    );
  }

  /** Sent without waiting; a token that is not given back is forgotten after `fillTimeout`. */
  release(tokens: readonly FillToken[]): void {
    const { connection, generation } = this.#parts;
    const ours = (tokens as readonly RedisFillToken[]).filter(
      ({ lineage }) => lineage !== undefined && !lineage.startsWith(WATCH_MARK),
    );
    if (ours.length === 0) return;
    if (!connection.isAvailable) return this.#leases.free(ours);
    connection
      .call(
        'release',
        (client) =>
          Promise.all(
            chunks(ours, KEYS_PER_BEGIN).map((part) =>
              runScript(
                client,
                RELEASE,
                part.map(({ key }) => generation.entryPrefix + key),
                part.map(({ lineage }) => lineage),
              ),
            ),
          ),
        () => undefined,
      )
      .catch(() => undefined);
    this.#leases.free(ours);
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
    for (const key of keys) this.#parts.pendingSets.overtake(key);
    return this.#walk.delete(keys, options);
  }

  deletePattern(pattern: KeyPattern, options?: CallOptions): Promise<number> {
    this.#parts.pendingSets.overtakeAll();
    return this.#walk.deletePattern(pattern, options);
  }

  async clear(options?: CallOptions): Promise<void> {
    const { connection, generation, keys, pendingSets, stamp, wait } = this.#parts;
    pendingSets.overtakeAll();
    await connection.call(
      'clear',
      async (client, call) => {
        const names = [generation.key, keys.sequence, keys.registry];
        const reply = await runScript(client, CLEAR, names, [String(stamp.highest)]);
        await confirmOnReplicas(client, wait, call);
        return Number(reply);
      },
      (current) => {
        generation.value = current;
        stamp.note(current);
      },
      options,
    );
    this.#onClear(generation.key);
  }

  expire(key: string, ttlMs: number, retainMs: number, options?: CallOptions): Promise<boolean> {
    return changeExpiry(this.#parts, key, ttlMs, retainMs, options);
  }

  touch(key: string, retainMs: number): void {
    const { connection, generation } = this.#parts;
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

  async #begin(
    client: RedisLike,
    keys: readonly string[],
    hints: ReadHints | undefined,
  ): Promise<readonly FillStart[]> {
    const { generation, keys: layout, stamp, fillTimeoutMs } = this.#parts;
    const tags = hints?.tags ?? [];
    const script = runScript(
      client,
      BEGIN,
      [
        generation.key,
        layout.sequence,
        layout.registry,
        ...keys.map((key) => generation.entryPrefix + key),
      ],
      [
        layout.tagPrefix,
        String(fillTimeoutMs),
        String(tags.length),
        ...tags,
        ...keys.map(() => String(newLineage())),
        String(stamp.highest),
      ],
    );
    const times = this.#reads.times(client, keys, hints);
    const reply = (await script) as (Buffer | null)[];
    const [current, sequence, serverMs] = reply.slice(0, REPLY_HEAD).map(Number);
    generation.value = current!;
    stamp.learn(sequence!, serverMs!);
    const values = keys.map((_, index) => reply[REPLY_HEAD + 2 * index] ?? null);
    const entries = await this.#reads.liveEntries(client, keys, values, hints, times);
    return keys.map((key, index): FillStart => {
      const lineage = String(reply[REPLY_HEAD + 2 * index + 1]);
      const token: RedisFillToken = {
        key,
        sequence: sequence!,
        generation: current!,
        lineage,
        claim: `${current} ${lineage}`,
      };
      return { token, entry: entries[index] };
    });
  }
}
