import { isOutage } from '../../cache/store-failure.js';
import { hashSlot } from './hash-slot.js';
import type { LeaseTurns } from './lease-turns.js';
import type { RedisConnection } from './redis-connection.js';
import { isReplyError } from './redis-errors.js';
import type { RedisLike } from './redis-like.js';

/** What the watch needs to know. */
export interface TurnWatchSettings {
  readonly connection: RedisConnection;
  readonly turns: LeaseTurns;
  readonly commandTimeoutMs: number;
}

/**
 * Asks for a sign of life while loads of others are waited for. A Redis that has frozen, or whose network swallows
 * everything, tells nobody that a load has ended, and those who wait would wait for their timers.
 *
 * One `PING` serves all who wait, on a Cluster one command for each master that they wait for; it is sent after half a
 * command timeout of waiting, and again as often. So a short wait costs none, and a long one the same for one waiter and
 * for a thousand: they do not poll. Without an answer within the command timeout the turns fail, and their callers have
 * waited for the store as long as a call may.
 */
export class TurnWatch {
  readonly #settings: TurnWatchSettings;
  #timer: NodeJS.Timeout | undefined;
  #isAsking = false;

  constructor(settings: TurnWatchSettings) {
    this.#settings = settings;
  }

  /** Somebody begins to wait. */
  start(): void {
    const everyMs = Math.max(1, this.#settings.commandTimeoutMs / 2);
    this.#timer ??= setInterval(() => this.#look(), everyMs).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const { connection, turns } = this.#settings;
    if (turns.size === 0) return this.close();
    if (this.#isAsking) return;
    this.#isAsking = true;
    const unknown = new Set(turns.names());
    connection
      .call(
        'a sign of life for those who wait',
        (client) => this.#ask(client, unknown),
        () => undefined,
      )
      .catch((error: unknown) => {
        if (isOutage(error)) for (const name of unknown) turns.fail(name, error);
      })
      .finally(() => (this.#isAsking = false));
  }

  /** Asks each master. One master's silence says nothing of the others: what is waited for there goes out of the set. */
  async #ask(client: RedisLike, unknown: Set<string>): Promise<void> {
    let failure: Error | undefined;
    const asking = [...groupByMaster(client, unknown)].map(async (names) => {
      try {
        // On a Cluster, a command that finds the master, and counts for its circuit breaker.
        await (client.isCluster === true ? client.callBuffer('exists', names[0]!) : client.ping());
      } catch (error) {
        // A refusal is a sign of life, too.
        if (!isReplyError(error)) {
          failure = error as Error;
          return;
        }
      }
      for (const name of names) unknown.delete(name);
    });
    await Promise.all(asking);
    if (failure !== undefined) throw failure;
  }
}

function groupByMaster({ slots }: RedisLike, keys: Iterable<string>): Iterable<readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const key of keys) {
    const master = slots?.[hashSlot(key)]?.[0] ?? '';
    const group = groups.get(master);
    if (group === undefined) groups.set(master, [key]);
    else group.push(key);
  }
  return groups.values();
}
