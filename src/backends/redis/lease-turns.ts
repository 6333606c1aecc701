import type { LoadTurn } from '../../cache/backend.js';
import type { CacheError } from '../../errors.js';
import { OVER } from './lease-scripts.js';

/** How long after a lease's end a waiter looks again, at the least and at the most. In milliseconds. */
const SOONEST_MS = 5;
const LATEST_MS = 60;
/** The longest lease there is, in milliseconds: a message that tells of a longer one is not waited for. */
const LONGEST_LEASE_MS = 60_000;

/** A load of another process that this process waits for. */
export class LeaseTurn implements LoadTurn {
  readonly whenOver: Promise<void>;
  #failure: CacheError | undefined;
  readonly #forget: (turn: LeaseTurn) => void;
  readonly #patienceMs: number;
  #resolve: () => void = () => undefined;
  /** By `performance.now()`. */
  #endsAt = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;
  #isUnshared = false;

  constructor(
    /** The entry's key in Redis. */
    readonly name: string,
    forget: (turn: LeaseTurn) => void,
    random: () => number,
  ) {
    this.#forget = forget;
    // Not all waiters at once: the first one takes over, and its message reaches the others before they look.
    this.#patienceMs = SOONEST_MS + random() * (LATEST_MS - SOONEST_MS);
    this.whenOver = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  get failure(): CacheError | undefined {
    return this.#failure;
  }

  get isUnshared(): boolean {
    return this.#isUnshared;
  }

  /** Takes when the lease ends, in milliseconds from now. One timer serves however often it moves. */
  waitFor(leftMs: number): void {
    const endsAt = performance.now() + Math.min(leftMs, LONGEST_LEASE_MS) + this.#patienceMs;
    this.#endsAt = Math.max(this.#endsAt, endsAt);
    if (!this.#isOver) this.#timer ??= this.#arm();
  }

  /** The load is over, or nobody knows any more. */
  end(isUnshared = false): void {
    if (this.#isOver) return;
    this.#isUnshared = isUnshared;
    this.cancel();
    this.#resolve();
  }

  /** The store does not answer. */
  fail(error: CacheError): void {
    if (this.#isOver) return;
    this.#failure = error;
    this.end();
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#forget(this);
  }

  #arm(): NodeJS.Timeout {
    return setTimeout(() => this.#look(), Math.max(1, this.#endsAt - performance.now())).unref();
  }

  #look(): void {
    if (performance.now() < this.#endsAt) this.#timer = this.#arm();
    else this.end();
  }
}

/**
 * What this process waits for, by the entry's key in Redis.
 *
 * A turn is in here before Redis is asked for the lease, for the message that wakes it travels on another connection
 * than the answer and may come first.
 */
export class LeaseTurns {
  readonly #turns = new Map<string, Set<LeaseTurn>>();
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** How many turns are waited for. */
  get size(): number {
    let size = 0;
    for (const turns of this.#turns.values()) size += turns.size;
    return size;
  }

  /** The keys that are waited for. */
  names(): readonly string[] {
    return [...this.#turns.keys()];
  }

  add(name: string): LeaseTurn {
    const turn = new LeaseTurn(name, this.#forget, this.#random);
    const others = this.#turns.get(name);
    if (others === undefined) this.#turns.set(name, new Set([turn]));
    else others.add(turn);
    return turn;
  }

  /** Takes a message of the scripts; see `lease-scripts.ts`. What is no such message says nothing. */
  receive(text: string): void {
    for (const [leftMs, name] of pairsOf(text)) {
      for (const turn of this.#turns.get(name) ?? []) {
        if (leftMs <= OVER) turn.end(leftMs < OVER);
        else turn.waitFor(leftMs);
      }
    }
  }

  /** Lets all look for themselves: messages may have been missed. */
  endAll(): void {
    for (const turns of [...this.#turns.values()]) for (const turn of [...turns]) turn.end();
  }

  /** Ends the turns of a key for which the store does not answer. */
  fail(name: string, error: CacheError): void {
    for (const turn of [...(this.#turns.get(name) ?? [])]) turn.fail(error);
  }

  readonly #forget = (turn: LeaseTurn): void => {
    const turns = this.#turns.get(turn.name);
    turns?.delete(turn);
    if (turns?.size === 0) this.#turns.delete(turn.name);
  };
}

function pairsOf(text: string): readonly (readonly [leftMs: number, name: string])[] {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    // Whoever may publish to the channel may publish anything; waiters have a timer.
    return [];
  }
  if (!Array.isArray(message)) return [];
  const pairs: [number, string][] = [];
  for (let index = 0; index + 1 < message.length; index += 2) {
    const [leftMs, name] = message.slice(index, index + 2) as unknown[];
    if (typeof leftMs === 'number' && typeof name === 'string') pairs.push([leftMs, name]);
  }
  return pairs;
}
