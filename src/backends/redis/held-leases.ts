import type { FillToken, ReleaseOptions } from '../../cache/backend.js';
import { FREE, OVER, RENEW, UNSHARED } from './lease-scripts.js';
import type { RedisConnection } from './redis-connection.js';
import { chunks, type RedisFillToken } from './redis-parts.js';
import { runScript } from './redis-script.js';

/** What renewing and ending leases needs to know. */
export interface HeldLeasesSettings {
  readonly connection: RedisConnection;
  /** What stands before the names of the processes' own channels. */
  readonly channels: string;
  readonly leaseMs: number;
  /** How long a token lives; a lease is not renewed for longer. */
  readonly fillTimeoutMs: number;
}

/** A lease of this process. */
export interface HeldLease {
  /** The name that stands in the lease; no other lease ever has it. */
  readonly grant: string;
  /** The entry's key in Redis. */
  readonly name: string;
  /** Of the entry's cache; on a Cluster, in the entry's slot. */
  readonly generationKey: string;
  /** By `performance.now()`. */
  readonly takenAt: number;
}

/** A token whose holder has its key's lease. */
export interface LeasedToken extends RedisFillToken {
  readonly grant?: string | undefined;
}

const LEASES_PER_SCRIPT = 250;

/** The leases that this process holds: renewed every third of their length until they are ended. */
export class HeldLeases {
  readonly #settings: HeldLeasesSettings;
  readonly #leases = new Map<string, HeldLease>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(settings: HeldLeasesSettings) {
    this.#settings = settings;
  }

  /** How long Redis keeps the record of a lease, in milliseconds: after that its token is void by itself. */
  get keptMs(): string {
    return String(Math.ceil(this.#settings.leaseMs + this.#settings.fillTimeoutMs));
  }

  add(lease: HeldLease): void {
    this.#leases.set(lease.grant, lease);
    if (this.#isClosed) return;
    this.#timer ??= setInterval(() => this.#renew(), this.#settings.leaseMs / 3).unref();
  }

  /** The leases that the tokens came with, as far as they are still held. */
  of(tokens: readonly FillToken[]): readonly HeldLease[] {
    if (this.#leases.size === 0) return [];
    const leases: HeldLease[] = [];
    for (const { grant } of tokens as readonly LeasedToken[]) {
      const lease = grant === undefined ? undefined : this.#leases.get(grant);
      if (lease !== undefined) leases.push(lease);
    }
    return leases;
  }

  /** Ends leases and wakes who waits for them. Nobody waits for it: a lease whose end is lost ends by itself. */
  end(leases: readonly HeldLease[], { isUnshared }: ReleaseOptions = {}): void {
    const { connection, channels } = this.#settings;
    const end = String(isUnshared === true ? UNSHARED : OVER);
    for (const lease of leases) this.#drop(lease);
    if (leases.length === 0 || !connection.isAvailable) return;
    connection
      .call(
        'the end of leases',
        (client) =>
          this.#perScript(leases, (names, grants) =>
            runScript(client, FREE, names, [channels, end, ...grants]),
          ),
        () => undefined,
      )
      .catch(() => undefined);
  }

  /** Ends all, and renews nothing more. */
  close(): void {
    this.#isClosed = true;
    this.end([...this.#leases.values()]);
  }

  #drop({ grant }: HeldLease): void {
    this.#leases.delete(grant);
    if (this.#leases.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #renew(): void {
    const { connection, channels, leaseMs, fillTimeoutMs } = this.#settings;
    const oldest = performance.now() - fillTimeoutMs;
    for (const lease of this.#leases.values()) if (lease.takenAt < oldest) this.#drop(lease);
    const leases = [...this.#leases.values()];
    if (leases.length === 0 || !connection.isAvailable) return;
    connection
      .call(
        'the renewal of leases',
        (client) =>
          this.#perScript(leases, async (names, grants, part) => {
            const args = [channels, String(leaseMs), this.keptMs, ...grants];
            const reply = (await runScript(client, RENEW, names, args)) as unknown[];
            part.forEach((lease, index) => {
              if (Number(reply[index]) === 0) this.#drop(lease);
            });
          }),
        () => undefined,
      )
      // The next renewal tries again; a lease that ends meanwhile may be taken over.
      .catch(() => undefined);
  }

  /** Sends a script for the leases of each slot, side by side. */
  #perScript(
    leases: readonly HeldLease[],
    send: (
      names: readonly string[],
      grants: readonly string[],
      part: readonly HeldLease[],
    ) => Promise<unknown>,
  ): Promise<unknown> {
    const groups = new Map<string, HeldLease[]>();
    for (const lease of leases) {
      const group = groups.get(lease.generationKey);
      if (group === undefined) groups.set(lease.generationKey, [lease]);
      else group.push(lease);
    }
    return Promise.all(
      [...groups.values()].flatMap((group) =>
        chunks(group, LEASES_PER_SCRIPT).map((part) => {
          const names = part.map(({ name }) => name);
          const grants = part.map(({ grant }) => grant);
          return send(names, grants, part);
        }),
      ),
    );
  }
}
