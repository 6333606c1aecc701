import type {
  BackendContext,
  BackendStore,
  EntryWrite,
  FillStart,
  FillToken,
  KeyPattern,
  ScanPage,
  ScanRequest,
  StoredEntry,
  StoreOutcome,
} from 'cachewell';
import { OpenTokens } from './open-tokens.js';
import type { TagMarks } from './tag-marks.js';

/** What a store gets from its backend. */
interface MapStoreInput {
  readonly name: string;
  readonly context: BackendContext;
  readonly marks: TagMarks;
  readonly maxEntries: number;
  /** Throws once the backend is closed. */
  readonly expectOpen: () => void;
}

/** An entry, and a number that grows from key to key, so that a walk knows where it was. */
interface Slot {
  readonly id: number;
  readonly entry: StoredEntry;
}

/** The entries of one cache, the oldest key first. */
export class MapStore implements BackendStore {
  readonly #input: MapStoreInput;
  readonly #tokens = new OpenTokens();
  #slots = new Map<string, Slot>();
  #lastId = 0;

  constructor(input: MapStoreInput) {
    this.#input = input;
  }

  get size(): number {
    return this.#slots.size;
  }

  get(key: string): StoredEntry | undefined {
    this.#input.expectOpen();
    return this.#live(key)?.entry;
  }

  getMany(keys: readonly string[]): readonly (StoredEntry | undefined)[] {
    return keys.map((key) => this.get(key));
  }

  begin(keys: readonly string[]): readonly FillStart[] {
    this.#input.expectOpen();
    const { sequence } = this.#input.marks;
    return keys.map((key) => ({ token: this.#tokens.take(key, sequence), entry: this.get(key) }));
  }

  watch(): FillToken {
    this.#input.expectOpen();
    return this.#tokens.take('', this.#input.marks.sequence);
  }

  release(tokens: readonly FillToken[]): void {
    for (const token of tokens) this.#tokens.end(token);
  }

  store(writes: readonly EntryWrite[]): readonly StoreOutcome[] {
    this.#input.expectOpen();
    return writes.map((write) => this.#write(write));
  }

  delete(keys: readonly string[]): number {
    this.#input.expectOpen();
    let count = 0;
    for (const key of keys) {
      this.#tokens.void(key);
      if (this.#live(key) !== undefined) count += 1;
      this.#slots.delete(key);
    }
    return count;
  }

  deletePattern(pattern: KeyPattern): number {
    this.#input.expectOpen();
    this.#tokens.voidMatching(pattern);
    return this.delete([...this.#slots.keys()].filter((key) => pattern.matches(key)));
  }

  clear(): void {
    this.#input.expectOpen();
    this.#tokens.voidAll();
    this.#slots = new Map();
  }

  expire(key: string, ttlMs: number, retainMs: number): boolean {
    this.#input.expectOpen();
    const slot = this.#live(key);
    if (slot === undefined) return false;
    const now = this.#input.context.clock.now();
    const times = { expiresAt: now + ttlMs, retainedUntil: now + retainMs };
    this.#slots.set(key, { id: slot.id, entry: { ...slot.entry, ...times } });
    return true;
  }

  touch(key: string, retainMs: number): void {
    const slot = this.#live(key);
    if (slot === undefined) return;
    const retainedUntil = this.#input.context.clock.now() + retainMs;
    this.#slots.set(key, { id: slot.id, entry: { ...slot.entry, retainedUntil } });
  }

  scan({ pattern, cursor = '0', count }: ScanRequest): ScanPage {
    this.#input.expectOpen();
    const keys: string[] = [];
    for (const [key, { id }] of this.#slots) {
      if (id <= Number(cursor) || pattern?.matches(key) === false) continue;
      if (this.#live(key) === undefined) continue;
      keys.push(key);
      if (keys.length >= count) return { keys, cursor: String(id) };
    }
    return { keys, cursor: '0' };
  }

  /** Whether the fence holds, and storing, are one step. */
  #write({ key, entry, fence }: EntryWrite): StoreOutcome {
    const { marks } = this.#input;
    const isHeld =
      fence.kind === 'set' ||
      (this.#tokens.holds(fence.token, key) && !marks.voids(entry.tags, fence.token.sequence));
    if (fence.kind !== 'set') this.#tokens.end(fence.token);
    // Whoever was loading this key has read what is replaced here.
    if (fence.kind !== 'fill') this.#tokens.void(key);
    if (!isHeld) {
      if (fence.kind === 'put') this.#slots.delete(key);
      return 'refused';
    }
    const sequence = fence.kind === 'set' ? marks.sequence : fence.token.sequence;
    const id = this.#slots.get(key)?.id ?? ++this.#lastId;
    this.#slots.set(key, { id, entry: { ...entry, sequence, source: 'l1' } });
    this.#keepBound();
    return 'stored';
  }

  /** What is neither expired nor void. The rest is freed when it is met. */
  #live(key: string): Slot | undefined {
    const slot = this.#slots.get(key);
    if (slot === undefined) return undefined;
    const { marks, context } = this.#input;
    const { retainedUntil, tags, sequence } = slot.entry;
    if (retainedUntil > context.clock.now() && !marks.voids(tags, sequence)) return slot;
    this.#slots.delete(key);
    return undefined;
  }

  #keepBound(): void {
    const { maxEntries, context, name } = this.#input;
    if (this.#slots.size <= maxEntries) return;
    const [oldest] = this.#slots.keys();
    this.#slots.delete(oldest!);
    context.report({ type: 'evict', cache: name, key: oldest!, reason: 'entries' });
  }
}
