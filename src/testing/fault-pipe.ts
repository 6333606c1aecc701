import type { Socket } from 'node:net';

/** What is wrong with one direction of a proxy. Read anew for every chunk. */
export interface DirectionFaults {
  /** Bytes are taken and lost. */
  isSwallowing: boolean;
  /** Bytes are taken and kept. */
  isHolding: boolean;
  /** How long the next chunk is under way, in milliseconds. */
  delayMs: (() => number) | undefined;
}

/** How many bytes may wait in a pipe before its source is told to pause. */
const HIGH_WATER_BYTES = 1 << 20;

interface Piece {
  /** `undefined` = the source has ended. */
  readonly bytes: Buffer | undefined;
  dueAt: number;
}

/** What a pipe makes of the bytes that it carries. */
export interface PipeFilter {
  /** What goes on of a chunk. */
  pass(chunk: Buffer): readonly Buffer[];
  /** What is left when the source has ended. */
  rest(): readonly Buffer[];
}

/** Carries bytes from one socket to another, in order, with the faults of its direction. */
export class FaultPipe {
  readonly #source: Socket;
  readonly #target: Socket;
  readonly #faults: DirectionFaults;
  readonly #filter: PipeFilter;
  readonly #count: (kind: 'carried' | 'swallowed', bytes: number) => void;
  readonly #queue: Piece[] = [];
  #queuedBytes = 0;
  #lastDueAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #hasHole = false;

  constructor(
    source: Socket,
    target: Socket,
    faults: DirectionFaults,
    filter: PipeFilter,
    count: (kind: 'carried' | 'swallowed', bytes: number) => void,
  ) {
    this.#source = source;
    this.#target = target;
    this.#faults = faults;
    this.#filter = filter;
    this.#count = count;
    source.on('data', (chunk: Buffer) => this.#take(chunk));
    source.on('end', () => this.#end());
    target.on('drain', () => this.flush());
  }

  /** Whether bytes were lost: TCP never delivers what comes after a hole. */
  get hasHole(): boolean {
    return this.#hasHole;
  }

  /** Sends what is due. */
  flush(): void {
    clearTimeout(this.#timer);
    if (this.#faults.isHolding || this.#target.destroyed) return;
    const now = performance.now();
    while (this.#queue.length > 0 && !this.#target.writableNeedDrain) {
      const { bytes, dueAt } = this.#queue[0]!;
      if (dueAt > now) {
        this.#timer = setTimeout(() => this.flush(), Math.ceil(dueAt - now));
        break;
      }
      this.#queue.shift();
      if (bytes === undefined) this.#target.end();
      else {
        this.#queuedBytes -= bytes.length;
        this.#count('carried', bytes.length);
        this.#target.write(bytes);
      }
    }
    if (this.#queuedBytes <= HIGH_WATER_BYTES) this.#source.resume();
  }

  /** Sends everything that may be sent, due or not. */
  hurry(): void {
    this.#lastDueAt = 0;
    this.#queue.forEach((piece) => (piece.dueAt = 0));
    this.flush();
  }

  /** Sends bytes that did not come from the source, after what has come from it. */
  append(bytes: Buffer): void {
    this.#enqueue(bytes);
    this.flush();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#queue.length = 0;
  }

  #take(chunk: Buffer): void {
    if (this.#faults.isSwallowing || this.#hasHole) {
      this.#hasHole = true;
      this.#count('swallowed', chunk.length);
      return;
    }
    for (const bytes of this.#filter.pass(chunk)) this.#enqueue(bytes);
    this.flush();
    if (this.#queuedBytes > HIGH_WATER_BYTES) this.#source.pause();
  }

  #end(): void {
    if (this.#faults.isSwallowing) this.#hasHole = true;
    else {
      for (const bytes of this.#filter.rest()) this.#enqueue(bytes);
      this.#enqueue(undefined);
      this.flush();
    }
  }

  #enqueue(bytes: Buffer | undefined): void {
    const delayMs = this.#faults.delayMs?.() ?? 0;
    this.#lastDueAt = Math.max(this.#lastDueAt, performance.now() + delayMs);
    this.#queue.push({ bytes, dueAt: this.#lastDueAt });
    this.#queuedBytes += bytes?.length ?? 0;
  }
}
