import { createHash } from 'node:crypto';
import type { CommandArea } from '../cache/backend.js';
import type { CacheManager } from '../manager/cache-manager.js';
import { joinCounters, type NamedCounters, type Quota } from './rate-limit-counters.js';
import {
  loadRateLimitRedis,
  type RateLimitCount,
  type RateLimitStoreLike,
} from './rate-limit-peers.js';

/**
 * The counters of one limiter: on the server behind the manager's backend where there is one, shared by all processes and
 * in an area that no invalidation reaches, else in this process.
 *
 * Which one it is turns out at the first request, for the manager may not be there before.
 */
export class RateLimitStore implements RateLimitStoreLike {
  /** For the check against counting twice: two limiters differ by it. */
  readonly prefix: string;
  readonly #quota: Quota;
  readonly #manager: () => CacheManager;
  readonly #failures = new WeakSet<object>();
  #joined: { readonly manager: CacheManager; readonly counters: NamedCounters } | undefined;
  #shared: RateLimitStoreLike | undefined;

  constructor(quota: Quota, manager: () => CacheManager) {
    this.prefix = `${quota.name}:`;
    this.#quota = quota;
    this.#manager = manager;
  }

  /**
   * Finds the manager as it is now, and takes part in its counters.
   *
   * @throws {@link InvalidOptionError} when another limiter of the manager has the name with another rate
   * @throws {@link CacheConfigurationError} when there is something to install, or no manager
   */
  join(): void {
    this.#counters();
  }

  async get(key: string): Promise<RateLimitCount | undefined> {
    const count = await this.#counters().get!(digest(key));
    return count === undefined || count.totalHits === 0 ? undefined : count;
  }

  async increment(key: string): Promise<RateLimitCount> {
    try {
      return await this.#counters().increment(digest(key));
    } catch (error) {
      if (typeof error === 'object' && error !== null) this.#failures.add(error);
      throw error;
    }
  }

  /** Whether an error is why a request could not be counted. */
  hasFailedBy(error: unknown): boolean {
    return typeof error === 'object' && error !== null && this.#failures.has(error);
  }

  async decrement(key: string): Promise<void> {
    await this.#counters().decrement(digest(key));
  }

  async resetKey(key: string): Promise<void> {
    await this.#counters().resetKey(digest(key));
  }

  #counters(): RateLimitStoreLike {
    const manager = this.#manager();
    // A container whose backend is closed gives another closed manager each time: counts must not begin anew with each.
    if (this.#joined === undefined || (this.#joined.manager !== manager && !manager.isClosed)) {
      this.#joined = { manager, counters: joinCounters(manager, this.#quota) };
      this.#shared = undefined;
    }
    if (this.#shared !== undefined) return this.#shared;
    const area = this.#joined.manager.backend.openArea?.('limit');
    if (area === undefined) return this.#joined.counters.local();
    this.#shared = this.#inArea(area);
    void this.#shared.init?.({ windowMs: this.#quota.windowMs });
    return this.#shared;
  }

  #inArea(area: CommandArea): RateLimitStoreLike {
    const { RedisStore } = loadRateLimitRedis();
    return new RedisStore({
      prefix: `${area.prefix}${this.#quota.name}:`,
      sendCommand: scriptSender(area),
    });
  }
}

/**
 * Sends commands, and scripts where the server does not know them yet.
 *
 * The store wants to load its scripts once, when it is made: were the server away at that moment, it would never count
 * again. So nothing is loaded; a script that a server does not have is sent in full, to whichever node it is for.
 */
function scriptSender(area: CommandArea): (...command: string[]) => Promise<unknown> {
  const scripts = new Map<string, string>();
  return async (command, ...rest) => {
    if (command === 'SCRIPT') {
      const sha = createHash('sha1').update(rest[1]!).digest('hex');
      scripts.set(sha, rest[1]!);
      return sha;
    }
    try {
      return await area.call(command!, ...rest);
    } catch (error) {
      const script = command === 'EVALSHA' && isNoScript(error) ? scripts.get(rest[0]!) : undefined;
      if (script === undefined) throw error;
      return area.call('EVAL', script, ...rest.slice(1));
    }
  };
}

/** The backend's own error has what the server said as its cause. */
function isNoScript(error: unknown): boolean {
  const { cause } = error as { readonly cause?: { readonly message?: unknown } };
  return String(cause?.message).startsWith('NOSCRIPT');
}

/** Clients may be known by a token or an address, which nobody is to read from a key. */
function digest(key: string): string {
  return createHash('sha256').update(key).digest('base64url').slice(0, 22);
}
