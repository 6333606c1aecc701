import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { BackendContext, BackendHealth, CallOptions } from '../../cache/backend.js';
import type { CacheBus } from '../../cache/cache-bus.js';
import type { MaybePromise } from '../../cache/maybe-promise.js';
import { CacheConnectionError } from '../../errors.js';
import {
  decodeMessage,
  encodeMessage,
  MAX_MESSAGE_KEYS,
  type Invalidation,
  type MessageBody,
} from './coherence-message.js';
import { CoherenceStreams, SILENT_BEATS } from './coherence-streams.js';
import type { DegradedParts } from './degraded-parts.js';
import type { L1Trust } from './l1-trust.js';
import type { ProcessTier } from './process-tier.js';

/** What the protocol works on. */
export interface CoherenceParts {
  readonly bus: CacheBus;
  readonly heartbeatMs: number;
  readonly trust: L1Trust;
  readonly ownTier: ProcessTier;
}

/** What the protocol gets when its backend is attached. */
export interface CoherenceContext extends BackendContext {
  readonly prefix: string | undefined;
  readonly degradedParts: DegradedParts;
  /** Whether the shared tier answers, as far as is known. */
  isSharedTierHealthy(): boolean;
}

/**
 * Keeps the own tier coherent with those of other processes: tells them what is invalidated here, drops what they
 * invalidate, and drops everything when something may have been missed.
 *
 * Only invalidations and heartbeats are sent; a value that is loaded or copied sends nothing, and a message makes no
 * receiver read. Nothing here ever throws to whoever delivers a message.
 */
export class Coherence {
  readonly #parts: CoherenceParts;
  readonly #id = randomUUID();
  readonly #streams: CoherenceStreams;
  #context: CoherenceContext | undefined = undefined;
  #attachedAt = 0;
  #epoch = 1;
  #nextNumber = 0;
  #timer: NodeJS.Timeout | undefined = undefined;
  #isSubscribed = false;
  #isBeating = false;
  #isDegraded = false;
  #isClosed = false;
  #owesEpoch = false;

  constructor(parts: CoherenceParts) {
    this.#parts = parts;
    this.#streams = new CoherenceStreams(this.#id, parts.heartbeatMs);
  }

  attach(context: CoherenceContext): void {
    const { bus, heartbeatMs } = this.#parts;
    this.#context = context;
    const { clock, logger, prefix, resolve } = context;
    this.#attachedAt = clock.now();
    bus.attach({
      clock,
      logger,
      prefix,
      resolve,
      // How the subscription fares is told by the calls below, and reported once.
      report: (event) => {
        if (event.type !== 'degraded' && event.type !== 'recovered') context.report(event);
      },
      receive: (text) => this.#receive(text),
      subscribed: () => this.#subscribed(),
      interrupted: () => this.#interrupted(),
    });
    this.#timer = setInterval(() => this.#tick(), heartbeatMs).unref();
  }

  /** Facts for operators. */
  info(): Readonly<Record<string, string | number>> {
    const { size, suspected } = this.#streams;
    return {
      bus: this.#parts.bus.name,
      bus_status: this.health().status,
      senders: size,
      suspected,
    };
  }

  health(): BackendHealth {
    const { status, errorCode = 'ERR_CACHE_CONNECTION' } = this.#parts.bus.health();
    const isHearing = this.#streams.isHearing(this.#now());
    return status === 'healthy' && isHearing
      ? { status: 'healthy' }
      : { status: 'degraded', errorCode };
  }

  /**
   * Tells the other processes what to drop: one message for each thousand keys.
   *
   * @throws {@link CacheBackendError} when the bus has not taken it; the others then notice that it is missing
   */
  announce(invalidation: Invalidation, options: CallOptions): MaybePromise<void> {
    if (invalidation.kind !== 'keys' || invalidation.keys.length <= MAX_MESSAGE_KEYS) {
      return this.#publish(invalidation, options);
    }
    const { kind, space, keys } = invalidation;
    const published: Promise<void>[] = [];
    for (let start = 0; start < keys.length; start += MAX_MESSAGE_KEYS) {
      const part = keys.slice(start, start + MAX_MESSAGE_KEYS);
      published.push(this.#publish({ kind, space, keys: part }, options));
    }
    return Promise.all(published).then(() => undefined);
  }

  /**
   * Takes note that the shared tier may execute an invalidation later than others were told of it. They are told to
   * drop everything once it is well again.
   */
  oweEpoch(): void {
    this.#owesEpoch = true;
  }

  /** Begins a new epoch, which makes every process drop everything, this one included. */
  renew(): void {
    if (this.#isClosed) return;
    this.#nextEpoch();
    this.#parts.ownTier.distrust();
    this.#beat();
  }

  /**
   * Lets go of the timer, pays an epoch that is owed, says goodbye, and closes the bus.
   *
   * @param isLastWord - whether nothing more can be invalidated here; only then the others may forget this process
   */
  async close(timeoutMs: number, isLastWord: boolean): Promise<void> {
    clearInterval(this.#timer);
    if (isLastWord && this.#isSubscribed && !this.#isClosed) {
      const dueAt = performance.now() + timeoutMs;
      if (this.#owesEpoch) this.#nextEpoch();
      // A bye that does not arrive is a process that falls silent: the others cope with that.
      await Promise.resolve(this.#publish({ kind: 'bye' }, { dueAt })).catch(() => undefined);
    }
    this.#isClosed = true;
    await this.#parts.bus.close(timeoutMs);
  }

  #nextEpoch(): void {
    this.#owesEpoch = false;
    this.#epoch += 1;
    this.#nextNumber = 0;
  }

  async #publish(body: MessageBody, options: CallOptions): Promise<void> {
    const message = { sender: this.#id, epoch: this.#epoch, number: this.#nextNumber, body };
    this.#nextNumber += 1;
    if (body.kind === 'beat') {
      this.#streams.beatSent(message.epoch, message.number, this.#now());
    }
    await this.#parts.bus.publish(encodeMessage(message), options);
  }

  #tick(): void {
    const now = this.#now();
    if (this.#streams.check(now)) this.#parts.ownTier.distrust();
    this.#judgeHearing(now);
    if (this.#owesEpoch && this.#context?.isSharedTierHealthy() === true) this.renew();
    else this.#beat();
  }

  /** Before the first subscription nobody listens to us for an answer, and others would count our failures. */
  #beat(): void {
    if (!this.#isSubscribed || this.#isBeating || this.#isClosed) return;
    this.#isBeating = true;
    this.#publish({ kind: 'beat', intervalMs: this.#parts.heartbeatMs }, {})
      // That a beat was not sent shows by its echo, which does not come.
      .catch(() => undefined)
      .finally(() => {
        this.#isBeating = false;
      });
  }

  #receive(text: string): void {
    if (this.#isClosed) return;
    const { ownTier, trust } = this.#parts;
    const now = this.#now();
    const message = decodeMessage(text);
    if (message === undefined) {
      ownTier.distrust();
      return;
    }
    const { body } = message;
    const verdict = this.#streams.receive(message, now);
    if (verdict === 'distrust') ownTier.distrust();
    else if (verdict === 'apply') ownTier.apply(body as Invalidation);
    if (body.kind !== 'beat') return;
    const provenAt = this.#streams.proof();
    if (provenAt !== undefined) trust.prove(provenAt);
    this.#judgeHearing(now);
  }

  #subscribed(): void {
    if (this.#isClosed) return;
    const now = this.#now();
    this.#isSubscribed = true;
    this.#streams.listen(now);
    this.#parts.ownTier.distrust();
    this.#judgeHearing(now);
    this.#beat();
  }

  /**
   * What is in the own tier is served on, within `maxStaleness`: nothing is proved any more, so trust ends by itself,
   * and everything is dropped when the subscription is back. To drop it now would only send all callers to a shared
   * tier that is likely to be out of reach, too.
   */
  #interrupted(): void {
    if (this.#isClosed) return;
    this.#isSubscribed = false;
    this.#streams.deafen();
    this.#judgeHearing(this.#now());
  }

  /** Tells once when the bus falls silent, and once when it is heard again. */
  #judgeHearing(now: number): void {
    const isHearing = this.#streams.isHearing(now);
    if (isHearing === !this.#isDegraded) return;
    // A bus takes a moment to connect; that is no outage yet.
    const { heartbeatMs, bus } = this.#parts;
    if (!isHearing && now - this.#attachedAt <= SILENT_BEATS * heartbeatMs) return;
    this.#isDegraded = !isHearing;
    const { degradedParts } = this.#context!;
    if (isHearing) degradedParts.recovered('bus');
    else {
      const message = `The bus '${bus.name}' delivers nothing: entries of the first tier are served for at most maxStaleness after they were read or loaded`;
      degradedParts.degraded('bus', new CacheConnectionError(message));
    }
  }

  #now(): number {
    return this.#context!.clock.now();
  }
}
