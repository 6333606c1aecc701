import { expect } from 'chai';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { NullBackend } from '#internal/backends/null-backend.js';
import type {
  BackendCapabilities,
  BackendStore,
  CacheBackend,
  CacheSpace,
  EntryWrite,
  FillStart,
  ScanPage,
} from '#internal/cache/backend.js';
import type { StoredEntry } from '#internal/cache/entry.js';
import type { BackendUnderTest } from '#internal/testing/backend-session.js';
import {
  describeBackend,
  type DescribeBackendOptions,
} from '#internal/testing/describe-backend.js';
import { ManualClock } from '#internal/testing/manual-clock.js';

interface SuiteResult {
  readonly passed: string[];
  readonly failed: string[];
  readonly skipped: string[];
}

/** Runs the suite with a framework of its own, and gives what became of each case. */
async function runSuite(
  makeBackend: () => CacheBackend,
  { hasTime = true, ...options }: DescribeBackendOptions & { hasTime?: boolean } = {},
): Promise<SuiteResult> {
  const cases: { name: string; body: (this: unknown) => Promise<void> }[] = [];
  const path: string[] = [];
  const words = {
    describe: (name: string, body: () => void): void => {
      path.push(name);
      body();
      path.pop();
    },
    it: (name: string, body: () => Promise<void>): void => {
      cases.push({ name: [...path.slice(1), name].join(': '), body });
    },
  };
  const underTest = (): BackendUnderTest => {
    const clock = new ManualClock();
    const backend = makeBackend();
    if (!hasTime) return { backend, clock };
    return { backend, clock, advance: (ms: number) => void clock.advance(ms) };
  };
  describeBackend(words, 'tested', underTest, options);
  const result: SuiteResult = { passed: [], failed: [], skipped: [] };
  for (const { name, body } of cases) {
    let isSkipped = false;
    try {
      await body.call({ skip: () => (isSkipped = true) });
      (isSkipped ? result.skipped : result.passed).push(name);
    } catch {
      result.failed.push(name);
    }
  }
  return result;
}

type Change = (
  store: BackendStore,
  inner: CacheBackend,
  space: CacheSpace,
) => Partial<BackendStore>;

/** A memory backend whose stores do some things differently. */
function broken(change: Change, capabilities: Partial<BackendCapabilities> = {}): CacheBackend {
  const inner = new MemoryBackend({ sweepInterval: Infinity });
  const opened = new Map<BackendStore, BackendStore>();
  return {
    name: 'broken',
    capabilities: { ...inner.capabilities, ...capabilities },
    attach: (context) => inner.attach(context),
    open: (space) => {
      const store = inner.open(space);
      if (!opened.has(store)) {
        const bound = Object.fromEntries(
          Object.getOwnPropertyNames(Object.getPrototypeOf(store))
            .filter((name) => name !== 'constructor' && name !== 'size' && name !== 'loading')
            .map((name) => [
              name,
              (store as never as Record<string, () => void>)[name]!.bind(store),
            ]),
        ) as unknown as BackendStore;
        opened.set(store, { ...bound, ...change(store, inner, space) });
      }
      return opened.get(store)!;
    },
    invalidateTags: (selection) => inner.invalidateTags(selection),
    clearAll: () => inner.clearAll(),
    ping: () => inner.ping(),
    health: () => inner.health(),
    info: () => inner.info(),
    close: (timeoutMs) => inner.close(timeoutMs),
  };
}

const unfenced = (write: EntryWrite): EntryWrite => ({ ...write, fence: { kind: 'set' } });
const withRecord = (entry: StoredEntry | undefined, change: object): StoredEntry | undefined => {
  if (entry === undefined) return undefined;
  const { value, kind, tags, sequence, createdAt, expiresAt, retainedUntil, loadCostMs, source } =
    entry;
  const record = { value, kind, tags, sequence, createdAt, expiresAt, retainedUntil, loadCostMs };
  return { ...record, source, ...change };
};

/** Faults that stores have, each with a word of a case that must notice it. */
const FAULTS: readonly (readonly [fault: string, change: Change, caseThatFails: RegExp])[] = [
  [
    'stores every fill',
    (store) => ({ store: (writes) => store.store(writes.map(unfenced)) }),
    /refuses a fill that began before a delete of the key/,
  ],
  [
    'stores every put',
    (store) => ({
      store: (writes) =>
        store.store(writes.map((write) => (write.fence.kind === 'put' ? unfenced(write) : write))),
    }),
    /refuses a put that began before .*, and voids the key/,
  ],
  [
    'treats puts as fills',
    (store) => ({
      store: (writes) =>
        store.store(
          writes.map((write) =>
            write.fence.kind === 'put'
              ? { ...write, fence: { ...write.fence, kind: 'fill' } }
              : write,
          ),
        ),
    }),
    /voids the key/,
  ],
  [
    'takes null for absent',
    (store) => ({
      get: (key) => {
        const entry = store.get(key) as StoredEntry | undefined;
        return entry?.value === null ? undefined : entry;
      },
    }),
    /keeps null/,
  ],
  [
    'gives copies of the record without tags',
    (store) => ({ get: (key) => withRecord(store.get(key) as StoredEntry, { tags: [] }) }),
    /gives the record back/,
  ],
  [
    'forgets what an entry is',
    (store) => ({ get: (key) => withRecord(store.get(key) as StoredEntry, { kind: 'value' }) }),
    /tells cached errors/,
  ],
  [
    'gives getMany in another order',
    (store) => ({ getMany: (keys) => store.getMany([...keys].sort()) }),
    /in the order of the keys/,
  ],
  [
    'counts keys instead of entries',
    (store) => ({
      delete: (keys) => {
        void store.delete(keys);
        return keys.length;
      },
    }),
    /counts live entries/,
  ],
  [
    'deletes only the first of many keys',
    (store) => ({ delete: (keys) => store.delete(keys.slice(0, 1)) }),
    /a delete of many keys/,
  ],
  [
    'clears other caches, too',
    (_, inner) => ({ clear: () => inner.clearAll() }),
    /clears one cache, in one version/,
  ],
  ['does not clear', () => ({ clear: () => undefined }), /clears one cache/],
  [
    'shares entries between versions',
    (_, inner, { name }) => {
      const store = inner.open({ name, version: '' });
      return { get: (key) => store.get(key), store: (writes) => store.store(writes) };
    },
    /keeps caches and versions apart/,
  ],
  [
    'gives tokens, and no entry with them',
    (store) => ({
      begin: (keys) =>
        (store.begin(keys) as FillStart[]).map((start) => ({ ...start, entry: undefined })),
    }),
    /gives the entry that has appeared meanwhile/,
  ],
  [
    'ignores expire',
    (store) => ({ expire: (key) => store.get(key) !== undefined }),
    /sets both expiries/,
  ],
  [
    'says that it sets an expiry where nothing is',
    (store) => ({
      expire: (key, ttlMs, retainMs) => Boolean(store.expire(key, ttlMs, retainMs)) || true,
    }),
    /sets no expiry where there is no entry/,
  ],
  [
    'gives the first page only',
    (store) => ({
      scan: (request) => ({ ...(store.scan(request) as ScanPage), cursor: '0' }),
    }),
    /lists every key of the cache/,
  ],
  [
    'does not match when listing',
    (store) => ({ scan: ({ cursor, count }) => store.scan({ cursor, count }) }),
    /lists the keys that match/,
  ],
  ['keeps released tokens', () => ({ release: () => undefined }), /whose token was given back/],
  [
    'watches no key',
    (store) => ({
      watch: () => ({ key: '', sequence: 0 }),
      store: (writes) =>
        store.store(
          writes.map((write) =>
            write.fence.kind === 'put' && write.fence.token.key === '' ? unfenced(write) : write,
          ),
        ),
    }),
    /refuses a put whose key was not known/,
  ],
  [
    'turns glob characters into others',
    (store) => ({
      get: (key) => store.get(key.replace(/[*?]/g, 'X')),
      store: (writes) =>
        store.store(writes.map((write) => ({ ...write, key: write.key.replace(/[*?]/g, 'X') }))),
    }),
    /keeps apart keys with any characters/,
  ],
];

describe('describeBackend', function () {
  this.timeout(20_000);

  it('passes a sound backend, and skips what it cannot be asked', async () => {
    const result = await runSuite(() => new MemoryBackend({ sweepInterval: Infinity }));
    expect(result.failed).to.deep.equal([]);
    expect(result.passed.length).to.be.greaterThan(120);
    // Leases have a spec of their own: backend-turn-cases.spec.ts.
    const skipped = result.skipped.filter((name) => !name.startsWith('turns: '));
    expect(skipped).to.have.length(1);
    expect(skipped[0]).to.match(/cannot become bytes/);
  });

  for (const [fault, change, caseThatFails] of FAULTS) {
    it(`fails a backend that ${fault}`, async () => {
      const { failed } = await runSuite(() => broken(change));
      expect(failed.filter((name) => caseThatFails.test(name))).not.to.deep.equal([]);
    });
  }

  it('fails a backend that stores nothing', async () => {
    const { failed } = await runSuite(() => new NullBackend());
    expect(failed).to.include('values: keeps 0');
    expect(failed).to.include('life cycle: refuses a second manager');
  });

  it('fails a backend that ignores tags', async () => {
    const { failed } = await runSuite(() =>
      Object.assign(
        broken(() => ({})),
        { invalidateTags: () => undefined },
      ),
    );
    expect(failed).to.include(
      'tags: hits the entries of every cache and version that carry the tag',
    );
  });

  it('skips by capability, by missing time, and by request', async () => {
    const capabilities = { hasConditionalStores: false, canScan: false };
    const result = await runSuite(() => broken(() => ({}), capabilities), {
      hasTime: false,
      without: ['allOf', 'release'],
    });
    expect(result.failed).to.deep.equal([]);
    const skipped = result.skipped.join('\n');
    for (const part of [/refuses a fill/, /scans:/, /physically/, /all of several tags/]) {
      expect(skipped).to.match(part);
    }
    expect(result.passed.join('\n')).not.to.match(/refuses a fill|scans:|physically|all of/);
  });

  it('calls no skip that is not there', async () => {
    const bodies: (() => Promise<void>)[] = [];
    const words = {
      describe: (_: string, run: () => void) => run(),
      it: (_: string, run: () => Promise<void>) => bodies.push(run),
    };
    describeBackend(words, 'without skip', () => ({ backend: new MemoryBackend() }));
    for (const body of bodies) await body();
  });
});
