/**
 * The bytes of responses that are being collected in this process, over all caches and routes: many large responses at
 * once must not take the memory that one may.
 */
let reserved = 0;

/** A part of the common budget, for one response. */
export class BufferShare {
  readonly #limit: number;
  #own = 0;

  /** @param limit - how many bytes all responses together may have when this one takes more */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes more. Says whether there was enough. */
  take(bytes: number): boolean {
    if (reserved + bytes > this.#limit) return false;
    reserved += bytes;
    this.#own += bytes;
    return true;
  }

  /** Gives everything back. */
  release(): void {
    reserved -= this.#own;
    this.#own = 0;
  }
}

/** How many bytes are being collected now. */
export function bufferedBytes(): number {
  return reserved;
}
