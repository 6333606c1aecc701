import { CacheConnectionError } from '../../errors.js';
import { nodeName } from './cluster-masters.js';
import { hashSlot } from './hash-slot.js';
import { isReplyError } from './redis-errors.js';
import type { RedisLike, RedisLikeOptions } from './redis-like.js';

/** What the guard needs to know, and whom it tells. */
export interface GuardedClusterSettings {
  /** Where the Cluster is, for messages. */
  readonly place: string;
  readonly commandTimeoutMs: number;
  /** Whether the client is ours, so that a connection to a master may be cut. */
  readonly ownsClient: boolean;
  /** How long a probe may stay without an answer before the connection to its master is given up. */
  readonly patienceMs: number;
  /** A master does not answer, and its commands fail at once. Not told of a second one meanwhile. */
  readonly onSilent: (error: CacheConnectionError) => void;
  /** All masters answer again. */
  readonly onAnswering: () => void;
}

/** A command that waits for an answer. */
interface OpenCommand {
  readonly sentAt: number;
  /** A call that timed out was put down to it. */
  isCounted: boolean;
}

/** What is known of a master, by the name under which the client knows it. */
interface Master {
  readonly name: string;
  readonly open: Set<OpenCommand>;
  timeoutsInRow: number;
  /** Present: its commands fail with this, at once. */
  error: CacheConnectionError | undefined;
  /** A key of its slots, for probes. */
  key: string;
  /** When the probe under way was sent. */
  probedAt: number | undefined;
}

const TIMEOUTS_TO_SILENCE = 2;
/** How often a master that does not answer is tried. In milliseconds. */
const PROBE_INTERVAL_MS = 500;
/** What ioredis says of a command whose connection broke or could not be made. */
const CLOSED = /Connection is closed|Stream isn't writeable|Last error: \S* ?CLUSTERDOWN/;
/** Answers of a master that is there and serves nothing. */
const UNAVAILABLE = /^(CLUSTERDOWN|MASTERDOWN|LOADING) /;

/**
 * The client of a Cluster with a circuit breaker for each master.
 *
 * A master that leaves two calls in a row without an answer, or whose connection breaks, gets no more commands: they
 * fail at once, and those for the other masters are sent as ever. A command on one of its keys is tried in the
 * background twice a second, wherever the Cluster has moved that key meanwhile, and its answer closes the breaker. A
 * replica that takes over has another name, so it is asked as soon as the client knows of it.
 */
export class GuardedCluster implements RedisLike {
  readonly isCluster = true;
  readonly #client: RedisLike;
  readonly #settings: GuardedClusterSettings;
  readonly #masters = new Map<string, Master>();
  readonly #silent = new Set<Master>();
  /** Masters that left calls without an answer since one of them last answered. */
  readonly #row = new Set<Master>();
  #timer: NodeJS.Timeout | undefined;

  constructor(client: RedisLike, settings: GuardedClusterSettings) {
    this.#client = client;
    this.#settings = settings;
  }

  get status(): string {
    return this.#client.status ?? 'ready';
  }

  get options(): RedisLikeOptions {
    return this.#client.options ?? {};
  }

  get slots(): readonly (readonly string[] | undefined)[] | undefined {
    return this.#client.slots;
  }

  /** Why a master gets no commands; `undefined` when all do. */
  get fault(): CacheConnectionError | undefined {
    for (const { error } of this.#silent) return error;
    return undefined;
  }

  /**
   * Puts a call that got no answer in time down to the masters that owe one.
   *
   * @returns whether the Cluster as a whole is silent: several masters are, and none has answered since
   */
  noteTimeout(): boolean {
    const sentBefore = performance.now() - this.#settings.commandTimeoutMs / 2;
    for (const master of this.#masters.values()) {
      const command = firstUncounted(master, sentBefore);
      if (command === undefined) continue;
      command.isCounted = true;
      master.timeoutsInRow++;
      this.#row.add(master);
      if (master.timeoutsInRow >= TIMEOUTS_TO_SILENCE) {
        this.#silence(master, `left ${TIMEOUTS_TO_SILENCE} calls in a row without an answer`);
      }
    }
    return this.#row.size > 1;
  }

  /** Forgets what was held against masters, for the client has connected anew. */
  reset(): void {
    for (const master of this.#silent) master.error = undefined;
    this.#silent.clear();
    this.#row.clear();
    this.#masters.clear();
    this.#rest();
  }

  /** Lets the timer go. */
  stop(): void {
    this.#rest();
  }

  on(event: string, listener: (...args: unknown[]) => void): unknown {
    return this.#client.on(event, listener);
  }

  removeListener(event: string, listener: (...args: unknown[]) => void): unknown {
    return this.#client.removeListener(event, listener);
  }

  connect(): Promise<unknown> {
    return this.#client.connect();
  }

  ping(): Promise<unknown> {
    return this.#client.ping();
  }

  info(): Promise<string> {
    return this.#client.info();
  }

  quit(): Promise<unknown> {
    return this.#client.quit();
  }

  disconnect(reconnect?: boolean): void {
    this.#client.disconnect(reconnect);
  }

  nodes(role: 'master'): RedisLike[] {
    return this.#client.nodes?.(role) ?? [];
  }

  scan(...[cursor, ...rest]: Parameters<RedisLike['scan']>): ReturnType<RedisLike['scan']> {
    return this.#client.scan(cursor, ...rest);
  }

  pttl(key: string): Promise<number> {
    return this.#send(key, () => this.#client.pttl(key));
  }

  pexpire(key: string, milliseconds: number): Promise<number> {
    return this.#send(key, () => this.#client.pexpire(key, milliseconds));
  }

  mgetBuffer(...keys: string[]): Promise<(Buffer | null)[]> {
    return this.#send(keys[0]!, () => this.#client.mgetBuffer(...keys));
  }

  callBuffer(command: string, ...args: (string | Buffer | number)[]): Promise<unknown> {
    const isScript = command === 'evalsha' || command === 'eval';
    const key = isScript ? args[2] : args[0];
    return this.#send(String(key), () => this.#client.callBuffer(command, ...args));
  }

  #send<Reply>(key: string, send: () => Promise<Reply>): Promise<Reply> {
    const master = this.#masterOf(key);
    if (master.error !== undefined) return Promise.reject(master.error);
    const command: OpenCommand = { sentAt: performance.now(), isCounted: false };
    master.open.add(command);
    master.key = key;
    return send().then(
      (reply) => {
        master.open.delete(command);
        this.#answered(master);
        return reply;
      },
      (error: unknown) => {
        master.open.delete(command);
        this.#failed(master, error);
        throw error;
      },
    );
  }

  #masterOf(key: string): Master {
    const name = this.#client.slots?.[hashSlot(key)]?.[0] ?? '';
    let master = this.#masters.get(name);
    if (master === undefined) {
      master = {
        name,
        open: new Set(),
        timeoutsInRow: 0,
        error: undefined,
        key,
        probedAt: undefined,
      };
      this.#masters.set(name, master);
    }
    return master;
  }

  #answered(master: Master): void {
    master.timeoutsInRow = 0;
    if (this.#row.size > 0) this.#row.clear();
    if (master.error !== undefined) this.#revive(master);
  }

  #failed(master: Master, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    const isReply = isReplyError(error);
    if (isReply ? UNAVAILABLE.test(message) : CLOSED.test(message)) {
      this.#silence(master, isReply ? `serves nothing: ${message}` : 'cannot be reached');
    } else if (isReply) {
      this.#answered(master);
    }
  }

  #silence(master: Master, reason: string): void {
    if (master.error !== undefined) return;
    const { place } = this.#settings;
    master.error = new CacheConnectionError(
      `The master ${master.name} of Redis at ${place} ${reason}. Commands for its slots fail at once; it is tried again in the background`,
    );
    master.probedAt = undefined;
    this.#silent.add(master);
    this.#timer ??= setInterval(() => this.#probeAll(), PROBE_INTERVAL_MS).unref();
    if (this.#silent.size === 1) this.#settings.onSilent(master.error);
  }

  #revive(master: Master): void {
    master.error = undefined;
    master.timeoutsInRow = 0;
    this.#silent.delete(master);
    if (this.#silent.size > 0) return;
    this.#rest();
    this.#settings.onAnswering();
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #probeAll(): void {
    // While the whole client connects anew, it may keep commands for later; then everything begins anew as well.
    if (this.status !== 'ready') return;
    for (const master of this.#silent) {
      if (master.probedAt === undefined) void this.#probe(master);
      else this.#loseFaith(master);
    }
  }

  /** Whoever serves the key now may answer: a replica that took over, too. */
  async #probe(master: Master): Promise<void> {
    const probedAt = performance.now();
    master.probedAt = probedAt;
    let isAnswered = true;
    try {
      await this.#client.callBuffer('exists', master.key);
    } catch (error) {
      const { message } = error as Error;
      isAnswered = isReplyError(error) && !UNAVAILABLE.test(message);
    }
    if (master.probedAt !== probedAt) return;
    master.probedAt = undefined;
    if (isAnswered && this.#silent.has(master)) this.#revive(master);
  }

  /** A socket whose other end is gone without a word answers no probe: only another one will. */
  #loseFaith(master: Master): void {
    const { ownsClient, patienceMs } = this.#settings;
    if (performance.now() - master.probedAt! < patienceMs) return;
    master.probedAt = undefined;
    if (!ownsClient) return;
    this.nodes('master')
      .find((node) => nodeName(node) === master.name)
      ?.disconnect();
  }
}

function firstUncounted({ open }: Master, sentBefore: number): OpenCommand | undefined {
  for (const command of open) {
    if (command.sentAt > sentBefore) return undefined;
    if (!command.isCounted) return command;
  }
  return undefined;
}
