import { expect } from 'chai';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import type { Cache } from '#internal/cache/cache.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { FaultyBackend } from '#internal/testing/faulty-backend.js';
import { GatedSource, settle } from '../../../support/gated-source.js';
import { SharedFaultyBackend } from '../../../support/shared-faulty-backend.js';
import { TransactionSession } from '../../../support/transaction-session.js';

/** A table with one row, whose writes others see when they are committed. */
class Table {
  committed = 'v1';

  snapshot(): string {
    return this.committed;
  }
}

for (const isShared of [false, true]) {
  describe(`Transactions and fences on a store that is ${isShared ? '' : 'not '}shared`, () => {
    let memory: MemoryBackend;
    let backend: FaultyBackend;
    let manager: CacheManager;
    let users: Cache<readonly [number], string>;

    beforeEach(() => {
      memory = new MemoryBackend();
      backend = isShared ? new SharedFaultyBackend(memory) : new FaultyBackend(memory);
      manager = new CacheManager({ backend, logger: silentLogger });
      users = manager.cache('users');
    });
    afterEach(async () => {
      expect(memory.info()).to.include({ loading: 0 });
      await manager.close();
    });

    it('lets nobody join a load that began before a put was committed', async () => {
      const source = new GatedSource();
      const read = (): Promise<string> =>
        users.getOrSet(1, async (context) => {
          context.doNotStore();
          return source.load();
        });
      const before = read();
      await source.started(1);
      await manager.transaction(() => users.set(1, 'put'));
      // The put is gone, whether by its ttl or by a bound; what the load has seen is no younger for that.
      await backend.open({ name: 'users', version: 'v1' }).store([
        {
          key: '1',
          entry: {
            value: 'put',
            kind: 'value',
            tags: [],
            createdAt: 0,
            expiresAt: 1,
            retainedUntil: 1,
            loadCostMs: 0,
          },
          fence: { kind: 'set' },
        },
      ]);
      const after = read();
      await settle();
      source.finish(1, 'before');
      await source.started(2);
      source.finish(2, 'after');
      expect([await before, await after]).to.deep.equal(['before', 'after']);
    });

    describe('carlos-emr/carlos#2141: the deferred put of an older reader', () => {
      it('does not overwrite the eviction of a newer writer, when it was a load', async () => {
        const table = new Table();
        // 1. A reader begins, misses, and reads the row before anybody changes it.
        const reader = new TransactionSession(manager);
        const read = await reader.run(() => users.getOrSet(1, async () => table.snapshot()));
        expect(read).to.equal('v1');
        // 2. A writer changes the row, commits, and its eviction is acknowledged.
        await manager.transaction(async () => {
          await users.delete(1);
          table.committed = 'v2';
        });
        // 3. The reader commits behind that. What it had read must not come into the cache now.
        await reader.commit();
        expect(await users.get(1)).to.equal(undefined);
        // 4. The next reader sees the row as it is.
        expect(await users.getOrSet(1, async () => table.snapshot())).to.equal('v2');
      });

      it('does not overwrite the eviction of a newer writer, when it was a put', async () => {
        const table = new Table();
        const reader = new TransactionSession(manager);
        await reader.run(() => users.set(1, table.snapshot()));
        await manager.transaction(async () => {
          await users.delete(1);
          table.committed = 'v2';
        });
        await reader.commit();
        expect(await users.getOrSet(1, async () => table.snapshot())).to.equal('v2');
      });

      it('does not overwrite the newer put of a writer', async () => {
        const reader = new TransactionSession(manager);
        await reader.run(() => users.set(1, 'v1'));
        await manager.transaction(() => users.set(1, 'v2'));
        expect(await users.get(1)).to.equal('v2');
        await reader.commit();
        expect(await users.get(1)).to.be.oneOf([undefined, 'v2']);
      });

      it('does not overwrite it, when the writer comes while the put is on its way', async () => {
        const held = backend.hold('store');
        const committing = manager.transaction(() => users.set(1, 'v1'));
        await held.arrived();
        await users.delete(1);
        held.release();
        await committing;
        expect(await users.get(1)).to.equal(undefined);
      });

      for (const [name, evict] of [
        ['key', () => users.delete(1)],
        ['pattern', () => users.deletePattern('*')],
        ['tag', () => users.invalidateTags('a')],
        ['all tags', () => users.invalidateTags({ all: ['a', 'b'] })],
        ['clear', () => users.clear()],
        ['clearAll', () => manager.clearAll()],
        ['put', () => users.set(1, 'newer')],
      ] as const) {
        it(`does not overwrite a newer eviction by ${name}`, async () => {
          const writer = new TransactionSession(manager);
          await writer.run(() => users.set(1, 'older', { tags: ['a', 'b'] }));
          await evict();
          await writer.commit();
          expect(await users.get(1)).to.not.equal('older');
        });
      }
    });

    it('refuse a load outside that began before the end of a transaction that evicts its key', async () => {
      const source = new GatedSource();
      const reading = users.getOrSet(1, () => source.load());
      await source.started(1);
      await manager.transaction(() => users.delete(1));
      source.finish(1, 'old');
      expect(await reading).to.equal('old');
      expect(await users.get(1)).to.equal(undefined);
    });

    it('let no reader behind the end join a load that began before it', async () => {
      const source = new GatedSource();
      const early = users.getOrSet(1, () => source.load());
      await source.started(1);
      await manager.transaction(() => users.delete(1));
      const late = users.getOrSet(1, () => source.load());
      await settle();
      source.finish(1, 'old');
      await source.started(2);
      source.finish(2, 'new');
      expect(await Promise.all([early, late])).to.deep.equal(['old', 'new']);
      expect(await users.get(1)).to.equal('new');
    });

    it('refuse a load outside that began between the eviction inside and the commit', async () => {
      const source = new GatedSource();
      const writer = new TransactionSession(manager);
      await writer.run(() => users.delete(1));
      const reading = users.getOrSet(1, () => source.load());
      await source.started(1);
      await writer.commit();
      source.finish(1, 'old');
      expect(await reading).to.equal('old');
      expect(await users.get(1)).to.equal(undefined);
    });

    it('refuse a load outside whose tags, known from its result, a transaction invalidated', async () => {
      const source = new GatedSource();
      const reading = users.getOrSet(1, async (context) => {
        const value = await source.load();
        context.tags.add('a');
        return value;
      });
      await source.started(1);
      await manager.transaction(() => users.invalidateTags('a'));
      source.finish(1, 'old');
      await reading;
      expect(await users.get(1)).to.equal(undefined);
    });

    it('void the key of a put whose token the store no longer knows', async () => {
      await users.set(1, 'old');
      const writer = new TransactionSession(manager);
      await writer.run(() => users.set(1, 'new'));
      // What the store does when a transaction takes longer than it keeps tokens: the claim is gone.
      await users.delete(1);
      await users.getOrSet(1, async () => 'loaded meanwhile');
      await writer.commit();
      expect(await users.get(1)).to.equal(undefined);
    });

    it('store a put behind an own wide invalidation only where nobody came between', async () => {
      const writer = new TransactionSession(manager);
      await writer.run(() => users.clear());
      await writer.run(() => users.set(1, 'mine'));
      await writer.run(() => users.set(2, 'mine'));
      await users.delete(2);
      await writer.commit();
      expect(await users.get(1)).to.equal(isShared ? undefined : 'mine');
      expect(await users.get(2)).to.equal(undefined);
    });

    it('void a put behind an own wide invalidation that the store is slow to do', async () => {
      const held = backend.hold('clear');
      const committing = manager.transaction(async () => {
        await users.clear();
        await users.set(1, 'mine');
      });
      await held.arrived();
      held.release();
      await committing;
      expect(await users.get(1)).to.equal(undefined);
    });

    it('keep everything inside while the transaction is slow', async () => {
      await users.set(1, 'old');
      const writer = new TransactionSession(manager);
      await writer.run(() => users.set(1, 'new'));
      await writer.run(() => users.getOrSet(2, async () => 'uncommitted'));
      const reads = Array.from({ length: 5 }, async () => {
        await settle();
        return users.getMany([1, 2]);
      });
      for (const read of reads) expect(await read).to.deep.equal(new Map([[1, 'old']]));
      await writer.commit();
      expect(await users.getMany([1, 2])).to.deep.equal(new Map([[1, 'new']]));
    });
  });
}
