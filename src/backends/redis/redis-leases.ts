import { randomBytes } from 'node:crypto';
import type {
  FillStart,
  FillToken,
  LoadTurn,
  ReleaseOptions,
  TurnHints,
} from '../../cache/backend.js';
import type { MaybePromise } from '../../cache/maybe-promise.js';
import { CacheBackendError, type CacheError } from '../../errors.js';
import type { PendingCall } from './call-deadlines.js';
import { HeldLeases, type HeldLease, type LeasedToken } from './held-leases.js';
import { ENTRY_IS_THERE, TAKE } from './lease-scripts.js';
import { LeaseTurns, type LeaseTurn } from './lease-turns.js';
import type { RedisConnection } from './redis-connection.js';
import type { RedisLike } from './redis-like.js';
import type { RedisFillToken } from './redis-parts.js';
import { runScript } from './redis-script.js';
import { RedisSubscriber } from './redis-subscriber.js';
import { TurnWatch } from './turn-watch.js';

/** What the leases of a backend need to know. */
export interface RedisLeasesSettings {
  readonly connection: RedisConnection;
  /** The client of that connection; the subscribing one is made like it. */
  readonly provide: () => MaybePromise<RedisLike>;
  /** What stands before the names of the processes' own channels. */
  readonly channels: string;
  readonly leaseMs: number;
  readonly commandTimeoutMs: number;
  /** How long a token lives; a lease is not renewed for longer. */
  readonly fillTimeoutMs: number;
  /** Whether a second connection may be opened; without it waiters have only their timers. */
  readonly maySubscribe: boolean;
  /** Told when waiters cannot be woken by messages, once until they can. */
  readonly onError: (error: CacheError) => void;
}

/** Keys of a cache that one script can look at: on a Cluster, those of one slot. */
export interface LeaseGroup {
  readonly generationKey: string;
  /** `''` where readers compare tags themselves. */
  readonly tagPrefix: string;
  readonly keys: readonly string[];
}

/** What the leases need of a cache's store. */
export interface LeasedStore {
  groupsOf(keys: readonly string[]): readonly LeaseGroup[];
  /** The key of an entry in Redis. */
  nameOf(key: string): string;
  begin(
    client: RedisLike,
    keys: readonly string[],
    hints: TurnHints | undefined,
  ): Promise<readonly FillStart[]>;
  release(tokens: readonly FillToken[]): void;
}

/** What asking for leases has brought. */
interface Taken {
  readonly turns: Map<string, LeaseTurn>;
  readonly granted: Map<string, HeldLease>;
  /** Keys whose entry is there, so that nobody is to load them. */
  readonly there: string[];
}

type Answers = Map<string, FillStart | LoadTurn>;

/** The most that a call waits for the subscription. In milliseconds. */
const SUBSCRIBING_MS = 100;

/**
 * Which process may load a key (`sync: 'cluster'`, promise P2).
 *
 * Whoever comes first gets the key's lease and renews it until its token is stored or given back. The others leave the
 * name of their process at the lease and wait for a message on their own channel, with one timer at the lease's end in
 * case that none comes; they ask Redis nothing meanwhile. A holder that died renews nothing: whoever looks first after
 * the end takes the lease over, which voids the token of the dead one, so that it cannot store should it come back to
 * life.
 *
 * The channel is subscribed before a lease is asked for. When the subscription is interrupted, and when it is active
 * again, all who wait look for themselves, for a message may have been missed. While somebody waits, Redis is asked
 * for a sign of life; see `TurnWatch`.
 *
 * (The lease is that of "Scaling Memcache at Facebook", with waiters that are told instead of told to come again.)
 */
export class RedisLeases {
  readonly #settings: RedisLeasesSettings;
  readonly #process: string = randomBytes(9).toString('base64url');
  readonly #channels: string;
  readonly #subscriber: RedisSubscriber | undefined;
  readonly #turns = new LeaseTurns();
  readonly #watch: TurnWatch;
  readonly #held: HeldLeases;
  #grants = 0;
  #isClosed = false;

  constructor(settings: RedisLeasesSettings) {
    const { connection, provide, channels, leaseMs, fillTimeoutMs, commandTimeoutMs } = settings;
    this.#settings = settings;
    this.#channels = channels;
    this.#watch = new TurnWatch({ connection, turns: this.#turns, commandTimeoutMs });
    this.#held = new HeldLeases({ connection, channels, leaseMs, fillTimeoutMs });
    if (!settings.maySubscribe) return;
    this.#subscriber = new RedisSubscriber({
      place: connection.place,
      channel: this.#channels + this.#process,
      // The scripts publish, and a script cannot reach a shard other than its own.
      prefersSharded: false,
      provide,
      onMessage: (text) => this.#turns.receive(text),
      onSubscribed: () => this.#turns.endAll(),
      onInterrupted: (error) => {
        this.#turns.endAll();
        settings.onError(error);
      },
    });
  }

  /**
   * See `BackendStore.beginTurns`. Rejects as `begin` does, and then leaves no lease behind, as far as Redis answers.
   */
  begin(
    store: LeasedStore,
    keys: readonly string[],
    hints?: TurnHints,
  ): Promise<readonly (FillStart | LoadTurn)[]> {
    return this.#settings.connection.call(
      'beginTurns',
      (client, call) => this.#begin(store, client, call, keys, hints),
      (turns) => turns,
      hints,
    );
  }

  /** Ends the leases that tokens came with, and wakes who waits for them. */
  free(tokens: readonly FillToken[], options?: ReleaseOptions): void {
    this.#held.end(this.#held.of(tokens), options);
  }

  /** The same once a promise has settled, which is passed on: waiters are to find what it stores. */
  freeAfter<Result>(
    tokens: readonly FillToken[],
    result: MaybePromise<Result>,
  ): MaybePromise<Result> {
    const leases = this.#held.of(tokens);
    if (leases.length === 0) return result;
    const end = (): void => this.#held.end(leases);
    if (result instanceof Promise) result.then(end, end);
    else end();
    return result;
  }

  /** Lets all who wait look for themselves: Redis is out of reach, and tells nobody that a load has ended. */
  wake(): void {
    this.#turns.endAll();
  }

  /** Ends all leases, so that others need not wait for them, and lets go of connection and timers. */
  close(): void {
    this.#isClosed = true;
    this.#held.close();
    this.#watch.close();
    this.#subscriber?.close();
    this.#turns.endAll();
  }

  async #begin(
    store: LeasedStore,
    client: RedisLike,
    call: PendingCall,
    keys: readonly string[],
    hints: TurnHints | undefined,
  ): Promise<readonly (FillStart | LoadTurn)[]> {
    const { commandTimeoutMs } = this.#settings;
    const subscribing = this.#subscriber?.settled(Math.min(SUBSCRIBING_MS, commandTimeoutMs / 4));
    if (subscribing !== undefined) await subscribing;
    const answers: Answers = new Map();
    try {
      const isRefresh = hints?.isRefresh === true;
      const left = await this.#round(store, client, call, keys, hints, isRefresh, answers);
      // An entry that is there for the script may be void for its reader, by a tag in another slot, or gone by now.
      // Those keys are asked for once more, whatever is there.
      if (left.length > 0) await this.#round(store, client, call, left, hints, true, answers);
    } catch (error) {
      this.#takeBack(store, answers);
      throw error;
    }
    if (this.#isClosed) this.#turns.endAll();
    return keys.map((key) => answers.get(key)!);
  }

  /**
   * Asks for leases, begins the fills of what was granted or is there, and gives the keys that nobody may load yet.
   *
   * @param isForced - whether to ask for the lease of an entry that is there, too
   */
  async #round(
    store: LeasedStore,
    client: RedisLike,
    call: PendingCall,
    keys: readonly string[],
    hints: TurnHints | undefined,
    isForced: boolean,
    answers: Answers,
  ): Promise<readonly string[]> {
    const taken: Taken = { turns: new Map(), granted: new Map(), there: [] };
    try {
      const asking = store
        .groupsOf(keys)
        .map((group) => this.#take(store, client, group, isForced, taken));
      // All of them, for what is granted after another one has failed must be given back.
      const failed = (await Promise.allSettled(asking)).find(({ status }) => status === 'rejected');
      if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
      expectWaiting(call);
      const begun = [...taken.granted.keys(), ...taken.there];
      const starts = begun.length === 0 ? [] : await store.begin(client, begun, hints);
      for (const [key, turn] of taken.turns) answers.set(key, turn);
      const left = this.#accept(store, starts, taken, hints?.isRefresh === true, answers);
      expectWaiting(call);
      return left;
    } catch (error) {
      for (const turn of taken.turns.values()) turn.cancel();
      this.#held.end([...taken.granted.values()]);
      throw error;
    }
  }

  async #take(
    store: LeasedStore,
    client: RedisLike,
    { generationKey, tagPrefix, keys }: LeaseGroup,
    isForced: boolean,
    taken: Taken,
  ): Promise<void> {
    const asked = keys.map((key) => {
      const turn = this.#turns.add(store.nameOf(key));
      taken.turns.set(key, turn);
      return { key, turn, grant: `${this.#process}.${++this.#grants}` };
    });
    const takenAt = performance.now();
    const reply = (await runScript(
      client,
      TAKE,
      [generationKey, ...asked.map(({ turn }) => turn.name)],
      [
        this.#channels,
        tagPrefix,
        String(this.#settings.leaseMs),
        this.#held.keptMs,
        isForced ? '1' : '0',
        this.#process,
        ...asked.map(({ grant }) => grant),
      ],
    )) as unknown[];
    asked.forEach(({ key, turn, grant }, index) => {
      const leftMs = Number(reply[index]);
      if (leftMs > 0) {
        this.#watch.start();
        return turn.waitFor(leftMs);
      }
      turn.cancel();
      taken.turns.delete(key);
      if (leftMs === ENTRY_IS_THERE) return void taken.there.push(key);
      const lease: HeldLease = { grant, name: turn.name, generationKey, takenAt };
      taken.granted.set(key, lease);
      this.#held.add(lease);
    });
  }

  /** Sorts what the fills began with; gives the keys whose entry turned out not to be there. */
  #accept(
    store: LeasedStore,
    starts: readonly FillStart[],
    { granted }: Taken,
    isRefresh: boolean,
    answers: Answers,
  ): readonly string[] {
    const absent: FillToken[] = [];
    const needless: HeldLease[] = [];
    for (const start of starts) {
      const { token, entry } = start;
      const lease = granted.get(token.key);
      if (lease !== undefined && (entry === undefined || isRefresh)) {
        const leased: LeasedToken = { ...(token as RedisFillToken), grant: lease.grant };
        answers.set(token.key, { token: leased, entry });
      } else if (entry === undefined) {
        absent.push(token);
      } else {
        // Another process stored it before this one was granted the lease.
        if (lease !== undefined) needless.push(lease);
        answers.set(token.key, start);
      }
    }
    this.#held.end(needless);
    if (absent.length > 0) store.release(absent);
    return absent.map(({ key }) => key);
  }

  /** Gives back what a call got that fails as a whole. */
  #takeBack(store: LeasedStore, answers: Answers): void {
    const tokens: FillToken[] = [];
    for (const answer of answers.values()) {
      if ('token' in answer) tokens.push(answer.token);
      else answer.cancel();
    }
    if (tokens.length > 0) store.release(tokens);
  }
}

/** What nobody waits for any more must not keep others waiting: the caller has gone on without it. */
function expectWaiting(call: PendingCall): void {
  if (call.isSettled) throw new CacheBackendError('The call was given up.');
}
