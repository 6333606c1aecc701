import { CacheConnectionError, type CacheError } from '../../errors.js';
import type { BackendHealth, BreakerState, CallOptions } from '../../cache/backend.js';
import { rejection, type MaybePromise } from '../../cache/maybe-promise.js';
import { CallDeadlines, type PendingCall } from './call-deadlines.js';
import { CallRefusals } from './call-refusals.js';
import { GuardedCluster } from './guarded-cluster.js';
import type { RedisConnectionSettings } from './redis-connection-settings.js';
import { isReplyError, redisError } from './redis-errors.js';
import type { RedisLike } from './redis-like.js';
import { loadScripts } from './redis-script.js';
import { RedisWatch } from './redis-watch.js';
import { endsWithin } from './time-limit.js';

/**
 * - `idle`: nobody has asked for a connection yet
 * - `connecting`: the first attempt is under way, and calls wait for it
 * - `ready`: calls are sent
 * - `silent`: connected, but two calls in a row got no answer
 * - `down`: there is no connection
 * - `closed`: for good
 */
type ConnectionState = 'idle' | 'connecting' | 'ready' | 'silent' | 'down' | 'closed';

/** Timeouts in a row after which calls fail at once. */
const TIMEOUTS_TO_SILENCE = 2;
/** What ioredis says of a connection that has failed already. */
const ECHO = /Connection is closed|Stream isn't writeable/;

/**
 * One multiplexed connection, with a time limit for every call and a circuit breaker.
 *
 * No call outlasts the command timeout. While the connection is down or silent, calls fail at once and a probe runs
 * in the background; ioredis reconnects by itself. Of a Cluster each master has a breaker of its own besides, see
 * {@link GuardedCluster}. A stall of the own event loop is nobody's silence: answers that
 * arrived meanwhile are read first, and what then fails is not held against Redis.
 */
export class RedisConnection {
  readonly #settings: RedisConnectionSettings;
  readonly #deadlines: CallDeadlines;
  readonly #watch: RedisWatch;
  readonly #waiting = new Set<(error?: CacheError) => void>();
  #state: ConnectionState = 'idle';
  #client: RedisLike | undefined;
  /** The client, if it is one of a Cluster. */
  #cluster: GuardedCluster | undefined;
  #timeoutsInRow = 0;
  #isDegraded = false;
  #isProbing = false;
  #lastError: CacheError | undefined;
  readonly #refusals: CallRefusals;
  #closing: Promise<void> | undefined;

  constructor(settings: RedisConnectionSettings) {
    this.#settings = settings;
    this.#refusals = new CallRefusals(settings.place);
    this.#deadlines = new CallDeadlines(settings.commandTimeoutMs, (call, wasStalled) => {
      const hadTime = call.timeoutMs >= settings.commandTimeoutMs / 2;
      if (!wasStalled && hadTime) this.#noteTimeout(call);
    });
    this.#watch = new RedisWatch({
      ownsClient: settings.ownsClient,
      patienceMs: settings.greetingTimeoutMs,
      isSilent: () => this.#state === 'silent',
      probe: this.#probe,
      onError: this.#onError,
    });
  }

  /** Where Redis is, for messages. */
  get place(): string {
    return this.#settings.place;
  }

  /** Whether calls are sent at all. */
  get isAvailable(): boolean {
    return this.#state === 'ready';
  }

  /** Connects, if that has not begun. */
  open(): void {
    if (this.#state !== 'idle') return;
    this.#state = 'connecting';
    try {
      const client = this.#settings.provide();
      if (client instanceof Promise) client.then(this.#adopt, this.#fail);
      else this.#adopt(client);
    } catch (error) {
      this.#fail(error);
    }
  }

  /**
   * Sends commands and gives what `finish` makes of the answer. A call that is due already is not sent.
   *
   * A call whose time was cut short counts as silence of Redis only if it had half of the command timeout.
   *
   * @param send - may take several steps, and must take none once the call is settled
   * @throws {@link CacheTimeoutError} when there is no answer in time
   * @throws {@link CacheConnectionError} at once, when there is no connection
   */
  call<Reply, Result>(
    operation: string,
    send: (client: RedisLike, call: PendingCall) => Promise<Reply>,
    finish: (reply: Reply, client: RedisLike, call: PendingCall) => MaybePromise<Result>,
    options?: CallOptions,
  ): Promise<Result> {
    const state = this.#state === 'ready' ? 'ready' : this.#opened();
    if (state !== 'connecting' && state !== 'ready') return rejection(this.#refusal(operation));
    const dueAt = options?.dueAt;
    return new Promise((resolve, reject) => {
      if (dueAt !== undefined && dueAt <= performance.now()) {
        reject(this.#refusals.overdue(operation, this.#settings.commandTimeoutMs));
        return;
      }
      const call = this.#deadlines.begin(operation, reject, dueAt);
      if (state === 'ready') this.#send(call, send, finish, resolve);
      else this.#wait(call, () => this.#send(call, send, finish, resolve));
    });
  }

  health(): BackendHealth {
    const { breaker } = this;
    switch (breaker) {
      case undefined:
        return { status: 'unavailable' };
      case 'closed':
        return { status: 'healthy', breaker };
      default: {
        const fault = this.#state === 'ready' ? this.#cluster!.fault : this.#lastError;
        return {
          status: this.#state === 'ready' ? 'degraded' : 'unhealthy',
          breaker,
          ...(fault !== undefined && { errorCode: fault.code }),
        };
      }
    }
  }

  /** What is let through; `undefined` before the first attempt to connect has ended, and behind `close`. */
  get breaker(): BreakerState | undefined {
    switch (this.#state) {
      case 'ready':
        return this.#cluster?.fault === undefined ? 'closed' : 'half-open';
      case 'silent':
        return this.#isProbing ? 'half-open' : 'open';
      case 'down':
        return 'open';
      default:
        return undefined;
    }
  }

  /** Refuses new calls, waits for those under way, and lets go of the client. */
  close(timeoutMs: number): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  #opened(): ConnectionState {
    this.open();
    return this.#state;
  }

  #send<Reply, Result>(
    call: PendingCall,
    send: (client: RedisLike, call: PendingCall) => Promise<Reply>,
    finish: (reply: Reply, client: RedisLike, call: PendingCall) => MaybePromise<Result>,
    resolve: (result: Result) => void,
  ): void {
    const client = this.#client!;
    const succeed = (result: Result): void => {
      if (this.#deadlines.settle(call)) resolve(result);
    };
    const fail = (error: unknown): void => {
      if (isReplyError(error)) this.#timeoutsInRow = 0;
      if (this.#deadlines.settle(call)) call.reject(this.#explain(error, call.operation));
    };
    try {
      send(client, call).then((reply) => {
        this.#timeoutsInRow = 0;
        if (call.isSettled) return;
        call.isAnswered = true;
        try {
          const result = finish(reply, client, call);
          if (result instanceof Promise) result.then(succeed, fail);
          else succeed(result);
        } catch (error) {
          fail(error);
        }
      }, fail);
    } catch (error) {
      fail(error);
    }
  }

  #wait(call: PendingCall, go: () => void): void {
    const wake = (error?: CacheError): void => {
      if (error === undefined) {
        if (!call.isSettled) go();
      } else if (this.#deadlines.settle(call)) {
        call.reject(error);
      }
    };
    this.#waiting.add(wake);
  }

  #wake(error?: CacheError): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake(error);
  }

  readonly #adopt = (client: RedisLike): void => {
    if (this.#state === 'closed') {
      if (this.#settings.ownsClient) client.disconnect();
      return;
    }
    if (client.isCluster === true) {
      this.#cluster = this.#guard(client);
      this.#client = this.#cluster;
    } else {
      this.#client = client;
    }
    client.on('connect', this.#onConnect);
    client.on('ready', this.#onReady);
    client.on('close', this.#onClose);
    client.on('end', this.#onClose);
    client.on('error', this.#onError);
    this.#watch.noteProgress();
    const { status } = client;
    if (status === undefined || status === 'ready') return this.#onReady();
    this.#watch.start(() => this.#client);
    // A failing attempt is told by the events, too.
    if (status === 'wait') client.connect().catch(this.#onError);
    else if (status !== 'connecting' && status !== 'connect') this.#onClose();
  };

  readonly #fail = (error: unknown): void => {
    this.#lastError = this.#explain(error, 'connecting');
    if (this.#state !== 'closed') this.#goDown('down');
  };

  readonly #onConnect = (): void => {
    this.#watch.noteProgress();
  };

  readonly #onReady = (): void => {
    if (this.#state === 'closed') return;
    const wasSilent = this.#state === 'silent';
    this.#state = 'ready';
    this.#timeoutsInRow = 0;
    this.#lastError = undefined;
    this.#watch.stop();
    // A probe that was answered found the connection that was made ready before.
    if (!wasSilent) {
      this.#cluster?.reset();
      loadScripts(this.#client!);
    }
    this.#wake();
    this.#recover();
  };

  #recover(): void {
    if (!this.#isDegraded || this.#state !== 'ready' || this.#cluster?.fault !== undefined) return;
    this.#isDegraded = false;
    this.#settings.onRecovered();
  }

  #guard(client: RedisLike): GuardedCluster {
    const { place, commandTimeoutMs, greetingTimeoutMs, ownsClient } = this.#settings;
    return new GuardedCluster(client, {
      place,
      commandTimeoutMs,
      ownsClient,
      patienceMs: greetingTimeoutMs,
      onSilent: (error) => this.#degrade(error),
      onAnswering: () => this.#recover(),
    });
  }

  #degrade(error: CacheError): void {
    if (this.#isDegraded) return;
    this.#isDegraded = true;
    this.#settings.onDegraded(error);
  }

  readonly #onClose = (): void => {
    if (this.#state === 'closed') return;
    this.#watch.noteProgress();
    this.#lastError ??= this.#explain('the connection was closed', 'connecting');
    if (this.#state !== 'down') this.#goDown('down');
  };

  readonly #onError = (error: unknown): void => {
    // What follows the failure must not hide it.
    const isEcho = error instanceof Error && ECHO.test(error.message);
    if (isEcho && this.#lastError !== undefined) return;
    this.#lastError = this.#explain(error, 'connecting');
  };

  #noteTimeout(call: PendingCall): void {
    this.#timeoutsInRow++;
    // One silent master of a Cluster is not the Cluster's silence.
    if (this.#cluster?.noteTimeout() === false) return;
    if (this.#state !== 'ready' && this.#state !== 'connecting') return;
    if (this.#timeoutsInRow < TIMEOUTS_TO_SILENCE) return;
    this.#lastError = new CacheConnectionError(
      `Redis at ${this.#settings.place} does not answer: ${TIMEOUTS_TO_SILENCE} calls in a row, the last of them ${call.operation}, got nothing within ${this.#settings.commandTimeoutMs} ms`,
    );
    this.#goDown(this.#state === 'ready' ? 'silent' : 'down');
  }

  #goDown(state: 'silent' | 'down'): void {
    this.#state = state;
    this.#watch.start(() => this.#client);
    const error = this.#lastError!;
    this.#wake(error);
    this.#degrade(error);
  }

  /** A probe among the calls: it has their time limit, and nobody waits for it. */
  readonly #probe = async (client: RedisLike): Promise<void> => {
    const call = this.#deadlines.begin('the probe', () => undefined);
    this.#isProbing = true;
    try {
      await client.ping();
      if (this.#state === 'silent') this.#onReady();
    } catch {
      // The connection broke meanwhile, which its events tell.
    } finally {
      this.#isProbing = false;
      this.#deadlines.settle(call);
    }
  };

  #explain(error: unknown, operation: string): CacheError {
    return redisError(error, operation, this.#settings.place);
  }

  #refusal(operation: string): CacheError {
    return this.#state === 'closed'
      ? this.#refusals.closed(operation)
      : this.#refusals.outOfReach(operation, this.#lastError);
  }

  async #close(timeoutMs: number): Promise<void> {
    const wasReady = this.#state === 'ready';
    this.#state = 'closed';
    this.#watch.stop();
    this.#cluster?.stop();
    this.#wake(this.#refusal('waiting for the connection'));
    const isDrained = await endsWithin(timeoutMs, this.#deadlines.whenIdle());
    this.#deadlines.close(() => this.#refusal('waiting for an answer'));
    const client = this.#client;
    if (client === undefined) return;
    if (this.#settings.ownsClient) {
      const patienceMs = Math.min(timeoutMs, this.#settings.commandTimeoutMs);
      if (wasReady && isDrained) await endsWithin(patienceMs, client.quit());
      if (client.status !== 'end') client.disconnect();
    }
    client.removeListener('connect', this.#onConnect);
    client.removeListener('ready', this.#onReady);
    client.removeListener('close', this.#onClose);
    client.removeListener('end', this.#onClose);
    // Our own dying client keeps its listener: what it still has to say is of no interest, but must not be thrown.
    if (!this.#settings.ownsClient) client.removeListener('error', this.#onError);
  }
}
