import { expect } from 'chai';
import fc from 'fast-check';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import type { MemoryBackendOptions } from '#internal/backends/memory/memory-backend-options.js';
import type {
  BackendEvent,
  BackendStore,
  EntryWrite,
  Fence,
  ValueSizes,
} from '#internal/cache/backend.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import type { StoredEntry } from '#internal/cache/entry.js';
import { startsWith } from '#internal/testing/backend-session.js';
import { checkMemoryInvariants } from '../support/memory-invariants.js';
import { MemoryModel, type ModelToken } from '../support/memory-model.js';

const CACHES = ['users', 'orders'] as const;
const KEYS = ['a1', 'a2', 'b1', 'b2', 'c'] as const;
const TAGS = ['blue', 'green', 'red', 'white'] as const;

const cache = fc.constantFrom(...CACHES);
const key = fc.constantFrom(...KEYS);
const keys = fc.array(key, { maxLength: 4 });
const tags = fc.subarray([...TAGS]);
/** Which of the tokens taken so far: the index modulo their number. */
const which = fc.nat({ max: 20 });
const span = fc.constantFrom(10, 50, 200, Infinity);
const entry = fc.record({ value: fc.string({ maxLength: 40 }), tags, ttl: span, grace: span });

const operation = fc.oneof(
  fc.record({ type: fc.constant('get'), cache, key }),
  fc.record({ type: fc.constant('getMany'), cache, keys }),
  fc.record({ type: fc.constant('begin'), cache, keys }),
  fc.record({ type: fc.constant('watch'), cache }),
  fc.record({ type: fc.constant('release'), which }),
  fc.record({ type: fc.constant('set'), cache, key, entry }),
  fc.record({ type: fc.constant('fill'), which, entry }),
  fc.record({ type: fc.constant('put'), which, key, entry }),
  fc.record({ type: fc.constant('delete'), cache, keys }),
  fc.record({
    type: fc.constant('deletePattern'),
    cache,
    prefix: fc.constantFrom('a', 'b', 'c', 'z'),
  }),
  fc.record({ type: fc.constant('clear'), cache }),
  fc.record({ type: fc.constant('clearAll') }),
  fc.record({ type: fc.constant('anyOf'), tags }),
  fc.record({ type: fc.constant('allOf'), tags }),
  fc.record({ type: fc.constant('expire'), cache, key, ttl: span, grace: span }),
  fc.record({ type: fc.constant('scan'), cache, count: fc.integer({ min: 1, max: 6 }) }),
  fc.record({ type: fc.constant('advance'), ms: fc.constantFrom(1, 10, 60, 300) }),
  fc.record({ type: fc.constant('sweep'), limit: fc.constantFrom(1, 3, Infinity) }),
);
type Operation = typeof operation extends fc.Arbitrary<infer Value> ? Value : never;

/** A backend and its model, driven side by side. */
class Comparison {
  readonly model = new MemoryModel();
  readonly backend: MemoryBackend;
  readonly #events: BackendEvent[] = [];
  readonly #stores: ReadonlyMap<string, BackendStore>;

  /** @param sizes - what the second cache knows of the sizes of its values */
  constructor(options: MemoryBackendOptions, sizes?: ValueSizes) {
    this.backend = new MemoryBackend({ ...options, sweepInterval: Infinity });
    this.backend.attach({
      clock: { now: () => this.model.now },
      logger: silentLogger,
      framer: undefined as never,
      report: (event) => void this.#events.push(event),
    });
    const spaces = [{ name: CACHES[0] }, { name: CACHES[1], ...(sizes && { sizes }) }];
    this.#stores = new Map(
      spaces.map((space) => [space.name, this.backend.open({ version: '1', ...space })]),
    );
  }

  step(op: Operation): void {
    this.#run(op);
    this.#applyEvents();
    const { claims, holders, watchers } = checkMemoryInvariants(this.backend);
    const open = this.model.tokens.filter(({ isEnded, isHeld, key: k }) => {
      return !isEnded && (isHeld || k === undefined);
    });
    const claimed = open.filter((token) => token.key !== undefined);
    expect(holders, 'holders of claims').to.equal(claimed.length);
    expect(claims).to.equal(new Set(claimed.map((t) => `${t.cache} ${t.key}`)).size);
    expect(watchers).to.equal(open.length - claimed.length);
    for (const name of CACHES) for (const each of KEYS) this.#compare(name, each);
  }

  /** Ends everything, and expects nothing to be left. */
  finish(): void {
    for (const { cache: name, real } of this.model.tokens) this.#store(name).release([real]);
    this.backend.clearAll();
    this.backend.sweep();
    const left = checkMemoryInvariants(this.backend);
    expect(left).to.deep.equal({
      entries: 0,
      bytes: 0,
      expiring: 0,
      claims: 0,
      holders: 0,
      watchers: 0,
      markersInUse: 0,
      hasTimer: false,
    });
  }

  #run(op: Operation): void {
    const { model, backend } = this;
    switch (op.type) {
      case 'get':
        return this.#expectEntry(this.#store(op.cache).get(op.key), op.cache, op.key);
      case 'getMany': {
        const entries = this.#store(op.cache).getMany(op.keys) as readonly (
          StoredEntry | undefined
        )[];
        return op.keys.forEach((k, index) => this.#expectEntry(entries[index], op.cache, k));
      }
      case 'begin':
        for (const start of this.#store(op.cache).begin(op.keys) as readonly {
          token: { key: string; sequence: number };
          entry: StoredEntry | undefined;
        }[]) {
          model.take(start.token, op.cache, start.token.key);
          expect(start.token.sequence).to.equal(model.sequence);
          this.#expectEntry(start.entry, op.cache, start.token.key);
        }
        return;
      case 'watch':
        model.take(this.#store(op.cache).watch() as never, op.cache, undefined);
        return;
      case 'release': {
        const token = this.#token(op.which);
        if (token === undefined) return;
        this.#store(token.cache).release([token.real]);
        token.isEnded = true;
        return;
      }
      case 'set':
        return this.#write(op.cache, op.key, op.entry, { kind: 'set' });
      case 'fill': {
        const token = this.#token(op.which);
        if (token?.key === undefined) return;
        const fence = { kind: 'fill', token: token.real } as const;
        return this.#write(token.cache, token.key, op.entry, fence, token);
      }
      case 'put': {
        const token = this.#token(op.which);
        if (token === undefined) return;
        const fence = { kind: 'put', token: token.real } as const;
        return this.#write(token.cache, token.key ?? op.key, op.entry, fence, token);
      }
      case 'delete':
        expect(this.#store(op.cache).delete(op.keys)).to.equal(model.delete(op.cache, op.keys));
        return;
      case 'deletePattern': {
        const pattern = startsWith(op.prefix);
        const count = this.#store(op.cache).deletePattern(pattern);
        expect(count).to.equal(model.deletePattern(op.cache, pattern));
        return;
      }
      case 'clear':
        void this.#store(op.cache).clear();
        return model.clear(op.cache);
      case 'clearAll':
        backend.clearAll();
        return CACHES.forEach((name) => model.clear(name));
      case 'anyOf':
        backend.invalidateTags({ anyOf: op.tags });
        if (op.tags.length > 0) model.invalidate({ anyOf: op.tags });
        return;
      case 'allOf':
        backend.invalidateTags({ allOf: op.tags });
        if (op.tags.length > 0) model.invalidate({ allOf: op.tags });
        return;
      case 'expire': {
        const known = model.get(op.cache, op.key);
        const retain = op.ttl + op.grace;
        expect(this.#store(op.cache).expire(op.key, op.ttl, retain)).to.equal(known !== undefined);
        if (known === undefined) return;
        const times = { expiresAt: model.now + op.ttl, retainedUntil: model.now + retain };
        model.entries(op.cache).set(op.key, { ...known, ...times });
        return;
      }
      case 'scan':
        return this.#scan(op.cache, op.count);
      case 'advance':
        model.now += op.ms;
        return;
      case 'sweep':
        backend.sweep(op.limit);
        if (op.limit === Infinity) expect(backend.sweep()).to.equal(0);
    }
  }

  #write(
    name: string,
    k: string,
    { value, tags: own, ttl, grace }: { value: string; tags: string[]; ttl: number; grace: number },
    fence: Fence,
    token?: ModelToken,
  ): void {
    const createdAt = this.model.now;
    const expiresAt = createdAt + ttl;
    const retainedUntil = expiresAt + grace;
    const times = { createdAt, expiresAt, retainedUntil };
    const write: EntryWrite = {
      key: k,
      entry: { value, kind: 'value', tags: own, loadCostMs: 0, ...times },
      fence,
    };
    const [outcome] = this.#store(name).store([write]) as readonly unknown[];
    expect(outcome).to.equal(this.model.write(name, write, token));
  }

  #scan(name: string, count: number): void {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = this.#store(name).scan({ cursor, count }) as { keys: string[]; cursor: string };
      seen.push(...page.keys);
      cursor = page.cursor;
    } while (cursor !== '0');
    expect(seen.sort()).to.deep.equal(KEYS.filter((k) => this.model.get(name, k) !== undefined));
  }

  /** What the bound has taken is no longer expected; what it says it took must have been there. */
  #applyEvents(): void {
    for (const event of this.#events.splice(0)) {
      if (event.type === 'evict') {
        const entries = this.model.entries(event.cache);
        expect(entries.has(event.key), `evicted '${event.key}' was there`).to.equal(true);
        entries.delete(event.key);
      } else {
        expect(event.type).to.equal('expire');
      }
    }
  }

  /** Compares an entry without reading it through the store, which would count as a use. */
  #compare(name: string, k: string): void {
    const { nodes } = this.#store(name) as unknown as { nodes: Map<string, StoredEntry> };
    const expected = this.model.get(name, k);
    if (expected !== undefined) this.#expectEntry(nodes.get(k), name, k);
  }

  #expectEntry(actual: unknown, name: string, k: string): void {
    const expected = this.model.get(name, k);
    const found = actual as StoredEntry | undefined;
    expect(found?.value, `value of '${k}' in '${name}'`).to.equal(expected?.value);
    if (found === undefined || expected === undefined) return;
    expect(found.tags).to.deep.equal(expected.tags);
    expect(found.sequence).to.equal(expected.sequence);
    expect(found.expiresAt).to.equal(expected.expiresAt);
    expect(found.retainedUntil).to.equal(expected.retainedUntil);
  }

  #token(index: number): ModelToken | undefined {
    const { tokens } = this.model;
    return tokens.length === 0 ? undefined : tokens[index % tokens.length];
  }

  #store(name: string): BackendStore {
    return this.#stores.get(name)!;
  }
}

function holdsFor(options: MemoryBackendOptions, sizes?: ValueSizes): void {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 80, size: 'max' }), (operations) => {
      const comparison = new Comparison(options, sizes);
      for (const op of operations) comparison.step(op);
      comparison.finish();
    }),
    { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 300) },
  );
}

describe('MemoryBackend against a model', function () {
  this.timeout(60_000);

  it('answers as the model does, and its books agree after each step', () => {
    holdsFor({});
  });

  it('forgets only what it reports, when bounded in entries', () => {
    holdsFor({ maxEntries: 4 });
  });

  it('forgets only what it reports, when bounded in bytes', () => {
    holdsFor({ maxEntries: Infinity, maxBytes: 2_000 });
  });

  it('forgets only what it reports, when values of known sizes are bounded', () => {
    // Some are a good part of the 256 MiB that all of them may take.
    holdsFor({}, { bytesOf: (value) => (value as string).length * 4_000_000 });
  });

  it('answers as the model does with copies', () => {
    holdsFor({ isolation: 'copy', maxEntries: 6 });
  });
});
