import { randomFrom } from './random.js';

interface Timer {
  dueAt: number;
  readonly everyMs: number | undefined;
  readonly fire: () => void;
}

const START_MS = 1_704_067_200_000;

/**
 * Time that passes only when it is told to: `setTimeout`, `setInterval`, `performance.now()`, and a clock for caches
 * and servers. Whoever runs schedules in it is bothered neither by a busy machine nor by timers of the last schedule.
 */
export class VirtualTime {
  readonly #timers = new Map<object, Timer>();
  #elapsedMs = 0;
  #random = randomFrom(0);
  #restore: (() => void) | undefined;

  /** Milliseconds since the epoch. */
  readonly now = (): number => START_MS + this.#elapsedMs;

  /** Takes the place of the process' timers and of chance, on which their delays may depend, until `uninstall`. */
  install(): void {
    const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis;
    const { random } = Math;
    Math.random = () => this.#random();
    const start = (isRepeated: boolean) => {
      return (callback: (...args: unknown[]) => void, delayMs = 0, ...args: unknown[]): object => {
        const delay = Math.max(1, delayMs);
        const handle = {
          unref: () => handle,
          ref: () => handle,
          hasRef: () => false,
          refresh: () => handle,
        };
        this.#timers.set(handle, {
          dueAt: this.#elapsedMs + delay,
          everyMs: isRepeated ? delay : undefined,
          fire: () => callback(...args),
        });
        return handle;
      };
    };
    const stop = (handle: object): void => void this.#timers.delete(handle);
    Object.assign(globalThis, {
      setTimeout: start(false),
      clearTimeout: stop,
      setInterval: start(true),
      clearInterval: stop,
    });
    Object.defineProperty(performance, 'now', {
      configurable: true,
      writable: true,
      value: () => this.#elapsedMs,
    });
    this.#restore = () => {
      Object.assign(globalThis, { setTimeout, clearTimeout, setInterval, clearInterval });
      Reflect.deleteProperty(performance, 'now');
      Math.random = random;
    };
  }

  uninstall(): void {
    this.#restore?.();
    this.#restore = undefined;
    this.reset();
  }

  /** Forgets all timers, and begins again. */
  reset(): void {
    this.#timers.clear();
    this.#elapsedMs = 0;
    this.#random = randomFrom(0);
  }

  /** Lets time pass; `settle` is awaited after each timer that fires. */
  async pass(ms: number, settle: () => Promise<void>): Promise<void> {
    const end = this.#elapsedMs + ms;
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      const [handle, timer] = next;
      this.#elapsedMs = Math.max(this.#elapsedMs, timer.dueAt);
      if (timer.everyMs === undefined) this.#timers.delete(handle);
      else timer.dueAt += timer.everyMs;
      timer.fire();
      await settle();
    }
    this.#elapsedMs = end;
  }

  #next(end: number): readonly [object, Timer] | undefined {
    let first: readonly [object, Timer] | undefined;
    for (const each of this.#timers) {
      if (each[1].dueAt <= end && (first === undefined || each[1].dueAt < first[1].dueAt)) {
        first = each;
      }
    }
    return first;
  }
}
