import type { CallOptions, FillStart, FillToken, ReadHints } from '../../cache/backend.js';
import { BEGIN, WATCH } from './fill-scripts.js';
import { CLEAR } from './invalidation-scripts.js';
import { changeExpiry } from './redis-expiry.js';
import { RedisKeyWalk } from './redis-key-walk.js';
import type { RedisLeases } from './redis-leases.js';
import type { RedisLike } from './redis-like.js';
import { WATCH_MARK } from './redis-lua.js';
import { chunks, newLineage, type RedisFillToken, type RedisStoreParts } from './redis-parts.js';
import { runScript } from './redis-script.js';
import { confirmOnReplicas } from './redis-wait.js';
import { serverSite } from './store-site.js';
import { KEYS_PER_FILL_SCRIPT, StoredOnRedis } from './stored-on-redis.js';

/** Generation, sequence and time stand before the entries in what `begin` answers. */
const REPLY_HEAD = 3;

/** One cache's entries in Redis. */
export class RedisStore extends StoredOnRedis {
  readonly #onClear: (generationKey: string) => void;

  /** @param onClear - told when the entries of a cache have become void and can be freed */
  constructor(
    parts: RedisStoreParts,
    onClear: (generationKey: string) => void,
    leases: RedisLeases,
  ) {
    super(parts, serverSite(parts), new RedisKeyWalk(parts), leases);
    this.#onClear = onClear;
  }

  watch(options?: CallOptions): Promise<FillToken> {
    const { connection, generation, keys, stamp, fillTimeoutMs } = this.parts;
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

  async clear(options?: CallOptions): Promise<void> {
    const { connection, generation, keys, pendingSets, stamp, wait } = this.parts;
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
    return changeExpiry(this.parts, key, ttlMs, retainMs, options);
  }

  protected async beginIn(
    client: RedisLike,
    keys: readonly string[],
    hints: ReadHints | undefined,
  ): Promise<readonly FillStart[]> {
    const parts = chunks(keys, KEYS_PER_FILL_SCRIPT).map((part) =>
      this.#begin(client, part, hints),
    );
    return (await Promise.all(parts)).flat();
  }

  async #begin(
    client: RedisLike,
    keys: readonly string[],
    hints: ReadHints | undefined,
  ): Promise<readonly FillStart[]> {
    const { generation, keys: layout, stamp, fillTimeoutMs } = this.parts;
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
    const times = this.reads.times(client, keys, hints);
    const reply = (await script) as (Buffer | null)[];
    const [current, sequence, serverMs] = reply.slice(0, REPLY_HEAD).map(Number);
    generation.value = current!;
    stamp.learn(sequence!, serverMs!);
    const values = keys.map((_, index) => reply[REPLY_HEAD + 2 * index] ?? null);
    const entries = await this.reads.liveEntries(client, keys, values, hints, times);
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
