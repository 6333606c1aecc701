/** Calls that hang until they are let go. */
export interface HeldCalls {
  /** How many calls hang now. */
  readonly waiting: number;
  /** Resolves as soon as at least so many calls hang. */
  arrived(count?: number): Promise<void>;
  /** Lets go what hangs, and holds nothing more. Calling it again does nothing. */
  release(): void;
}

/** One place where calls wait. Once open it stays open. */
export class Gate implements HeldCalls {
  readonly #opened: Promise<void>;
  readonly #open: () => void;
  readonly #watchers: { readonly count: number; readonly tell: () => void }[] = [];
  readonly #onRelease: () => void;
  #waiting = 0;
  #isOpen = false;

  constructor(onRelease: () => void) {
    let open = (): void => undefined;
    this.#opened = new Promise((resolve) => (open = resolve));
    this.#open = open;
    this.#onRelease = onRelease;
  }

  get waiting(): number {
    return this.#waiting;
  }

  wait(): Promise<void> {
    if (this.#isOpen) return this.#opened;
    this.#waiting += 1;
    for (const { count, tell } of this.#watchers) if (this.#waiting >= count) tell();
    return this.#opened;
  }

  arrived(count = 1): Promise<void> {
    if (this.#waiting >= count) return Promise.resolve();
    return new Promise((tell) => this.#watchers.push({ count, tell }));
  }

  release(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#waiting = 0;
    this.#onRelease();
    this.#open();
  }
}
