import { expect } from 'chai';
import sinon from 'sinon';
import type {
  EvictionLimits,
  EvictionNode,
  EvictionPolicy,
} from '#internal/backends/memory/eviction-policy.js';
import { LruPolicy } from '#internal/backends/memory/lru-policy.js';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import type { BackendContext } from '#internal/cache/backend.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import {
  CacheBackendError,
  CacheClosedError,
  CacheConfigurationError,
  CacheSerializationError,
  InvalidOptionError,
} from '#internal/errors.js';
import { ManualClock } from '#internal/testing/manual-clock.js';
import { MemoryFixture, type SynchronousStore } from '../../../support/memory-fixture.js';
import { checkMemoryInvariants } from '../../../support/memory-invariants.js';

const contextOf = (clock = new ManualClock()): BackendContext => ({
  clock,
  logger: silentLogger,
  framer: undefined as never,
  report: () => undefined,
});

const keysIn = (store: SynchronousStore): readonly string[] => store.scan({ count: 10_000 }).keys;

describe(MemoryBackend.name, () => {
  describe('constructor', () => {
    it('can be called by a container, which passes nothing', () => {
      expect(MemoryBackend.length).to.equal(0);
      expect(new MemoryBackend().info()).to.deep.equal({
        entries: 0,
        loading: 0,
        tags: 0,
        isolation: 'reference',
        maxEntries: 10_000,
      });
    });

    it('refuses options that do not exist', () => {
      expect(() => new MemoryBackend({ maxSize: 5 } as never)).to.throw(InvalidOptionError);
    });
  });

  describe('#attach', () => {
    it('takes the same manager again, and no other', () => {
      const backend = new MemoryBackend();
      const context = contextOf();
      backend.attach(context);
      backend.attach(context);
      expect(() => backend.attach(contextOf())).to.throw(CacheConfigurationError, /another/);
    });
  });

  describe('#open', () => {
    it('throws, when the backend is not attached', () => {
      const open = (): unknown => new MemoryBackend().open({ name: 'users', version: '1' });
      expect(open).to.throw(CacheConfigurationError, /'users' before it is attached/);
    });

    it('returns one store for one space', () => {
      const { backend } = new MemoryFixture();
      const store = backend.open({ name: 'users', version: '1' });
      expect(backend.open({ name: 'users', version: '1' })).to.equal(store);
      expect(backend.open({ name: 'users', version: '2' })).not.to.equal(store);
      expect(backend.open({ name: 'users","1', version: '' })).not.to.equal(store);
    });
  });

  describe('maxEntries', () => {
    it('evicts what was used longest ago, and reports it', () => {
      const fixture = new MemoryFixture({ maxEntries: 3 });
      const store = fixture.open();
      for (const key of 'abc') fixture.set(store, key, 1);
      store.get('a');
      fixture.set(store, 'd', 1);
      expect(keysIn(store)).to.have.members(['a', 'c', 'd']);
      expect(fixture.events).to.deep.equal([
        { type: 'evict', cache: 'users', key: 'b', reason: 'entries' },
      ]);
    });

    it('counts the entries of all caches', () => {
      const fixture = new MemoryFixture({ maxEntries: 2 });
      const users = fixture.open('users');
      const orders = fixture.open('orders');
      fixture.set(users, 'a', 1);
      fixture.set(orders, 'a', 1);
      fixture.set(orders, 'b', 1);
      expect(keysIn(users)).to.deep.equal([]);
      expect(keysIn(orders)).to.deep.equal(['a', 'b']);
      expect(fixture.events[0]).to.include({ type: 'evict', cache: 'users' });
    });

    it('counts reads of many keys and begins of fills as uses, and scans not', () => {
      const fixture = new MemoryFixture({ maxEntries: 3 });
      const store = fixture.open();
      for (const key of 'abc') fixture.set(store, key, 1);
      store.getMany(['a', 'missing']);
      store.begin(['b']);
      store.scan({ count: 10 });
      fixture.set(store, 'd', 1);
      expect(keysIn(store)).to.deep.equal(['a', 'b', 'd']);
    });

    it('evicts nothing for a key that is written again', () => {
      const fixture = new MemoryFixture({ maxEntries: 2 });
      const store = fixture.open();
      fixture.set(store, 'a', 1);
      fixture.set(store, 'b', 1);
      fixture.set(store, 'a', 2);
      expect(fixture.events).to.deep.equal([]);
      fixture.set(store, 'c', 1);
      expect(keysIn(store)).to.deep.equal(['a', 'c']);
    });

    it('frees what is expired rather than what may be read', () => {
      const fixture = new MemoryFixture({ maxEntries: 2 });
      const store = fixture.open();
      fixture.set(store, 'used', 1);
      fixture.set(store, 'expired', 1, { ttlMs: 10 });
      fixture.clock.advance(10);
      fixture.set(store, 'new', 1);
      expect(keysIn(store)).to.deep.equal(['used', 'new']);
      expect(fixture.events).to.deep.equal([{ type: 'expire', cache: 'users', key: 'expired' }]);
    });

    it('frees what was cleared first of all, and reports nothing', () => {
      const fixture = new MemoryFixture({ maxEntries: 4 });
      const cleared = fixture.open('cleared');
      const store = fixture.open('users');
      fixture.set(store, 'old', 1);
      for (const key of 'abc') fixture.set(cleared, key, 1);
      cleared.clear();
      expect(checkMemoryInvariants(fixture.backend).entries).to.equal(4);
      for (const key of 'def') fixture.set(store, key, 1);
      expect(keysIn(store)).to.deep.equal(['old', 'd', 'e', 'f']);
      expect(fixture.events).to.deep.equal([]);
      expect(checkMemoryInvariants(fixture.backend).entries).to.equal(4);
    });

    it('reports no eviction of what a tag has made void', () => {
      const fixture = new MemoryFixture({ maxEntries: 1 });
      const store = fixture.open();
      fixture.set(store, 'a', 1, { tags: ['blue'] });
      fixture.backend.invalidateTags({ anyOf: ['blue'] });
      fixture.set(store, 'b', 1);
      expect(fixture.events).to.deep.equal([]);
    });
  });

  describe('maxBytes', () => {
    const text = 'x'.repeat(1_000);

    it('keeps the sum of the sizes within the bound, after each call', () => {
      const fixture = new MemoryFixture({ maxBytes: 20_000 });
      const store = fixture.open();
      for (let index = 0; index < 100; index++) {
        fixture.set(store, `k${index}`, text.repeat((index % 7) + 1));
        expect(checkMemoryInvariants(fixture.backend).bytes).to.be.within(1, 20_000);
      }
      expect(
        new Set(fixture.events.map((event) => 'reason' in event && event.reason)),
      ).to.deep.equal(new Set(['bytes']));
      expect(fixture.events.length + keysIn(store).length).to.equal(100);
      expect(fixture.backend.info()).to.include({ maxBytes: 20_000 });
    });

    it('makes room for a value that has grown', () => {
      const fixture = new MemoryFixture({ maxBytes: 5_000 });
      const store = fixture.open();
      fixture.set(store, 'a', text);
      fixture.set(store, 'b', text);
      fixture.set(store, 'b', text.repeat(4));
      expect(keysIn(store)).to.deep.equal(['b']);
      expect(fixture.events).to.deep.equal([
        { type: 'evict', cache: 'users', key: 'a', reason: 'bytes' },
      ]);
    });

    it('does not store an entry that is larger than the bound, and says so', () => {
      const fixture = new MemoryFixture({ maxBytes: 5_000 });
      const store = fixture.open();
      fixture.set(store, 'other', text);
      const outcome = fixture.set(store, 'large', text.repeat(5));
      expect(outcome).to.be.instanceOf(CacheBackendError);
      expect((outcome as Error).message).to.match(/'large'.*maxBytes \(5000\)/);
      expect((outcome as Error).message).not.to.include('xxx');
      expect(keysIn(store)).to.deep.equal(['other']);
      expect(fixture.events).to.deep.equal([]);
    });

    it('does not measure without it', () => {
      const fixture = new MemoryFixture();
      const store = fixture.open();
      const value = new Proxy({}, { ownKeys: () => expect.fail('measured') });
      expect(fixture.set(store, 'k', value)).to.equal('stored');
      expect(fixture.backend.info()).not.to.have.property('bytes');
    });
  });

  describe('maxBytes, when nothing is said', () => {
    const MIB = 1024 * 1024;
    const TEN_MIB = 10 * MIB;
    const BOUND = 256 * MIB;
    /** Values are their own sizes; anything else has none that is known. */
    const bytesOf = (value: unknown): number | undefined =>
      typeof value === 'number' ? value : undefined;
    const evicted = ({ events }: MemoryFixture): readonly string[] =>
      events.flatMap((event) => (event.type === 'evict' ? [`${event.cache}/${event.key}`] : []));

    it('bounds what knows its size, and lets nothing else go for it', () => {
      const fixture = new MemoryFixture();
      const users = fixture.open('users');
      const pages = fixture.openSized('pages', bytesOf);
      for (let index = 0; index < 1_000; index++) {
        fixture.set(users, `u${index}`, { index });
        expect(fixture.set(pages, `p${index}`, TEN_MIB)).to.equal('stored');
        expect(checkMemoryInvariants(fixture.backend).bytes).to.be.at.most(BOUND);
      }
      expect(keysIn(users)).to.have.length(1_000);
      expect(keysIn(pages)).to.deep.equal(Array.from({ length: 25 }, (_, at) => `p${975 + at}`));
      expect(evicted(fixture)).to.deep.equal(
        Array.from({ length: 975 }, (_, index) => `pages/p${index}`),
      );
      const bytes = fixture.backend.info()['bytes'];
      expect(bytes).to.be.within(25 * TEN_MIB, 25 * TEN_MIB + 25 * 1_000);
      expect(fixture.backend.info()).to.include({ maxBytes: BOUND });
    });

    it('lets those go that were not read for longest', () => {
      const fixture = new MemoryFixture();
      const pages = fixture.openSized('pages', bytesOf);
      for (const key of ['a', 'b', 'c']) fixture.set(pages, key, 80 * MIB);
      pages.get('a');
      pages.get('c');
      pages.get('c');
      fixture.set(pages, 'd', 80 * MIB);
      pages.get('a');
      fixture.set(pages, 'e', 80 * MIB);
      expect(evicted(fixture)).to.deep.equal(['pages/b', 'pages/c']);
      checkMemoryInvariants(fixture.backend);
    });

    it('frees what is void and what has expired before it', () => {
      const fixture = new MemoryFixture();
      const pages = fixture.openSized('pages', bytesOf);
      const others = fixture.openSized('others', bytesOf);
      fixture.set(pages, 'kept', 80 * MIB);
      fixture.set(pages, 'short', 80 * MIB, { ttlMs: 5 });
      fixture.set(others, 'cleared', 80 * MIB);
      others.clear();
      fixture.set(pages, 'second', 80 * MIB);
      fixture.clock.advance(5);
      fixture.set(pages, 'third', 80 * MIB);
      expect(evicted(fixture)).to.deep.equal([]);
      expect(keysIn(pages)).to.deep.equal(['kept', 'second', 'third']);
      checkMemoryInvariants(fixture.backend);
    });

    it('counts a value that replaces another, and a change of its times, once', () => {
      const fixture = new MemoryFixture();
      const pages = fixture.openSized('pages', bytesOf);
      for (let time = 0; time < 10; time++) {
        fixture.set(pages, 'a', 200 * MIB);
        pages.expire('a', 1_000, 1_000);
      }
      fixture.set(pages, 'a', MIB);
      expect(checkMemoryInvariants(fixture.backend).bytes).to.be.within(MIB, MIB + 1_000);
      fixture.set(pages, 'a', 'of a size that is not known');
      expect(checkMemoryInvariants(fixture.backend).bytes).to.equal(0);
      expect(evicted(fixture)).to.deep.equal([]);
    });

    it('does not store what alone is larger', () => {
      const fixture = new MemoryFixture();
      const pages = fixture.openSized('pages', bytesOf);
      expect(fixture.set(pages, 'a', BOUND)).to.be.instanceOf(CacheBackendError);
      expect(checkMemoryInvariants(fixture.backend)).to.include({ entries: 0, bytes: 0 });
    });

    it('leaves the bound in entries to the policy', () => {
      const fixture = new MemoryFixture({ maxEntries: 2 });
      const pages = fixture.openSized('pages', bytesOf);
      const users = fixture.open('users');
      fixture.set(users, 'u', 1);
      fixture.set(pages, 'p', MIB);
      fixture.set(pages, 'q', MIB);
      expect(evicted(fixture)).to.deep.equal(['users/u']);
      fixture.set(users, 'v', 1);
      expect(evicted(fixture)).to.deep.equal(['users/u', 'pages/p']);
      checkMemoryInvariants(fixture.backend);
    });

    it('is none with Infinity', () => {
      const fixture = new MemoryFixture({ maxBytes: Infinity });
      const pages = fixture.openSized('pages', bytesOf);
      for (let index = 0; index < 40; index++) fixture.set(pages, `p${index}`, TEN_MIB);
      expect(keysIn(pages)).to.have.length(40);
      expect(fixture.backend.info()).not.to.have.property('bytes');
    });

    it('counts everything when it is given, by known sizes where there are some', () => {
      const fixture = new MemoryFixture({ maxBytes: 20_000 });
      const users = fixture.open('users');
      const pages = fixture.openSized('pages', bytesOf);
      fixture.set(users, 'u', 'x'.repeat(5_000));
      fixture.set(pages, 'p', 10_000);
      fixture.set(pages, 'q', 'x'.repeat(5_000));
      // The policy's order is that of all entries.
      expect(evicted(fixture)).to.deep.equal(['users/u']);
      expect(checkMemoryInvariants(fixture.backend).bytes).to.be.within(15_000, 17_000);
    });
  });

  describe('policy', () => {
    it('is made once, for the bounds, and sees the entries of all caches', () => {
      const inserted: string[] = [];
      const made: unknown[] = [];
      const policy = <Node extends EvictionNode<Node>>(limits: EvictionLimits): LruPolicy<Node> => {
        const lru = new LruPolicy<Node>();
        const onInsert = lru.onInsert.bind(lru);
        lru.onInsert = (node) => {
          inserted.push(node.key);
          onInsert(node);
        };
        made.push({ maxEntries: limits.maxEntries, maxBytes: limits.maxBytes });
        return lru;
      };
      const fixture = new MemoryFixture({ maxEntries: 7, policy });
      fixture.set(fixture.open('users'), 'a', 1);
      fixture.set(fixture.open('orders'), 'b', 1);
      expect(made).to.deep.equal([{ maxEntries: 7, maxBytes: Infinity }]);
      expect(inserted).to.deep.equal(['a', 'b']);
    });

    it('may refuse a newcomer by making it the victim', () => {
      const newest = <Node extends EvictionNode<Node>>(): EvictionPolicy<Node> => {
        const nodes: Node[] = [];
        return {
          onInsert: (node) => void nodes.push(node),
          onHit: () => undefined,
          onUpdate: (previous, next) => void nodes.splice(nodes.indexOf(previous), 1, next),
          onRemove: (node) => void nodes.splice(nodes.indexOf(node), 1),
          victim: () => nodes.at(-1),
        };
      };
      const fixture = new MemoryFixture({ maxEntries: 2, policy: newest });
      const store = fixture.open();
      for (const key of 'abc') expect(fixture.set(store, key, 1)).to.equal('stored');
      expect(keysIn(store)).to.deep.equal(['a', 'b']);
    });

    it('fails loudly, when it names no victim', () => {
      const silent = <Node extends EvictionNode<Node>>(): EvictionPolicy<Node> => ({
        onInsert: () => undefined,
        onHit: () => undefined,
        onUpdate: () => undefined,
        onRemove: () => undefined,
        victim: () => undefined,
      });
      const fixture = new MemoryFixture({ maxEntries: 1, policy: silent });
      const store = fixture.open();
      fixture.set(store, 'a', 1);
      expect(() => fixture.set(store, 'b', 1)).to.throw(CacheBackendError, /names no victim/);
    });
  });

  describe('expiry', () => {
    it('reports an expired entry once, whoever meets it first', () => {
      const fixture = new MemoryFixture();
      const store = fixture.open();
      const event = { type: 'expire', cache: 'users', key: 'k' };
      for (const meet of [
        () => store.get('k'),
        () => store.getMany(['k']),
        () => store.begin(['k']),
        () => store.delete(['k']),
        () => store.expire('k', 1, 1),
        () => fixture.set(store, 'k', 2),
        () => fixture.backend.sweep(),
      ]) {
        fixture.set(store, 'k', 1, { ttlMs: 10 });
        fixture.clock.advance(10);
        fixture.events.length = 0;
        meet();
        expect(fixture.events).to.deep.equal([event]);
        store.delete(['k']);
        expect(fixture.backend.sweep()).to.equal(0);
        expect(fixture.events).to.deep.equal([event]);
      }
    });

    it('reports nothing of an expired entry that was void before', () => {
      const fixture = new MemoryFixture();
      const store = fixture.open();
      fixture.set(store, 'k', 1, { ttlMs: 10, tags: ['blue'] });
      fixture.backend.invalidateTags({ anyOf: ['blue'] });
      fixture.clock.advance(10);
      expect(fixture.backend.sweep()).to.equal(1);
      expect(fixture.events).to.deep.equal([]);
    });

    it('reads no clock for an entry without expiry', () => {
      const fixture = new MemoryFixture();
      const store = fixture.open();
      fixture.set(store, 'forever', 1);
      fixture.set(store, 'once', 1, { ttlMs: 10 });
      const now = sinon.spy(fixture.clock, 'now');
      store.get('forever');
      store.get('missing');
      expect(now.callCount).to.equal(0);
      store.get('once');
      expect(now.callCount).to.equal(1);
    });
  });

  describe('a read whose caller knows the time', () => {
    it('takes that, and reads no clock', () => {
      const fixture = new MemoryFixture();
      const store = fixture.open();
      fixture.set(store, 'k', 'v', { ttlMs: 10 });
      const at = fixture.clock.now();
      const now = sinon.spy(fixture.clock, 'now');
      expect(store.get('k', undefined, at + 9)).to.include({ value: 'v' });
      expect(store.get('k', undefined, at + 10)).to.equal(undefined);
      expect(now.callCount).to.equal(0);
    });
  });

  describe('#sweep', () => {
    it('frees what has expired, without a read, and nothing else', () => {
      const fixture = new MemoryFixture();
      const store = fixture.open();
      fixture.set(store, 'stays', 1);
      fixture.set(store, 'later', 1, { ttlMs: 100 });
      for (const key of 'abc') fixture.set(store, key, 1, { ttlMs: 10 });
      expect(fixture.backend.sweep()).to.equal(0);
      fixture.clock.advance(10);
      expect(fixture.backend.sweep(2)).to.equal(2);
      expect(fixture.backend.sweep()).to.equal(1);
      expect(fixture.backend.info()['entries']).to.equal(2);
      expect(fixture.events).to.have.length(3);
    });

    it('frees what was cleared, without an event', () => {
      const fixture = new MemoryFixture();
      const store = fixture.open();
      for (const key of 'abc') fixture.set(store, key, 1, { ttlMs: 10, tags: ['blue'] });
      store.clear();
      fixture.set(store, 'a', 2);
      expect(checkMemoryInvariants(fixture.backend).entries).to.equal(4);
      fixture.clock.advance(10);
      expect(fixture.backend.sweep()).to.equal(3);
      expect(checkMemoryInvariants(fixture.backend)).to.include({ entries: 1, markersInUse: 0 });
      expect(fixture.events).to.deep.equal([]);
    });

    it('does nothing, when no manager has the backend', () => {
      expect(new MemoryBackend().sweep()).to.equal(0);
    });
  });

  describe('the timer', () => {
    let timers: sinon.SinonFakeTimers;

    beforeEach(() => {
      timers = sinon.useFakeTimers();
    });

    afterEach(() => timers.restore());

    /** Lets timers and the backend's clock go on together. */
    const pass = (fixture: MemoryFixture, ms: number): void => {
      fixture.clock.advance(ms);
      timers.tick(ms);
    };

    it('is not there, when nothing can expire', () => {
      const fixture = new MemoryFixture({ sweepInterval: '1s' });
      const store = fixture.open();
      fixture.set(store, 'k', 1);
      store.delete(['k']);
      store.clear();
      expect(timers.countTimers()).to.equal(0);
    });

    it('frees expired entries, and goes when there are no more', () => {
      const fixture = new MemoryFixture({ sweepInterval: '1s' });
      const store = fixture.open();
      fixture.set(store, 'a', 1, { ttlMs: 5_000 });
      fixture.set(store, 'b', 1, { ttlMs: 60_000 });
      expect(timers.countTimers()).to.equal(1);
      pass(fixture, 4_999);
      expect(fixture.backend.info()['entries']).to.equal(2);
      pass(fixture, 1);
      expect(fixture.backend.info()['entries']).to.equal(1);
      expect(timers.countTimers()).to.equal(1);
      pass(fixture, 55_000);
      expect(fixture.backend.info()['entries']).to.equal(0);
      expect(timers.countTimers()).to.equal(0);
    });

    it('comes earlier for an entry that expires earlier, yet not before the interval', () => {
      const fixture = new MemoryFixture({ sweepInterval: '1s' });
      const store = fixture.open();
      fixture.set(store, 'late', 1, { ttlMs: 60_000 });
      fixture.set(store, 'early', 1, { ttlMs: 10 });
      pass(fixture, 999);
      expect(fixture.backend.info()['entries']).to.equal(2);
      pass(fixture, 1);
      expect(fixture.backend.info()['entries']).to.equal(1);
    });

    it('frees many entries in slices', () => {
      const fixture = new MemoryFixture({ sweepInterval: '1s' });
      const store = fixture.open();
      for (let index = 0; index < 2_500; index++)
        fixture.set(store, `k${index}`, 1, { ttlMs: 500 });
      pass(fixture, 1_000);
      expect(fixture.backend.info()['entries']).to.equal(1_500);
      pass(fixture, 1);
      expect(fixture.backend.info()['entries']).to.equal(500);
      pass(fixture, 1);
      expect(fixture.backend.info()['entries']).to.equal(0);
      expect(timers.countTimers()).to.equal(0);
    });

    it('frees cleared entries in slices, soon', () => {
      const fixture = new MemoryFixture({ sweepInterval: '1m' });
      const store = fixture.open();
      for (let index = 0; index < 2_500; index++) fixture.set(store, `k${index}`, 1);
      store.clear();
      expect(checkMemoryInvariants(fixture.backend).entries).to.equal(2_500);
      pass(fixture, 1);
      expect(checkMemoryInvariants(fixture.backend).entries).to.equal(1_500);
      pass(fixture, 2);
      expect(checkMemoryInvariants(fixture.backend).entries).to.equal(0);
      expect(timers.countTimers()).to.equal(0);
    });

    it('is never set, when sweepInterval is Infinity', () => {
      const fixture = new MemoryFixture({ sweepInterval: Infinity });
      const store = fixture.open();
      fixture.set(store, 'k', 1, { ttlMs: 10 });
      store.clear();
      fixture.set(store, 'k', 1, { ttlMs: 10 });
      expect(timers.countTimers()).to.equal(0);
    });

    it('goes when the backend is closed', async () => {
      const fixture = new MemoryFixture({ sweepInterval: '1s' });
      const store = fixture.open();
      fixture.set(store, 'k', 1, { ttlMs: 10_000 });
      store.clear();
      await fixture.backend.close(0);
      expect(timers.countTimers()).to.equal(0);
    });
  });

  describe('a write that cannot be stored', () => {
    for (const [name, options, value, errorClass] of [
      ['has no exact copy', { isolation: 'copy' }, () => 1, CacheSerializationError],
      ['is too large', { maxBytes: 1_000 }, 'x'.repeat(2_000), CacheBackendError],
    ] as const) {
      it(`voids the key under set and put, and keeps the entry under fill, when it ${name}`, () => {
        const fixture = new MemoryFixture(options);
        const store = fixture.open();
        const before = (): { key: string; sequence: number } => {
          fixture.set(store, 'k', 'old');
          return store.begin(['k'])[0]!.token;
        };
        const other = before();
        expect(fixture.set(store, 'k', value)).to.be.instanceOf(errorClass);
        expect(store.get('k')).to.equal(undefined);
        expect(store.store([fixture.write('k', 1, { kind: 'fill', token: other })])).to.deep.equal([
          'refused',
        ]);
        const put = fixture.write('k', value, { kind: 'put', token: before() });
        expect(store.store([put])[0]).to.be.instanceOf(errorClass);
        expect(store.get('k')).to.equal(undefined);
        const fill = fixture.write('k', value, { kind: 'fill', token: before() });
        expect(store.store([fill])[0]).to.be.instanceOf(errorClass);
        expect(store.get('k')!.value).to.equal('old');
        expect(fixture.backend.info()['loading']).to.equal(0);
      });
    }
  });

  it('lets a listener invalidate from within a write', () => {
    const clock = new ManualClock();
    const backend = new MemoryBackend({ sweepInterval: Infinity });
    backend.attach({
      ...contextOf(clock),
      report: () => void backend.invalidateTags({ anyOf: ['blue'] }),
    });
    const fixture = { clock, write: MemoryFixture.prototype.write };
    const store = backend.open({ name: 'users', version: '1' }) as unknown as SynchronousStore;
    const times = { expiresAt: clock.now() + 10, retainedUntil: clock.now() + 10 };
    store.store([fixture.write('k', 'old', { kind: 'set' }, times)]);
    clock.advance(5);
    const [start] = store.begin(['k']);
    clock.advance(5);
    const fence = { kind: 'fill', token: start!.token } as const;
    // The expired entry is freed, and reported, in the course of this write.
    expect(store.store([fixture.write('k', 'loaded', fence, { tags: ['blue'] })])).to.deep.equal([
      'refused',
    ]);
  });

  it('lets a listener store from within a write of the same key', () => {
    const clock = new ManualClock();
    const backend = new MemoryBackend({ sweepInterval: Infinity });
    const fixture = { clock, write: MemoryFixture.prototype.write };
    const set = (value: string, ttlMs: number): unknown => {
      const expiresAt = clock.now() + ttlMs;
      const times = { expiresAt, retainedUntil: expiresAt };
      return store.store([fixture.write('k', value, { kind: 'set' }, times)])[0];
    };
    backend.attach({ ...contextOf(clock), report: () => void set('by the listener', 50) });
    const store = backend.open({ name: 'users', version: '1' }) as unknown as SynchronousStore;
    set('old', 10);
    clock.advance(10);
    expect(set('new', 50)).to.equal('stored');
    expect(store.get('k')!.value).to.equal('new');
    expect(checkMemoryInvariants(backend)).to.include({ entries: 1, expiring: 1 });
  });

  it('gives readers entries that never change', () => {
    const fixture = new MemoryFixture();
    const store = fixture.open();
    fixture.set(store, 'k', 'old', { ttlMs: 1_000 });
    const entry = store.get('k')!;
    const { expiresAt } = entry;
    store.expire('k', 5_000, 5_000);
    fixture.set(store, 'k', 'new');
    expect(entry).to.include({ value: 'old', expiresAt });
  });

  describe('#close', () => {
    it('frees everything, and refuses what comes later', async () => {
      const fixture = new MemoryFixture();
      const store = fixture.open();
      fixture.set(store, 'a', 1, { ttlMs: 10, tags: ['blue'] });
      fixture.set(store, 'b', 1);
      const closing = fixture.backend.close(1_000);
      expect(checkMemoryInvariants(fixture.backend)).to.include({ entries: 0, expiring: 0 });
      expect(fixture.backend.close(1)).to.equal(closing);
      await closing;
      expect(() => store.get('b')).to.throw(CacheClosedError, /'get' on cache 'users'/);
      expect(() => store.getMany([])).to.throw(CacheClosedError);
      expect(() => fixture.open('another')).to.throw(CacheClosedError);
      expect(() => fixture.backend.info()).to.throw(CacheClosedError);
      expect(() => fixture.backend.sweep()).to.throw(CacheClosedError);
      expect(() => fixture.backend.attach(contextOf())).to.throw(CacheClosedError);
      expect(fixture.backend.health()).to.deep.equal({ status: 'unavailable' });
      expect(fixture.events).to.deep.equal([]);
    });
  });
});
