import assert from 'node:assert/strict';
import type {
  BackendContext,
  BackendEvent,
  BackendStore,
  CacheBackend,
  EntryWrite,
  FillStart,
  FillToken,
  ReadHints,
  StoreOutcome,
} from '../cache/backend.js';
import { silentLogger } from '../cache/cache-logger.js';
import type { StoredEntry } from '../cache/entry.js';
import type { EntryFramer } from '../cache/entry-framer.js';
import type { KeyPattern } from '../cache/key-pattern.js';
import type { MaybePromise } from '../cache/maybe-promise.js';
import { systemClock, type CacheClock } from '../clock.js';

/** One backend, made for one case: empty, seen by nobody else, not attached. */
export interface BackendUnderTest {
  readonly backend: CacheBackend;
  /** The clock that the backend shall use. @defaultValue the system's */
  readonly clock?: CacheClock | undefined;
  /** Needed by backends that store bytes. */
  readonly framer?: EntryFramer | undefined;
  /**
   * Lets so many milliseconds pass, by the given clock and in the store alike. Without it the cases about physical
   * expiry are skipped.
   */
  readonly advance?: ((ms: number) => MaybePromise<void>) | undefined;
  /**
   * Makes all leases of loaders lapse, as if their processes had died long ago. Without it the case about taking over
   * is skipped.
   */
  readonly lapse?: (() => MaybePromise<void>) | undefined;
  /** Cleans up after the case. @defaultValue closes the backend */
  readonly close?: (() => MaybePromise<void>) | undefined;
}

type Entry = EntryWrite['entry'];

/** A backend in a conformance case, and short words for what cases do with it. */
export class BackendSession {
  readonly backend: CacheBackend;
  readonly clock: CacheClock;
  readonly events: BackendEvent[] = [];
  readonly #underTest: BackendUnderTest;

  constructor(underTest: BackendUnderTest) {
    this.#underTest = underTest;
    this.backend = underTest.backend;
    this.clock = underTest.clock ?? systemClock;
    this.backend.attach(this.context());
  }

  /** What a manager would share with the backend. */
  context(): BackendContext {
    const { clock, events } = this;
    const framer = this.#underTest.framer ?? absentFramer;
    return { clock, logger: silentLogger, framer, report: (event) => void events.push(event) };
  }

  async advance(ms: number): Promise<void> {
    await this.#underTest.advance?.(ms);
  }

  async lapse(): Promise<void> {
    await this.#underTest.lapse?.();
  }

  async close(): Promise<void> {
    if (this.#underTest.close === undefined) await this.backend.close(1_000);
    else await this.#underTest.close();
  }

  open(name = 'users', version = '1'): BackendStore {
    return this.backend.open({ name, version, framing: { errors: errorModel } });
  }

  /** A record that never expires, unless told otherwise. */
  entry(value: unknown, overrides: Partial<Entry> = {}): Entry {
    const times = { createdAt: this.clock.now(), expiresAt: Infinity, retainedUntil: Infinity };
    return { value, kind: 'value', tags: [], loadCostMs: 0, ...times, ...overrides };
  }

  async set(
    store: BackendStore,
    key: string,
    value: unknown,
    entry?: Partial<Entry>,
  ): Promise<void> {
    const write: EntryWrite = { key, entry: this.entry(value, entry), fence: { kind: 'set' } };
    assert.deepEqual(await store.store([write]), ['stored'], `set of '${key}'`);
  }

  async setAll(
    store: BackendStore,
    keys: readonly string[],
    entry?: Partial<Entry>,
  ): Promise<void> {
    const writes = keys.map((key): EntryWrite => {
      return { key, entry: this.entry(`value of ${key}`, entry), fence: { kind: 'set' } };
    });
    const outcomes = await store.store(writes);
    assert.deepEqual(
      outcomes,
      keys.map(() => 'stored'),
      'outcomes of a batch of sets',
    );
  }

  async start(store: BackendStore, key: string, hints?: ReadHints): Promise<FillStart> {
    const starts = await store.begin([key], hints);
    assert.equal(starts.length, 1, 'begin gives one start for one key');
    return starts[0]!;
  }

  async begin(store: BackendStore, key: string, hints?: ReadHints): Promise<FillToken> {
    return (await this.start(store, key, hints)).token;
  }

  async fill(
    store: BackendStore,
    token: FillToken,
    value: unknown,
    entry?: Partial<Entry>,
  ): Promise<StoreOutcome> {
    const write: EntryWrite = {
      key: token.key,
      entry: this.entry(value, entry),
      fence: { kind: 'fill', token },
    };
    return (await store.store([write]))[0]!;
  }

  async put(
    store: BackendStore,
    key: string,
    token: FillToken,
    value: unknown,
    entry?: Partial<Entry>,
  ): Promise<StoreOutcome> {
    const fence = { kind: 'put', token } as const;
    return (await store.store([{ key, entry: this.entry(value, entry), fence }]))[0]!;
  }

  async get(store: BackendStore, key: string): Promise<StoredEntry> {
    const entry = await store.get(key, { needsTimes: true });
    assert.ok(entry !== undefined, `'${key}' is there`);
    return entry;
  }

  /** Expects a value under a key, and nothing with `undefined`. */
  async expect(store: BackendStore, key: string, value: unknown): Promise<void> {
    const entry = await store.get(key);
    assert.deepEqual(entry?.value, value, `value under '${key}'`);
    assert.equal(entry === undefined, value === undefined, `whether '${key}' is there`);
  }

  async expectAbsent(store: BackendStore, ...keys: string[]): Promise<void> {
    for (const key of keys) await this.expect(store, key, undefined);
  }

  /** All keys that a walk gives, in pages of about `count`; sorted, without doubles. */
  async keys(store: BackendStore, pattern?: KeyPattern, count = 10): Promise<string[]> {
    const keys = new Set<string>();
    let cursor: string | undefined;
    do {
      const page = await store.scan({ pattern, cursor, count });
      for (const key of page.keys) keys.add(key);
      cursor = page.cursor;
    } while (cursor !== '0');
    return [...keys].sort();
  }
}

/** The pattern `prefix*`, for a prefix without glob characters unless the glob is given as well. */
export function startsWith(prefix: string, glob = `${prefix}*`): KeyPattern {
  return { glob, literalPrefix: prefix, matches: (key) => key.startsWith(prefix) };
}

/** How the suite's caches keep errors, for stores of bytes. */
const errorModel = {
  toPlain: (error: unknown) => ({ message: (error as Error).message }),
  fromPlain: (plain: unknown) => new TypeError((plain as { message: string }).message),
};

const absentFramer: EntryFramer = {
  encodeValue: noFramer,
  frame: noFramer,
  open: noFramer,
  decodeValue: noFramer,
};

function noFramer(): never {
  return assert.fail('A backend that stores bytes needs a framer: give one beside the backend');
}
