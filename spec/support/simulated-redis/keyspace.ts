import { ReplyError, WRONG_TYPE } from './redis-reply.js';

/** What a key holds. The characters of texts are bytes. */
export type Held =
  | string
  | Set<string>
  | { readonly fields: Map<string, string> }
  | { readonly scores: Map<string, number> };

/** How a command has used a key. */
export type Touch = 'read' | 'write';

interface Slot {
  held: Held;
  /** Counts up, and is never used again: the place of the key in a walk over all. */
  readonly number: number;
  /** By the server's clock in milliseconds; `Infinity` = never. */
  expiresAt: number;
}

/** The keys of a simulated server, with their expiries by a clock of its own. */
export class Keyspace {
  readonly #slots = new Map<string, Slot>();
  #count = 0;
  #touched = new Map<string | undefined, Touch>();
  /** Whether the command that runs has changed something. */
  isChanged = false;

  /** @param nowMs - the server's clock, in milliseconds; fractions count */
  constructor(readonly nowMs: () => number) {}

  /** Begins a command; gives what it will have touched, where `undefined` is a walk over all keys. */
  startCommand(): ReadonlyMap<string | undefined, Touch> {
    this.isChanged = false;
    return (this.#touched = new Map());
  }

  /** Says that a command has changed what a key holds. */
  change(key: string): void {
    this.isChanged = true;
    this.#touched.set(key, 'write');
  }

  /** The keys that are there, in the order in which they came. */
  keys(): string[] {
    this.#touched.set(undefined, 'read');
    return [...this.#slots.keys()].filter((key) => this.#slot(key) !== undefined);
  }

  /** The same, each with its place in a walk: a key that stays is never passed over. */
  numberedKeys(): (readonly [number: number, key: string])[] {
    return this.keys().map((key) => [this.#slots.get(key)!.number, key]);
  }

  has(key: string): boolean {
    return this.#slot(key) !== undefined;
  }

  get(key: string): Held | undefined {
    return this.#slot(key)?.held;
  }

  /** @throws ReplyError when the key holds something else */
  text(key: string): string | undefined {
    const held = this.get(key);
    if (held === undefined || typeof held === 'string') return held;
    throw new ReplyError(WRONG_TYPE);
  }

  /** @throws ReplyError when the key holds something else */
  members(key: string): Set<string> | undefined {
    const held = this.get(key);
    if (held === undefined || held instanceof Set) return held;
    throw new ReplyError(WRONG_TYPE);
  }

  /** @throws ReplyError when the key holds something else */
  fields(key: string): Map<string, string> | undefined {
    const held = this.get(key);
    if (held === undefined) return undefined;
    if (typeof held === 'object' && 'fields' in held) return held.fields;
    throw new ReplyError(WRONG_TYPE);
  }

  /** @throws ReplyError when the key holds something else */
  scores(key: string): Map<string, number> | undefined {
    const held = this.get(key);
    if (held === undefined) return undefined;
    if (typeof held === 'object' && 'scores' in held) return held.scores;
    throw new ReplyError(WRONG_TYPE);
  }

  /** Puts something under a key. Without an expiry, it keeps the one that the key has. */
  put(key: string, held: Held, expiresAt?: number): void {
    this.change(key);
    const slot = this.#slot(key);
    if (slot === undefined)
      this.#slots.set(key, {
        held,
        number: ++this.#count,
        expiresAt: expiresAt ?? Infinity,
      });
    else {
      slot.held = held;
      if (expiresAt !== undefined) slot.expiresAt = expiresAt;
    }
  }

  delete(key: string): boolean {
    if (this.#slot(key) === undefined) return false;
    this.change(key);
    return this.#slots.delete(key);
  }

  clear(): void {
    for (const key of this.#slots.keys()) this.change(key);
    this.#slots.clear();
  }

  /** `Infinity` = never; `undefined` when there is no such key. */
  expiryOf(key: string): number | undefined {
    return this.#slot(key)?.expiresAt;
  }

  setExpiry(key: string, expiresAt: number): boolean {
    const slot = this.#slot(key);
    if (slot === undefined) return false;
    this.change(key);
    slot.expiresAt = expiresAt;
    return true;
  }

  #slot(key: string): Slot | undefined {
    if (!this.#touched.has(key)) this.#touched.set(key, 'read');
    const slot = this.#slots.get(key);
    if (slot === undefined || slot.expiresAt > this.nowMs()) return slot;
    this.#slots.delete(key);
    return undefined;
  }
}
