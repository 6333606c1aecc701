/**
 * Who waits for a load. One caller without an `AbortSignal`, or a background refresh, keeps it alive for good; when all
 * callers had one, and all have aborted, nobody wants the result any more: the load's own signal is aborted, nobody
 * can join it, and what it gives is not stored.
 */
export class LoadWaiters {
  #listeners: (() => void)[] | undefined;
  #waiting = 0;
  #isPinned = false;
  #isAbandoned = false;
  #reason: unknown;
  #controller: AbortController | undefined;

  /** Whether all have gone. */
  get isAbandoned(): boolean {
    return this.#isAbandoned;
  }

  /** What a loader listens to. Made when it is asked for: most loaders do not. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#isAbandoned) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** From now on the load goes on whoever leaves. */
  pin(): void {
    this.#isPinned = true;
  }

  /** A caller that can leave begins to wait. */
  enter(): void {
    this.#waiting += 1;
  }

  /** A caller that has entered gives up. */
  leave(reason: unknown): void {
    this.#waiting -= 1;
    if (this.#waiting > 0 || this.#isPinned || this.#isAbandoned) return;
    this.#isAbandoned = true;
    this.#reason = reason;
    for (const listener of [...(this.#listeners ?? [])]) listener();
    this.#controller?.abort(reason);
  }

  /** Is told when all have gone. Gives a function that takes the listener off. */
  onAbandoned(listener: () => void): () => void {
    const listeners = (this.#listeners ??= []);
    listeners.push(listener);
    return () => {
      const index = listeners.indexOf(listener);
      if (index !== -1) listeners.splice(index, 1);
    };
  }
}
