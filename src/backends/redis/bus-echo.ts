/** How long the own message may take to come back after Redis has confirmed it. In milliseconds. */
const LATEST_ECHO_MS = 750;

/**
 * Notices when a process does not hear what it publishes itself.
 *
 * Each message travels with its sender and a number before it. When Redis has confirmed one and it does not come back,
 * the two connections lead to different servers, and no sign of life on either of them would tell.
 */
export class BusEcho {
  readonly #sender: string;
  readonly #onMissing: () => void;
  #sent = 0;
  #heard = 0;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** @param onMissing - told when a message has not come back in time */
  constructor(sender: string, onMissing: () => void) {
    this.#sender = sender;
    this.#onMissing = onMissing;
  }

  /** The message as it travels. */
  wrap(message: string): { readonly text: string; readonly number: number } {
    const number = ++this.#sent;
    return { text: `${this.#sender} ${number} ${message}`, number };
  }

  /** The message that has travelled; a text that is none of ours stays as it is. */
  unwrap(text: string): string {
    const parts = /^(\S+) (\d+) /.exec(text);
    if (parts === null) return text;
    if (parts[1] === this.#sender) this.#heard = Math.max(this.#heard, Number(parts[2]));
    return text.slice(parts[0].length);
  }

  /**
   * Waits for a message that Redis has confirmed.
   *
   * @param isDue - asked at the end of the time: whether it should have come
   */
  expect(number: number, isDue: () => boolean): void {
    // One at a time is enough: the next message is waited for when this one was.
    if (this.#isClosed || this.#timer !== undefined || this.#heard >= number || !isDue()) return;
    this.#timer = setTimeout(() => {
      // What has arrived while the own event loop stood still is read first.
      setImmediate(() => {
        this.#timer = undefined;
        if (!this.#isClosed && this.#heard < number && isDue()) this.#onMissing();
      });
    }, LATEST_ECHO_MS).unref();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }
}
