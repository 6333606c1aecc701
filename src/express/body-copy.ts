import { BufferShare } from './buffer-budget.js';

/** How much of a body is kept. */
export interface RecordingLimits {
  /** In bytes. */
  readonly maxResponseSize: number;
  /** In bytes, over all responses of this process. */
  readonly maxBufferedBytes: number;
}

/** A copy of what a route writes, as far as there is room for it. */
export class BodyCopy {
  readonly #limits: RecordingLimits;
  readonly #share: BufferShare;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(limits: RecordingLimits) {
    this.#limits = limits;
    this.#share = new BufferShare(limits.maxBufferedBytes);
  }

  /** Takes a chunk that nobody changes any more. Says whether there was room for it. */
  add(chunk: Buffer): boolean {
    const bytes = this.#bytes + chunk.byteLength;
    if (bytes > this.#limits.maxResponseSize || !this.#share.take(chunk.byteLength)) return false;
    this.#bytes = bytes;
    this.#chunks.push(chunk);
    return true;
  }

  /** The whole body. */
  whole(): Buffer {
    return this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks, this.#bytes);
  }

  /** Gives up what was kept, and its room. */
  drop(): void {
    this.#chunks = [];
    this.#bytes = 0;
    this.#share.release();
  }
}
