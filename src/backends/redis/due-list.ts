/** What has a time by which it is settled, or fails. */
export interface Due {
  readonly isSettled: boolean;
  /** By `performance.now()`. */
  readonly dueAt: number;
}

/** Settled calls at the head before their room is given back. */
const COMPACT_AT = 1024;

/** Calls in the order in which they are due. What is settled is skipped, and forgotten when its turn comes. */
export class DueList<Call extends Due> {
  #calls: Call[] = [];
  #head = 0;

  /** The first call that still waits. */
  get earliest(): Call | undefined {
    while (this.#calls[this.#head]?.isSettled === true) this.#head++;
    if (this.#head >= COMPACT_AT) {
      this.#calls = this.#calls.slice(this.#head);
      this.#head = 0;
    }
    return this.#calls[this.#head];
  }

  /** Adds a call; cheap where it is due last. */
  add(call: Call): void {
    const calls = this.#calls;
    let index = calls.length;
    while (index > this.#head && calls[index - 1]!.dueAt > call.dueAt) index--;
    if (index === calls.length) calls.push(call);
    else calls.splice(index, 0, call);
  }

  clear(): void {
    this.#calls = [];
    this.#head = 0;
  }
}
