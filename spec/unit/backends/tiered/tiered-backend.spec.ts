import { expect } from 'chai';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { TieredBackend } from '#internal/backends/tiered/tiered-backend.js';
import type { BackendEvent } from '#internal/cache/backend.js';
import { compilePattern } from '#internal/cache/key-pattern.js';
import { CacheBackendError, CacheConnectionError, CacheTimeoutError } from '#internal/errors.js';
import {
  HEARTBEAT_MS,
  MAX_STALENESS_MS,
  settle,
  type TieredNode,
  TieredNodes,
} from '../../../support/tiered-nodes.js';

const INVALIDATIONS: readonly (readonly [
  name: string,
  invalidate: (node: TieredNode) => unknown,
])[] = [
  ['a delete', (node) => node.store.delete(['k'])],
  ['a pattern', (node) => node.store.deletePattern(compilePattern('k*'))],
  ['a clear', (node) => node.store.clear()],
  ['a clear of all caches', (node) => node.backend.clearAll()],
  ['tags', (node) => node.backend.invalidateTags({ anyOf: ['blue'] })],
  ['a set', (node) => node.set('k', 'new')],
  [
    'a put',
    async (node) => node.write('k', 'new', { kind: 'put', token: await node.store.watch() }),
  ],
];

/** The operation of the shared store that each of them is. */
const OPERATIONS: Readonly<
  Record<string, 'delete' | 'deletePattern' | 'clear' | 'clearAll' | 'invalidateTags' | 'store'>
> = {
  'a delete': 'delete',
  'a pattern': 'deletePattern',
  'a clear': 'clear',
  'a clear of all caches': 'clearAll',
  tags: 'invalidateTags',
  'a set': 'store',
  'a put': 'store',
};

describe(TieredBackend.name, () => {
  let nodes: TieredNodes;
  let node: TieredNode;
  let other: TieredNode;

  const begin = async (options = {}): Promise<void> => {
    await nodes?.close();
    nodes = new TieredNodes(2, options);
    [node, other] = nodes.nodes as [TieredNode, TieredNode];
    await nodes.meet();
  };

  beforeEach(() => begin());
  afterEach(() => nodes.close());

  const caught = async (work: () => unknown): Promise<unknown> => {
    try {
      await work();
    } catch (error) {
      return error;
    }
    return expect.fail('nothing was thrown');
  };

  const typesOf = (events: readonly BackendEvent[]): string[] => events.map(({ type }) => type);

  describe('reads', () => {
    it('answer from the shared tier first, then from the own one, at once', async () => {
      await other.set('k', 'v');
      await settle();
      expect(await node.read('k')).to.deep.equal(['v', 'l2']);
      const again = node.store.get('k');
      expect(again).to.not.be.instanceOf(Promise);
      expect(await again).to.include({ value: 'v', source: 'l1' });
      expect(node.l2.calls('get')).to.equal(1);
    });

    it('give the own tier’s very record, so that a hit allocates nothing', async () => {
      await node.set('k', 'v');
      expect(node.store.get('k')).to.equal(node.store.get('k'));
    });

    it('ask the shared tier once for the keys of a batch that are missing', async () => {
      await node.set('a', 1);
      await other.set('b', 2);
      await settle();
      const entries = await node.store.getMany(['a', 'b', 'c', 'b']);
      expect(entries.map((entry) => entry?.value)).to.deep.equal([1, 2, undefined, 2]);
      expect(entries.map((entry) => entry?.source)).to.deep.equal(['l1', 'l2', undefined, 'l2']);
      expect(node.l2.calls('getMany')).to.equal(1);
      expect((await node.store.getMany(['a', 'b'])).map((entry) => entry?.source)).to.deep.equal([
        'l1',
        'l1',
      ]);
      expect(node.l2.calls('getMany')).to.equal(1);
    });

    it('keep copies no longer than the shared tier keeps the entry', async () => {
      const expiresAt = nodes.clock.now() + 1_000;
      const retainedUntil = expiresAt + 500;
      await other.set('k', 'v', { expiresAt, retainedUntil });
      await settle();
      const held = node.l2.hold('get', 'response');
      const reading = node.store.get('k');
      await held.arrived();
      nodes.clock.advance(100);
      held.release();
      await reading;
      const copy = await node.store.get('k');
      // The answer may have been on the way for all of that time.
      expect(copy).to.include({
        source: 'l1',
        expiresAt: expiresAt - 100,
        retainedUntil: retainedUntil - 100,
      });
      nodes.clock.advance(900);
      expect(await node.read('k')).to.deep.equal(['v', 'l2']);
    });

    it('cap copies by l1TtlMs, without changing what they say about expiry', async () => {
      await begin({ space: { l1TtlMs: 1_000 } });
      const expiresAt = nodes.clock.now() + 60_000;
      await node.set('k', 'v', { expiresAt, retainedUntil: expiresAt });
      expect(await node.store.get('k')).to.include({ source: 'l1', expiresAt });
      nodes.clock.advance(1_000);
      expect(await node.store.get('k')).to.include({ source: 'l2', expiresAt });
      nodes.clock.advance(999);
      expect(await node.read('k')).to.deep.equal(['v', 'l1']);
    });

    it('drop a copy of what the shared tier no longer has', async () => {
      await begin({ hasBus: false });
      await node.set('k', 'v');
      await nodes.shared.memory.open({ name: 'users', version: '1' }).delete(['k']);
      expect(await node.get('k')).to.equal('v');
      await nodes.advance(MAX_STALENESS_MS);
      expect(await node.get('k')).to.equal(undefined);
      expect((await node.l1.info()).entries).to.equal(0);
    });

    it('leave it to the shared tier to serve what is stale', async () => {
      const now = nodes.clock.now();
      await node.set('k', 'v', { expiresAt: now + 1_000, retainedUntil: now + 60_000 });
      nodes.clock.advance(1_000);
      expect(await node.read('k')).to.deep.equal(['v', 'l2']);
    });
  });

  describe('trust', () => {
    it('ends maxStaleness after the read or load, without a bus', async () => {
      await begin({ hasBus: false });
      const token = await node.begin('k');
      nodes.clock.advance(1_000);
      await node.fill(token, 'v');
      nodes.clock.advance(MAX_STALENESS_MS - 1_001);
      expect(await node.read('k')).to.deep.equal(['v', 'l1']);
      nodes.clock.advance(1);
      expect(await node.read('k')).to.deep.equal(['v', 'l2']);
      nodes.clock.advance(MAX_STALENESS_MS - 1);
      expect(await node.read('k')).to.deep.equal(['v', 'l1']);
    });

    it('goes on as long as the bus proves that nothing was missed', async () => {
      await node.set('k', 'v');
      await nodes.advance(20 * MAX_STALENESS_MS);
      expect(await node.read('k')).to.deep.equal(['v', 'l1']);
    });

    it('ends with the proofs when the bus falls silent, and comes back with them', async () => {
      await node.set('k', 'v');
      node.bus.swallow();
      await nodes.advance(MAX_STALENESS_MS);
      expect(await node.read('k')).to.deep.equal(['v', 'l2']);
      await nodes.advance(MAX_STALENESS_MS);
      expect(await node.read('k')).to.deep.equal(['v', 'l2']);
      node.bus.heal();
      await nodes.advance(2 * MAX_STALENESS_MS);
      await node.read('k');
      await nodes.advance(2 * MAX_STALENESS_MS);
      expect(await node.read('k')).to.deep.equal(['v', 'l1']);
    });

    it('ends when only one other process falls silent', async () => {
      await node.set('k', 'v');
      other.bus.swallow();
      await nodes.advance(2 * MAX_STALENESS_MS);
      expect(await node.read('k')).to.deep.equal(['v', 'l2']);
      expect(await node.backend.info()).to.include({ senders: 0, suspected: 1 });
      await nodes.advance(MAX_STALENESS_MS);
      expect(await node.read('k')).to.deep.equal(['v', 'l2']);
    });

    it('counts from when a read began, not from its answer', async () => {
      await begin({ hasBus: false });
      await other.set('k', 'v');
      const held = node.l2.hold('get', 'response');
      const reading = node.store.get('k');
      await held.arrived();
      nodes.clock.advance(MAX_STALENESS_MS - 1);
      held.release();
      await reading;
      expect(await node.read('k')).to.deep.equal(['v', 'l1']);
      nodes.clock.advance(1);
      expect(await node.read('k')).to.deep.equal(['v', 'l2']);
    });

    it('goes on when another process says goodbye', async () => {
      await node.set('k', 'v');
      await other.backend.close(1_000);
      await nodes.advance(10 * MAX_STALENESS_MS);
      expect(await node.read('k')).to.deep.equal(['v', 'l1']);
      expect(await node.backend.info()).to.include({ senders: 0, suspected: 0 });
    });
  });

  describe('fills', () => {
    it('are stored in both tiers, and send no message', async () => {
      nodes.hub.forgetMessages();
      expect(await node.fill(await node.begin('k'), 'v')).to.equal('stored');
      expect(await node.read('k')).to.deep.equal(['v', 'l1']);
      expect(await other.read('k')).to.deep.equal(['v', 'l2']);
      await node.store.getMany(['k', 'none']);
      expect(nodes.hub.messages).to.deep.equal([]);
    });

    it('that the shared tier refuses are in neither', async () => {
      const token = await node.begin('k');
      await nodes.shared.memory.open({ name: 'users', version: '1' }).delete(['k']);
      expect(await node.fill(token, 'v')).to.equal('refused');
      expect(await node.get('k')).to.equal(undefined);
      expect((await node.l1.info()).entries).to.equal(0);
      expect((await node.l1.info()).loading).to.equal(0);
    });

    it('leave no token behind, however they end', async () => {
      const tokens = (await node.store.begin(['a', 'b', 'c'])).map(({ token }) => token);
      node.store.release([tokens[0]!, await node.store.watch()]);
      await node.fill(tokens[1]!, 'v');
      node.failShared('store');
      await caught(() => node.fill(tokens[2]!, 'v'));
      await node.store.get('none');
      node.failShared('watch', 'get', 'getMany');
      await caught(() => node.store.watch());
      await caught(() => node.store.get('none'));
      await caught(() => node.store.getMany(['none']));
      expect((await node.l1.info()).loading).to.equal(0);
    });

    it('may find what another process has stored meanwhile', async () => {
      await other.set('k', 'v');
      const [start] = await node.store.begin(['k']);
      expect(start!.entry).to.include({ value: 'v', source: 'l2' });
    });

    it('keep none of two copies of one key rather than the wrong one', async () => {
      const [first, second] = [await node.begin('k'), await node.begin('k')];
      const held = node.l2.hold('store', 'response');
      const storing = node.fill(first, 'first');
      await held.arrived();
      // Captures the second call only; the first one's answer stays where it is.
      node.l2.hold('store', 'response').release();
      await node.fill(second, 'second');
      held.release();
      await storing;
      expect(await node.get('k')).to.equal('second');
    });
  });

  describe('while the shared tier fails', () => {
    const outage = (): void =>
      node.failShared(
        'get',
        'getMany',
        'begin',
        'watch',
        'store',
        'delete',
        'clear',
        'invalidateTags',
        'expire',
      );

    it('serves what is trusted, and fails for the rest', async () => {
      await node.set('k', 'v');
      outage();
      expect(await node.read('k')).to.deep.equal(['v', 'l1']);
      expect(await caught(() => node.store.get('none'))).to.be.instanceOf(CacheConnectionError);
      expect(await caught(() => node.store.getMany(['none']))).to.be.instanceOf(
        CacheConnectionError,
      );
    });

    it('serves what is stale but trusted, since it is kept for that', async () => {
      const now = nodes.clock.now();
      await node.set('k', 'v', { expiresAt: now + 100, retainedUntil: now + 60_000 });
      await node.set('l', 'w');
      nodes.clock.advance(100);
      outage();
      expect(await node.read('k')).to.deep.equal(['v', 'l1']);
      const entries = await node.store.getMany(['k', 'l', 'none']);
      expect(entries.map((entry) => entry?.value)).to.deep.equal(['v', 'w', undefined]);
      expect(node.events).to.have.length(1);
      expect(node.events[0]).to.include({ type: 'error', operation: 'getMany', cache: 'users' });
    });

    it('does not serve what is neither loaded nor proved within maxStaleness', async () => {
      await begin({ hasBus: false });
      await node.set('k', 'v');
      outage();
      nodes.clock.advance(MAX_STALENESS_MS);
      expect(await caught(() => node.store.get('k'))).to.be.instanceOf(CacheConnectionError);
    });

    it('keeps what is loaded for maxStaleness, and reports the outage once', async () => {
      outage();
      for (const key of ['k', 'l']) {
        expect(await node.fill(await node.begin(key), 'v')).to.equal('stored');
        expect(await node.read(key)).to.deep.equal(['v', 'l1']);
      }
      expect(typesOf(node.events)).to.deep.equal(['error']);
      expect(node.events[0]).to.include({ operation: 'begin', cache: 'users' });
      await nodes.advance(MAX_STALENESS_MS);
      expect(await caught(() => node.store.get('k'))).to.be.instanceOf(CacheConnectionError);
      node.l2.heal();
      expect(await node.get('k')).to.equal(undefined);
      await node.begin('k');
      outage();
      await node.begin('k');
      expect(typesOf(node.events)).to.deep.equal(['error', 'error']);
    });

    it('does not keep what took longer than maxStaleness to load', async () => {
      outage();
      const token = await node.begin('k');
      nodes.clock.advance(MAX_STALENESS_MS);
      expect(await node.fill(token, 'v')).to.equal('refused');
      expect((await node.l1.info()).loading).to.equal(0);
    });

    it('keeps a load whose store fails, though the failure is told', async () => {
      const token = await node.begin('k');
      outage();
      expect(await caught(() => node.fill(token, 'v'))).to.be.instanceOf(CacheConnectionError);
      expect(await node.read('k')).to.deep.equal(['v', 'l1']);
      await nodes.advance(MAX_STALENESS_MS);
      await caught(() => node.store.get('k'));
    });

    it('still fences what is loaded against invalidations, of this process and of others', async () => {
      outage();
      const own = await node.begin('own');
      const foreign = await node.begin('foreign');
      await caught(() => node.store.delete(['own']));
      await other.store.delete(['foreign']);
      await settle();
      expect(await node.fill(own, 'old')).to.equal('refused');
      expect(await node.fill(foreign, 'old')).to.equal('refused');
    });

    it('does not begin alone when the call itself is wrong', async () => {
      node.l2.fail('begin', { error: new RangeError('no such thing') });
      expect(await caught(() => node.store.begin(['k']))).to.be.instanceOf(RangeError);
      expect((await node.l1.info()).loading).to.equal(0);
    });

    it('makes a put void that began during the outage', async () => {
      await other.set('k', 'old');
      await settle();
      outage();
      const token = await node.begin('k');
      node.l2.heal();
      expect(await node.write('k', 'put', { kind: 'put', token })).to.equal('refused');
      expect(await node.get('k')).to.equal(undefined);
      expect(await other.get('k')).to.equal(undefined);
    });

    for (const [name, invalidate] of INVALIDATIONS) {
      it(`drops the own copies at ${name}, and rejects`, async () => {
        await node.set('k', 'old', { tags: ['blue'] });
        await settle();
        node.failShared(
          'delete',
          'deletePattern',
          'clear',
          'clearAll',
          'invalidateTags',
          'store',
          'expire',
        );
        expect(await caught(() => invalidate(node))).to.be.instanceOf(CacheConnectionError);
        expect((await node.l1.info()).entries).to.satisfy(
          (entries: number) => entries === 0 || name.includes('tags'),
        );
        node.failShared('get');
        await caught(() => node.store.get('k'));
      });
    }
  });

  describe('invalidations', () => {
    for (const [name, invalidate] of INVALIDATIONS) {
      it(`are made in the shared tier, then told, then made here: ${name}`, async () => {
        await node.set('k', 'old', { tags: ['blue'] });
        await settle();
        nodes.hub.forgetMessages();
        const held = node.l2.hold(OPERATIONS[name]!);
        const isCopied = (): boolean =>
          (node.store.get('k') as { value?: unknown }).value === 'old';
        const publishing: boolean[] = [];
        const { publish } = node.bus;
        node.bus.publish = (...given) => {
          publishing.push(isCopied());
          return publish.apply(node.bus, given);
        };
        const work = Promise.resolve(invalidate(node));
        await held.arrived();
        expect(nodes.hub.messages).to.have.length(0);
        expect(isCopied()).to.equal(true);
        held.release();
        await work;
        expect(publishing).to.deep.equal([true]);
        expect(nodes.hub.messages).to.have.length(1);
        expect(await node.get('k')).to.not.equal('old');
      });

      it(`reject when the bus fails, though both tiers know: ${name}`, async () => {
        await node.set('k', 'old', { tags: ['blue'] });
        await settle();
        node.bus.refuse();
        expect(await caught(() => invalidate(node))).to.be.instanceOf(CacheConnectionError);
        expect(await node.get('k')).to.not.equal('old');
        node.bus.heal();
        // The others notice by the next heartbeat that a message is missing.
        await nodes.advance(HEARTBEAT_MS);
        expect(await other.get('k')).to.not.equal('old');
      });
    }

    for (const [name, invalidate] of INVALIDATIONS) {
      it(`wait for no bus when the shared tier is out of reach: ${name}`, async () => {
        await node.set('k', 'old', { tags: ['blue'] });
        await other.get('k');
        await settle();
        nodes.hub.forgetMessages();
        const { publish } = node.bus;
        const sent: string[] = [];
        node.bus.publish = (message) => {
          sent.push(message);
          return new Promise(() => undefined);
        };
        node.failShared(OPERATIONS[name]!, 'delete');
        expect(await caught(() => invalidate(node))).to.be.instanceOf(CacheConnectionError);
        expect(sent).to.have.length(1);
        expect(await caught(() => node.store.get('k'))).to.be.instanceOf(CacheConnectionError);
        node.bus.publish = publish;
        // The message never arrived. The others are told once the shared tier has taken the invalidation.
        node.l2.heal();
        node.l2.report({ type: 'recovered' });
        await settle();
        await nodes.advance(2 * HEARTBEAT_MS);
        expect(await node.get('k')).to.not.equal('old');
        expect(await other.get('k')).to.not.equal('old');
      });
    }

    it('wait for the bus when the shared tier only refuses, and reject with the first failure', async () => {
      node.l2.fail('delete', { error: new CacheBackendError('read only') });
      let isPublished = false;
      const { publish } = node.bus;
      node.bus.publish = async (...given) => {
        await publish.apply(node.bus, given);
        await settle();
        isPublished = true;
      };
      expect(await caught(() => node.store.delete(['k']))).to.have.property('message', 'read only');
      expect(isPublished).to.equal(true);
    });

    it('of up to 1,000 keys are one message', async () => {
      nodes.hub.forgetMessages();
      await node.store.delete(Array.from({ length: 1_000 }, (_, index) => `k${index}`));
      expect(nodes.hub.messages).to.have.length(1);
      await node.store.delete(Array.from({ length: 2_001 }, (_, index) => `k${index}`));
      expect(nodes.hub.messages).to.have.length(4);
    });

    it('of no keys are none', async () => {
      nodes.hub.forgetMessages();
      expect(await node.store.delete([])).to.equal(0);
      expect(await node.store.store([])).to.deep.equal([]);
      expect(nodes.hub.messages).to.deep.equal([]);
    });

    it('make no receiver read', async () => {
      await node.set('k', 'v');
      await other.get('k');
      other.l2.resetCalls();
      await node.store.delete(['k']);
      await node.backend.clearAll();
      await settle();
      expect(other.l2.calls('get') + other.l2.calls('getMany') + other.l2.calls('begin')).to.equal(
        0,
      );
    });

    it('spend one deadline over all steps', async () => {
      const dueAts: (number | undefined)[] = [];
      const { publish } = node.bus;
      node.bus.publish = (message, options) => {
        dueAts.push(options?.dueAt);
        return publish.call(node.bus, message, options);
      };
      const before = performance.now();
      await node.store.delete(['k']);
      expect(dueAts[0]).to.be.within(before, performance.now() + 250);
      const dueAt = performance.now() + 60_000;
      await node.store.clear({ dueAt });
      expect(dueAts[1]).to.equal(dueAt);
      expect(await caught(() => node.store.clear({ dueAt: before }))).to.be.instanceOf(
        CacheTimeoutError,
      );
    });

    it('that are carried out late are told again after that', async () => {
      await node.set('k', 'old');
      await other.get('k');
      await settle();
      node.failShared('delete');
      await caught(() => node.store.delete(['k']));
      await settle();
      // Another process copies it again, before the shared tier has taken the delete.
      expect(await other.get('k')).to.equal('old');
      await nodes.advance(HEARTBEAT_MS);
      expect(await other.get('k')).to.equal('old');
      // This one does not: it reads nothing from there until then.
      expect(await caught(() => node.store.get('k'))).to.be.instanceOf(CacheConnectionError);
      expect(typesOf(node.events)).to.deep.equal(['deferred']);
      node.l2.heal();
      node.l2.report({ type: 'recovered' });
      await settle();
      await nodes.advance(HEARTBEAT_MS);
      expect(await node.get('k')).to.equal(undefined);
      expect(await other.get('k')).to.equal(undefined);
    });
  });

  describe("with tiers 'l1'", () => {
    beforeEach(() => begin({ space: { tiers: 'l1' } }));

    it('asks the shared tier nothing', async () => {
      for (const operation of [
        'get',
        'getMany',
        'begin',
        'watch',
        'store',
        'delete',
        'clear',
      ] as const) {
        node.l2.fail(operation);
      }
      expect(await node.fill(await node.begin('k'), 'v')).to.equal('stored');
      expect(await node.read('k')).to.deep.equal(['v', 'l1']);
      expect(await other.get('k')).to.equal(undefined);
      expect(await node.store.delete(['k'])).to.equal(1);
      await node.set('k', 'v');
      await node.store.clear();
      expect(await node.store.scan({ count: 10 })).to.deep.equal({ keys: [], cursor: '0' });
    });

    it('answers at once, what is stale included', async () => {
      const now = nodes.clock.now();
      await node.set('k', 'v', { expiresAt: now + 10, retainedUntil: now + 1_000 });
      nodes.clock.advance(10);
      expect(node.store.get('k')).to.include({ value: 'v', source: 'l1' });
    });

    for (const [name, invalidate] of INVALIDATIONS) {
      it(`drops in every process at ${name}`, async () => {
        for (const each of [node, other])
          await each.fill(await each.begin('k'), 'old', { tags: ['blue'] });
        const token = await other.begin('k');
        await invalidate(node);
        await settle();
        expect(await node.get('k')).to.not.equal('old', 'where it was called');
        expect(await other.get('k')).to.equal(undefined, 'elsewhere');
        expect(await other.fill(token, 'old', { tags: ['blue'] })).to.equal('refused');
      });
    }

    it('drops in every process what is to live no longer', async () => {
      for (const each of [node, other]) await each.set('k', 'v');
      await other.set('k', 'v');
      await settle();
      expect(await other.store.expire('k', 1_000, 1_000)).to.equal(true);
      nodes.clock.advance(1);
      expect(await node.get('k')).to.equal(undefined);
      expect(await other.get('k')).to.equal('v');
      nodes.clock.advance(999);
      expect(await other.get('k')).to.equal(undefined);
    });

    it('leaves what the others are loading when an entry gets another expiry', async () => {
      for (const each of [node, other]) await each.set('k', 'v');
      await other.set('k', 'v');
      const token = await node.begin('k');
      expect(await other.store.expire('k', 1_000, 1_000)).to.equal(true);
      await settle();
      expect(await node.fill(token, 'new')).to.equal('stored');
      nodes.clock.advance(1);
      expect(await node.get('k')).to.equal('new');
    });

    it('drops here what could not be told, and rejects', async () => {
      await node.set('k', 'old');
      node.bus.refuse();
      expect(await caught(() => node.set('k', 'new'))).to.be.instanceOf(CacheConnectionError);
      expect(await node.get('k')).to.equal(undefined);
    });

    it('trusts for maxStaleness after the load, without a bus', async () => {
      await begin({ hasBus: false, space: { tiers: 'l1' } });
      const token = await node.begin('k');
      nodes.clock.advance(1_000);
      await node.fill(token, 'v');
      nodes.clock.advance(MAX_STALENESS_MS - 1_001);
      expect(await node.get('k')).to.equal('v');
      nodes.clock.advance(1);
      expect(await node.get('k')).to.equal(undefined);
      expect(await node.store.getMany(['k'])).to.deep.equal([undefined]);
      expect((await node.store.begin(['k']))[0]!.entry).to.equal(undefined);
    });

    it('reports what expires, which it does not for copies', async () => {
      const now = nodes.clock.now();
      const times = { expiresAt: now + 100, retainedUntil: now + 100 };
      await node.set('k', 'v', times);
      const both = node.backend.open({ name: 'orders', version: '1' });
      await both.store([{ key: 'k', entry: node.entry('v', times), fence: { kind: 'set' } }]);
      nodes.clock.advance(100);
      await node.get('k');
      await both.get('k');
      expect(node.events).to.deep.equal([{ type: 'expire', cache: 'users', key: 'k' }]);
    });
  });

  describe("with tiers 'l2'", () => {
    beforeEach(() => begin({ space: { tiers: 'l2' } }));

    it('keeps nothing in the process, and tells nobody', async () => {
      nodes.hub.forgetMessages();
      await node.set('k', 'v');
      expect(await node.read('k')).to.deep.equal(['v', 'l2']);
      expect((await node.store.getMany(['k']))[0]!.source).to.equal('l2');
      expect((await node.store.begin(['k']))[0]!.entry!.source).to.equal('l2');
      await node.store.delete(['k']);
      expect((await node.l1.info()).entries).to.equal(0);
      expect(nodes.hub.messages).to.deep.equal([]);
    });
  });

  describe('#health', () => {
    it('is healthy when both the shared tier and the bus are', () => {
      expect(node.backend.health()).to.deep.equal({ status: 'healthy' });
    });

    it('is degraded when the shared tier is not, for the own one goes on', () => {
      node.l2.reportedHealth = { status: 'unhealthy', errorCode: 'ERR_CACHE_TIMEOUT' };
      expect(node.backend.health()).to.deep.equal({
        status: 'degraded',
        errorCode: 'ERR_CACHE_TIMEOUT',
      });
      node.l2.reportedHealth = { status: 'unavailable' };
      expect(node.backend.health()).to.deep.equal({ status: 'unavailable' });
    });

    it("tells the shared tier's breaker, in its facts too, while it does not answer", async () => {
      node.l2.reportedHealth = { status: 'healthy', breaker: 'closed' };
      expect(node.backend.health()).to.deep.equal({ status: 'healthy', breaker: 'closed' });
      node.bus.cut();
      expect(node.backend.health()).to.include({ status: 'degraded', breaker: 'closed' });
      expect(await node.backend.info()).to.include({ bus_status: 'degraded' });
      node.bus.heal();
      await nodes.meet();
      node.failShared('info');
      for (const breaker of ['open', 'half-open'] as const) {
        node.l2.reportedHealth = { status: 'unhealthy', breaker, errorCode: 'ERR_CACHE_TIMEOUT' };
        expect(node.backend.health()).to.include({ status: 'degraded', breaker });
        const facts = await node.backend.info();
        expect(facts).to.include({ 'l2.breaker': breaker, bus_status: 'healthy' });
        expect(facts).to.include.keys('l1.entries', 'senders', 'distrusts');
      }
      node.l2.reportedHealth = { status: 'unhealthy' };
      expect(await caught(() => node.backend.info() as Promise<unknown>)).to.be.instanceOf(Error);
    });

    it('is degraded when the bus is cut, or silent', async () => {
      node.bus.cut();
      expect(node.backend.health()).to.deep.equal({
        status: 'degraded',
        errorCode: 'ERR_CACHE_CONNECTION',
      });
      node.bus.heal();
      await nodes.meet();
      expect(node.backend.health()).to.deep.equal({ status: 'healthy' });
      node.bus.swallow();
      await nodes.advance(4 * HEARTBEAT_MS);
      expect(node.backend.health()).to.deep.equal({
        status: 'degraded',
        errorCode: 'ERR_CACHE_CONNECTION',
      });
    });

    it('tells once that the bus is gone, and once that all is well', async () => {
      node.bus.cut();
      await nodes.advance(5 * MAX_STALENESS_MS);
      expect(typesOf(node.events)).to.deep.equal(['degraded']);
      node.l2.report({ type: 'degraded', error: new CacheConnectionError('down') });
      node.bus.heal();
      await nodes.meet();
      expect(typesOf(node.events)).to.deep.equal(['degraded', 'degraded']);
      node.l2.report({ type: 'recovered' });
      expect(typesOf(node.events)).to.deep.equal(['degraded', 'degraded', 'recovered']);
    });

    it('tells when the bus falls silent, and when it is heard again', async () => {
      node.bus.swallow();
      await nodes.advance(MAX_STALENESS_MS);
      node.bus.heal();
      await nodes.meet();
      expect(typesOf(node.events)).to.deep.equal(['degraded', 'recovered']);
    });

    it('does not take a bus that is still connecting for an outage', async () => {
      const late = nodes.start();
      expect(late.backend.health().status).to.equal('degraded');
      await settle();
      expect(late.backend.health()).to.deep.equal({ status: 'healthy' });
      expect(late.events).to.deep.equal([]);
      await late.backend.close(0);
    });
  });

  describe('#close', () => {
    it('makes others drop what they copied before the shared tier took a late invalidation', async () => {
      await node.set('k', 'old');
      node.failShared('delete');
      await caught(() => node.store.delete(['k']));
      expect(await other.read('k')).to.deep.equal(['old', 'l2']);
      node.l2.heal();
      await node.backend.close(60_000);
      expect(await other.read('k')).to.deep.equal([undefined, undefined]);
      // It has said goodbye, too: nobody waits for its next word.
      expect(await other.backend.info()).to.include({ senders: 0, suspected: 0 });
    });

    it('lets an invalidation finish, then says goodbye', async () => {
      await node.set('k', 'old');
      await other.get('k');
      const held = node.l2.hold('delete');
      const deleting = node.store.delete(['k']) as Promise<number>;
      await held.arrived();
      const closing = node.backend.close(60_000);
      await settle();
      expect((await caught(() => node.store.delete(['k']))) as Error).to.have.property(
        'code',
        'ERR_CACHE_CLOSED',
      );
      held.release();
      expect(await deleting).to.equal(1);
      await closing;
      await settle();
      expect(await other.get('k')).to.equal(undefined);
      expect(await other.backend.info()).to.include({ senders: 0, suspected: 0 });
      expect(node.backend.health().status).to.equal('unavailable');
    });

    it('says no goodbye when something could not finish, so that the others stay wary', async () => {
      const held = node.l2.hold('delete');
      const deleting = node.store.delete(['k']) as Promise<number>;
      await held.arrived();
      await node.backend.close(1);
      held.release();
      await caught(() => deleting);
      await nodes.advance(2 * MAX_STALENESS_MS);
      expect(await other.backend.info()).to.include({ senders: 0, suspected: 1 });
    });

    it('closes everything even if a part fails, and tells the failure', async () => {
      node.l2.fail('close');
      expect(await caught(() => node.backend.close(100))).to.be.instanceOf(CacheConnectionError);
      expect(node.bus.health().status).to.equal('unavailable');
      expect(node.l1.health().status).to.equal('unavailable');
    });

    it('refuses to attach or open after that', async () => {
      const backend = new TieredBackend({ l2: nodes.shared.node() });
      expect(() => backend.open({ name: 'users', version: '1' })).to.throw('before it is attached');
      expect(() => void backend.clearAll()).to.throw('before it is attached');
      await backend.close(0);
      expect(() => backend.open({ name: 'users', version: '1' })).to.throw('came too late');
      expect(() => backend.attach(undefined as never)).to.throw('came too late');
    });
  });

  describe('an own tier that fails to drop', () => {
    it('is not served from until it could be cleared', async () => {
      await node.set('k', 'old');
      await other.get('k');
      other.l1.fail('delete');
      other.l1.fail('clearAll');
      await node.set('k', 'new');
      await settle();
      expect(await other.get('k')).to.equal('new');
      expect(typesOf(other.events)).to.deep.equal(['error', 'error']);
      other.l1.heal();
      await node.set('k', 'newer');
      await settle();
      expect(await other.read('k')).to.deep.equal(['newer', 'l2']);
      expect(await other.read('k')).to.deep.equal(['newer', 'l1']);
    });

    it('costs a read only the copy', async () => {
      await other.set('k', 'v');
      await settle();
      node.l1.fail('store');
      expect(await node.read('k')).to.deep.equal(['v', 'l2']);
      expect(await node.read('k')).to.deep.equal(['v', 'l2']);
      expect(node.events[0]).to.include({ type: 'error', operation: 'store' });
      expect((await node.l1.info()).loading).to.equal(0);
    });
  });

  it('takes any first tier, such as one that keeps copies', async () => {
    const backend = new TieredBackend({
      l1: new MemoryBackend({ isolation: 'copy' }),
      l2: nodes.shared.node(),
    });
    backend.attach({
      clock: nodes.clock,
      logger: undefined as never,
      framer: undefined as never,
      report: () => undefined,
    });
    const store = backend.open({ name: 'users', version: '1' });
    const value = { name: 'Ada' };
    await store.store([{ key: 'k', entry: node.entry(value), fence: { kind: 'set' } }]);
    const found = (await store.get('k'))!;
    expect(found.source).to.equal('l1');
    expect(found.value).to.deep.equal(value);
    expect(found.value).to.not.equal(value);
    await backend.close(0);
  });
});
