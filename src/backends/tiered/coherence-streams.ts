import type { CoherenceMessage } from './coherence-message.js';

/** After how many heartbeats without a word a sender counts as silent. */
export const SILENT_BEATS = 3;
/**
 * For how long a sender that fell silent without a bye keeps new proofs away, in milliseconds. It may be dead; it may
 * as well be alive, invalidate in the shared store, and fail to tell.
 */
export const SUSPICION_MS = 300_000;
/** How many own heartbeats may be on the way; of older ones the echo proves nothing any more. */
const MAX_BEATS_UNDER_WAY = 16;
/** How many senders that said goodbye are remembered, for messages of theirs that come twice. */
const MAX_DEPARTED = 256;

/**
 * What to do with a message. `ignore`: it is our own, or was here before. `apply`: drop what it names. `distrust`:
 * drop everything, for something may be missing.
 */
export type Verdict = 'ignore' | 'apply' | 'distrust';

/** Where in its sender's stream a message stands. */
interface Place {
  readonly epoch: number;
  readonly number: number;
}

/** What is known of one sender: the place of the last message, and more. */
interface Stream extends Place {
  /** When the last message came. */
  heardAt: number;
  /** How often the sender beats. */
  intervalMs: number;
  /** Everything that the sender sent before this time has come. */
  completeAt: number;
}

/**
 * The receiver's books: which messages of whom have come, and up to when nothing can be missing.
 *
 * The channel must deliver what one subscriber hears in one order, as a Redis server does. Then, when an own
 * heartbeat comes back, everything that was sent before it has come already, as far as it was delivered at all;
 * and a sender's next message, in sequence, shows that nothing of that sender's was lost before. So the proof is the
 * time at which the last own heartbeat was sent after whose echo every known sender was heard in sequence.
 *
 * A receiver that does not hear itself cannot judge others: their silence may be its own deafness. The proof then
 * stands still, which ends all trust in time. Time is given with each call; the class reads no clock.
 */
export class CoherenceStreams {
  readonly #self: string;
  readonly #intervalMs: number;
  readonly #streams = new Map<string, Stream>();
  readonly #departed = new Map<string, Place>();
  /** When to stop suspecting a sender, by its id. */
  readonly #suspects = new Map<string, number>();
  /** When own heartbeats were sent, by `epoch:number`, in the order of sending. */
  readonly #beats = new Map<string, number>();
  #echoSentAt = -Infinity;
  #echoedAt = -Infinity;
  #isListening = false;

  /**
   * @param self - the own sender id
   * @param intervalMs - how often the own heartbeat is sent
   */
  constructor(self: string, intervalMs: number) {
    this.#self = self;
    this.#intervalMs = intervalMs;
  }

  /** The number of other processes that were heard and are neither gone nor silent. */
  get size(): number {
    return this.#streams.size - (this.#streams.has(this.#self) ? 1 : 0);
  }

  /** The number of senders that fell silent without a bye. */
  get suspected(): number {
    return this.#suspects.size;
  }

  /** Whether own heartbeats come back. */
  isHearing(now: number): boolean {
    return this.#isListening && now - this.#echoedAt <= SILENT_BEATS * this.#intervalMs;
  }

  /** The subscription is active. What was sent before may be missing: the caller distrusts everything. */
  listen(now: number): void {
    this.#isListening = true;
    this.#regainHearing(now);
  }

  /** The subscription is interrupted. */
  deafen(): void {
    this.#isListening = false;
  }

  /** Takes note of an own heartbeat that is about to be sent. */
  beatSent(epoch: number, number: number, now: number): void {
    this.#beats.set(`${epoch}:${number}`, now);
    if (this.#beats.size <= MAX_BEATS_UNDER_WAY) return;
    this.#beats.delete(this.#beats.keys().next().value!);
  }

  /** Judges a message, in the order of arrival. */
  receive(message: CoherenceMessage, now: number): Verdict {
    const { sender, body } = message;
    const stream = this.#streams.get(sender);
    const last = stream ?? this.#departed.get(sender);
    if (last !== undefined && !isLater(message, last)) return 'ignore';
    const isComplete = isNext(message, stream);
    this.#hear(message, stream, now);
    if (sender === this.#self) this.#hearSelf(message, now);
    else if (body.kind === 'bye') this.#forget(message);
    if (!isComplete) return 'distrust';
    if (sender === this.#self || body.kind === 'beat' || body.kind === 'bye') return 'ignore';
    return 'apply';
  }

  /**
   * Looks for senders that were silent for three of their heartbeats while own ones came back. Gives whether there
   * were any, so that everything is to be distrusted.
   */
  check(now: number): boolean {
    for (const [sender, until] of this.#suspects) if (until <= now) this.#suspects.delete(sender);
    let isAnySilent = false;
    for (const [sender, { heardAt, intervalMs }] of this.#streams) {
      // Measured by the last own echo: what came before it was read before it, also after a stall of the event loop.
      if (sender === this.#self || this.#echoedAt - heardAt < SILENT_BEATS * intervalMs) continue;
      this.#streams.delete(sender);
      this.#suspects.set(sender, now + SUSPICION_MS);
      isAnySilent = true;
    }
    return isAnySilent;
  }

  /** The time before which nothing can be missing; `undefined` when nothing is proved now. */
  proof(): number | undefined {
    if (this.#suspects.size > 0) return undefined;
    let provenAt = this.#echoSentAt;
    for (const { completeAt } of this.#streams.values()) {
      if (completeAt < provenAt) provenAt = completeAt;
    }
    return provenAt === -Infinity ? undefined : provenAt;
  }

  #hear(message: CoherenceMessage, stream: Stream | undefined, now: number): void {
    const { sender, epoch, number, body } = message;
    const intervalMs =
      body.kind === 'beat' ? body.intervalMs : (stream?.intervalMs ?? this.#intervalMs);
    // An own message before its echo is counted proves nothing yet: `#hearSelf` comes after.
    const completeAt = this.#echoSentAt;
    this.#streams.set(sender, { epoch, number, heardAt: now, intervalMs, completeAt });
    this.#suspects.delete(sender);
    this.#departed.delete(sender);
  }

  #hearSelf({ epoch, number }: CoherenceMessage, now: number): void {
    if (!this.isHearing(now)) this.#regainHearing(now);
    this.#echoedAt = now;
    const key = `${epoch}:${number}`;
    const sentAt = this.#beats.get(key);
    if (sentAt !== undefined) {
      this.#echoSentAt = Math.max(this.#echoSentAt, sentAt);
      for (const earlier of this.#beats.keys()) {
        this.#beats.delete(earlier);
        if (earlier === key) break;
      }
    }
    this.#streams.get(this.#self)!.completeAt = this.#echoSentAt;
  }

  /** While nothing was heard at all, nobody else can have been heard. */
  #regainHearing(now: number): void {
    this.#echoedAt = now;
    for (const stream of this.#streams.values()) stream.heardAt = now;
  }

  #forget({ sender, epoch, number }: CoherenceMessage): void {
    this.#streams.delete(sender);
    this.#departed.set(sender, { epoch, number });
    if (this.#departed.size <= MAX_DEPARTED) return;
    this.#departed.delete(this.#departed.keys().next().value!);
  }
}

/** Whether a message comes after the last one of its sender, and is not an old one that comes again. */
function isLater(message: CoherenceMessage, { epoch, number }: Place): boolean {
  return message.epoch === epoch ? message.number > number : message.epoch > epoch;
}

/** Whether nothing can be missing before a message. */
function isNext({ epoch, number }: CoherenceMessage, stream: Stream | undefined): boolean {
  if (stream === undefined) return epoch === 1 && number === 0;
  return epoch === stream.epoch && number === stream.number + 1;
}
