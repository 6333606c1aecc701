import type { PipeFilter } from './fault-pipe.js';
import { pushedMessage, type PushedMessage } from './pushed-message.js';
import { RespSplitter } from './resp-splitter.js';

/** Which messages a fault hits. */
export interface MessageFaultOptions {
  /** How many of them; afterwards they pass again. @defaultValue Infinity */
  readonly times?: number | undefined;
  /** Which of them. @defaultValue all */
  readonly where?: ((message: PushedMessage) => boolean) | undefined;
}

/** What becomes of a message: it is lost, comes twice, or comes after the next one of its connection. */
export type MessageFaultKind = 'drop' | 'duplicate' | 'swap';

/** What has become of messages so far. */
export interface MessageCounts {
  readonly passed: number;
  readonly dropped: number;
  readonly duplicated: number;
  readonly swapped: number;
}

/** The faults that messages meet, on whichever connection they come. */
export class MessageFaults {
  readonly #faults: {
    readonly kind: MessageFaultKind;
    readonly where: (message: PushedMessage) => boolean;
    left: number;
  }[] = [];
  readonly counts = { passed: 0, dropped: 0, duplicated: 0, swapped: 0 };

  add(kind: MessageFaultKind, { times = Infinity, where = () => true }: MessageFaultOptions): void {
    this.#faults.push({ kind, where, left: times });
  }

  clear(): void {
    this.#faults.length = 0;
  }

  /** What is to become of a message: the first fault that it fits, counted down. */
  next(message: PushedMessage): MessageFaultKind | undefined {
    const fault = this.#faults.find(({ left, where }) => left > 0 && where(message));
    if (fault === undefined) {
      this.counts.passed++;
      return undefined;
    }
    fault.left--;
    const counted = { drop: 'dropped', duplicate: 'duplicated', swap: 'swapped' } as const;
    this.counts[counted[fault.kind]]++;
    return fault.kind;
  }
}

/** The messages of one connection on their way to the client. */
export class MessageFilter implements PipeFilter {
  readonly #splitter = new RespSplitter();
  readonly #faults: MessageFaults;
  /** Messages that come after the next one. */
  #late: Buffer[] = [];

  constructor(faults: MessageFaults) {
    this.#faults = faults;
  }

  /** What goes on of a chunk. */
  pass(chunk: Buffer): readonly Buffer[] {
    return this.#splitter.push(chunk).flatMap((frame) => {
      const message = pushedMessage(frame);
      if (message === undefined) return [frame.bytes];
      const kind = this.#faults.next(message);
      if (kind === 'drop') return [];
      if (kind === 'swap') {
        this.#late.push(frame.bytes);
        return [];
      }
      const copies = kind === 'duplicate' ? [frame.bytes, frame.bytes] : [frame.bytes];
      return [...copies, ...this.release()];
    });
  }

  rest(): readonly Buffer[] {
    return [...this.release(), this.#splitter.rest()];
  }

  /** The messages that wait for a next one. */
  release(): readonly Buffer[] {
    const late = this.#late;
    this.#late = [];
    return late;
  }
}
