import { expect } from 'chai';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import type { Cache } from '#internal/cache/cache.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { currentTransaction } from '#internal/cache/transaction/transaction-scope.js';
import { InvalidOptionError } from '#internal/errors.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { GatedSource, settle } from '../../../support/gated-source.js';
import { SharedFaultyBackend } from '../../../support/shared-faulty-backend.js';
import { RolledBack, TransactionSession } from '../../../support/transaction-session.js';

describe('transaction', () => {
  let memory: MemoryBackend;
  let backend: SharedFaultyBackend;
  let manager: CacheManager;
  let users: Cache<readonly [number], string>;
  let errors: string[];

  beforeEach(() => {
    memory = new MemoryBackend();
    backend = new SharedFaultyBackend(memory);
    manager = new CacheManager({ backend, logger: silentLogger });
    users = manager.cache('users');
    errors = [];
    manager.on('error', ({ operation }) => errors.push(operation));
  });
  afterEach(async () => {
    expect(memory.info()).to.include({ loading: 0 });
    await manager.close();
  });

  async function errorOf(work: Promise<unknown>): Promise<unknown> {
    return work.then(
      () => undefined,
      (error: unknown) => error,
    );
  }

  it('gives what the function gave', async () => {
    expect(await manager.transaction(async () => 5)).to.equal(5);
    expect(await manager.transaction(() => 'at once')).to.equal('at once');
  });

  it('refuses options that do not exist', async () => {
    const refused = [
      manager.transaction(5 as never),
      manager.transaction(() => 1, { propagation: 'nested' as never }),
      manager.transaction(() => 1, { propagate: 'new' } as never),
    ];
    for (const each of refused) expect(await errorOf(each)).to.be.instanceOf(InvalidOptionError);
  });

  it('is seen inside only, and by its own manager only', async () => {
    const other = new CacheManager({ logger: silentLogger });
    await manager.transaction(async () => {
      await other.cache('users').set(1, 'other');
      await users.set(1, 'mine');
      expect(await other.cache('users').get(1)).to.equal('other');
      await other.transaction(async () => {
        expect(await users.get(1)).to.equal('mine');
        await users.set(2, 'mine too');
      });
      expect(await users.get(2)).to.equal('mine too');
      expect(await backend.elsewhere('users').get('2')).to.equal(undefined);
    });
    expect(await users.get(2)).to.equal('mine too');
    await other.close();
  });

  it('asks for the transaction without a look at the storage while none runs', async () => {
    expect(currentTransaction({})).to.equal(undefined);
    await manager.transaction(async () => expect(currentTransaction({})).to.equal(undefined));
  });

  describe('when the function succeeds', () => {
    it('has issued everything when it resolves, one call for all keys of a cache', async () => {
      await users.setMany([
        [1, 'old'],
        [2, 'old'],
        [3, 'old'],
      ]);
      backend.resetCalls();
      await manager.transaction(async () => {
        await users.delete(1);
        await users.delete(2);
        await users.set(3, 'new');
        await manager.invalidateTags('a');
        await manager.invalidateTags('b', 'a');
        for (const name of ['delete', 'store', 'invalidateTags'] as const) {
          expect(backend.calls(name)).to.equal(0);
        }
      });
      expect(await users.getMany([1, 2, 3])).to.deep.equal(new Map([[3, 'new']]));
      expect(backend.calls('delete')).to.equal(1);
      expect(backend.calls('store')).to.equal(1);
      expect(backend.calls('invalidateTags')).to.equal(1);
    });

    it('waits until the store has acknowledged', async () => {
      await users.set(1, 'old');
      const held = backend.hold('delete', 'response');
      let isOver = false;
      const over = manager
        .transaction(() => users.delete(1))
        .then(() => {
          isOver = true;
        });
      await held.arrived();
      await settle();
      expect(isOver).to.equal(false);
      held.release();
      await over;
    });

    it('counts and tells what it does when it does it, not before', async () => {
      await users.set(1, 'old');
      manager.resetStatistics();
      const events: unknown[] = [];
      manager.on('set', ({ key }) => events.push(['set', key]));
      manager.on('delete', ({ keys, count }) => events.push(['delete', keys, count]));
      manager.on('invalidate', ({ scope }) => events.push(['invalidate', scope]));
      await manager.transaction(async () => {
        await users.delete(1);
        await users.set(2, 'two');
        await users.getOrSet(3, async () => 'three');
        await manager.invalidateTags('a');
        expect(events).to.deep.equal([]);
        expect(users.statistics()).to.include({ sets: 0, deletes: 0 });
      });
      expect(events).to.have.deep.members([
        ['delete', ['1'], 1],
        ['invalidate', 'keys'],
        ['set', '2'],
        ['invalidate', 'tags'],
      ]);
      expect(users.statistics()).to.include({ sets: 1, deletes: 1 });
    });

    it('drops a put, and voids its key, when somebody else deleted the key since', async () => {
      const session = new TransactionSession(manager);
      await session.run(() => users.set(1, 'mine'));
      await backend.elsewhere('users').delete(['1']);
      expect(await session.run(() => users.get(1))).to.equal('mine');
      await session.commit();
      expect(await users.get(1)).to.equal(undefined);
    });

    it('drops a put when somebody else invalidated one of its tags since', async () => {
      const session = new TransactionSession(manager);
      await session.run(() => users.set(1, 'mine', { tags: ['a'] }));
      await manager.invalidateTags('a');
      await session.commit();
      expect(await users.get(1)).to.equal(undefined);
    });

    it('keeps a put that came behind the deletion of somebody else', async () => {
      const session = new TransactionSession(manager);
      await session.run(() => users.set(1, 'first'));
      await users.delete(1);
      await session.run(() => users.set(1, 'second'));
      await session.commit();
      expect(await users.get(1)).to.equal('second');
    });

    it('drops both puts where two transactions put one key, for their order is unknown', async () => {
      const [first, second] = [new TransactionSession(manager), new TransactionSession(manager)];
      await first.run(() => users.set(1, 'first'));
      await second.run(() => users.set(1, 'second'));
      expect(await first.run(() => users.get(1))).to.equal('first');
      await first.commit();
      expect(await users.get(1)).to.equal('first');
      expect(await second.run(() => users.get(1))).to.equal('second');
      await second.commit();
      expect(await users.get(1)).to.equal(undefined);
    });

    for (const onError of ['bypass', 'throw'] as const) {
      it(`gives the result although the cache fails, and reports the failure, with onError '${onError}'`, async () => {
        const own = manager.cache<readonly [number], string>('own', { onError });
        await own.set(1, 'old');
        await own.set(2, 'old');
        const result = await manager.transaction(async () => {
          await own.delete(1);
          await own.set(2, 'new');
          await own.invalidateTags('a');
          for (const each of ['delete', 'store', 'invalidateTags'] as const) backend.fail(each);
          return 'committed';
        });
        expect(result).to.equal('committed');
        expect(errors).to.have.members(['delete', 'store', 'delete', 'invalidateTags']);
      });
    }

    it('deletes the key of a put that could not be stored', async () => {
      await users.set(1, 'old');
      backend.fail('store', { times: 1 });
      await manager.transaction(() => users.set(1, 'new'));
      expect(await users.get(1)).to.equal(undefined);
    });

    it('deletes the key of a put for which the store gave no token', async () => {
      await users.set(1, 'old');
      await manager.transaction(async () => {
        backend.fail('begin', { times: 1 });
        expect(await users.set(1, 'new')).to.equal(false);
        expect(await users.get(1)).to.equal('new');
      });
      expect(errors).to.deep.equal(['store']);
      expect(await users.get(1)).to.equal(undefined);
    });

    it('waits for the token of a put that nobody awaited', async () => {
      await users.set(1, 'old');
      const held = backend.hold('begin');
      const over = manager.transaction(async () => void users.set(1, 'new'));
      await held.arrived();
      await settle();
      held.release();
      await over;
      expect(await users.get(1)).to.equal('new');
    });
  });

  describe('when the function throws', () => {
    it('drops the puts, issues the invalidations, and deletes the keys of the puts', async () => {
      await users.setMany([
        [1, 'old'],
        [2, 'old'],
        [3, 'old'],
      ]);
      const error = new Error('rolled back, or not');
      const over = manager.transaction(async () => {
        await users.set(1, 'new');
        await users.delete(2);
        throw error;
      });
      expect(await errorOf(over)).to.equal(error);
      expect(await users.getMany([1, 2, 3])).to.deep.equal(new Map([[3, 'old']]));
    });

    it('issues patterns, tags and clears', async () => {
      const posts = manager.cache<readonly [number], string>('posts');
      for (const id of [1, 2, 3]) await users.set(id, 'old', { tags: [`t${id}`] });
      await posts.set(1, 'old');
      const session = new TransactionSession(manager);
      await session.run(() => users.deletePattern('1'));
      await session.run(() => manager.invalidateTags('t2'));
      await session.run(() => posts.clear());
      await session.fail();
      expect(await users.getMany([1, 2, 3])).to.deep.equal(new Map([[3, 'old']]));
      expect(await posts.get(1)).to.equal(undefined);
    });

    it('throws the error of the function although the cache fails', async () => {
      const error = new Error('mine');
      backend.fail('delete');
      const over = manager.transaction(async () => {
        await users.delete(1);
        throw error;
      });
      expect(await errorOf(over)).to.equal(error);
      expect(errors).to.deep.equal(['delete']);
    });

    it('takes a throw at once for a failure', async () => {
      const error = new Error('at once');
      const over = manager.transaction(() => {
        throw error;
      });
      expect(await errorOf(over)).to.equal(error);
    });
  });

  describe('work that nobody awaited', () => {
    it('goes to the store directly when it runs behind the end', async () => {
      let go!: () => void;
      const gate = new Promise<void>((resolve) => (go = resolve));
      let late!: Promise<unknown>;
      await manager.transaction(async () => {
        late = gate.then(async () => {
          await users.set(1, 'late');
          return users.get(1);
        });
      });
      go();
      expect(await late).to.equal('late');
      expect(await backend.elsewhere('users').get('1')).to.include({ value: 'late' });
    });

    it('does not find the transaction around its own when that has ended', async () => {
      const outer = new TransactionSession(manager);
      let late!: Promise<unknown>;
      let go!: () => void;
      const gate = new Promise<void>((resolve) => (go = resolve));
      await outer.run(() =>
        manager.transaction(async () => {
          late = gate.then(() => users.set(1, 'late'));
        }),
      );
      go();
      await late;
      expect(await backend.elsewhere('users').get('1')).to.include({ value: 'late' });
      await outer.commit();
    });
  });

  describe('beside another one', () => {
    it('is separate', async () => {
      const [first, second] = [new TransactionSession(manager), new TransactionSession(manager)];
      await users.set(1, 'old');
      await first.run(() => users.set(1, 'first'));
      await second.run(() => users.delete(1));
      expect(await first.run(() => users.get(1))).to.equal('first');
      expect(await second.run(() => users.get(1))).to.equal(undefined);
      expect(await users.get(1)).to.equal('old');
      await second.fail();
      expect(await users.get(1)).to.equal(undefined);
      await first.commit();
      expect(await users.get(1)).to.equal(undefined);
    });
  });

  describe('inside another one', () => {
    it('is separate, and ends by itself', async () => {
      await users.set(1, 'old');
      const outer = new TransactionSession(manager);
      await outer.run(() => users.set(2, 'outer'));
      await outer.run(() =>
        manager.transaction(async () => {
          expect(await users.get(2)).to.equal(undefined);
          await users.delete(1);
          await users.set(3, 'inner');
        }),
      );
      expect(await users.getMany([1, 2, 3])).to.deep.equal(new Map([[3, 'inner']]));
      expect(await outer.run(() => users.getMany([1, 2, 3]))).to.deep.equal(
        new Map([
          [2, 'outer'],
          [3, 'inner'],
        ]),
      );
      await outer.fail();
      expect(await users.getMany([1, 2, 3])).to.deep.equal(new Map([[3, 'inner']]));
    });

    it('keeps the outer one from storing over its deletion', async () => {
      const outer = new TransactionSession(manager);
      await outer.run(() => users.set(1, 'outer'));
      await outer.run(() => manager.transaction(() => users.delete(1)));
      await outer.commit();
      expect(await users.get(1)).to.equal(undefined);
    });

    it('makes the outer one load anew what it deleted', async () => {
      const outer = new TransactionSession(manager);
      await outer.run(() => users.getOrSet(1, async () => 'old'));
      await outer.run(() => manager.transaction(() => users.delete(1)));
      expect(await outer.run(() => users.getOrSet(1, async () => 'new'))).to.equal('new');
      await outer.commit();
    });
  });

  describe('that joins another one', () => {
    it('is part of it', async () => {
      await users.set(1, 'old');
      const outer = new TransactionSession(manager);
      await outer.run(() => users.set(2, 'outer'));
      await outer.run(() =>
        manager.transaction(
          async () => {
            expect(await users.get(2)).to.equal('outer');
            await users.delete(1);
            await users.set(3, 'inner');
          },
          { propagation: 'join' },
        ),
      );
      expect(await users.getMany([1, 3])).to.deep.equal(new Map([[1, 'old']]));
      expect(await outer.run(() => users.getMany([1, 3]))).to.deep.equal(new Map([[3, 'inner']]));
      await outer.commit();
      expect(await users.getMany([1, 2, 3])).to.deep.equal(
        new Map([
          [2, 'outer'],
          [3, 'inner'],
        ]),
      );
    });

    it('is one of its own where there is none to join', async () => {
      const alone = new TransactionSession(manager, { propagation: 'join' });
      await alone.run(() => users.set(1, 'mine'));
      expect(await users.get(1)).to.equal(undefined);
      await alone.commit();
      expect(await users.get(1)).to.equal('mine');
    });

    it('loses its own puts and all loads when it throws, and the outer one goes on', async () => {
      await users.setMany([
        [2, 'old'],
        [4, 'old'],
      ]);
      const outer = new TransactionSession(manager);
      await outer.run(() => users.set(1, 'outer'));
      const error = new RolledBack('inner');
      const failing = outer.run(() =>
        manager.transaction(
          async () => {
            await users.set(2, 'undone');
            await users.delete(4);
            await users.getOrSet(3, async () => 'undone');
            throw error;
          },
          { propagation: 'join' },
        ),
      );
      expect(await errorOf(failing)).to.equal(error);
      expect(await outer.run(() => users.getMany([1, 2, 3, 4]))).to.deep.equal(
        new Map([[1, 'outer']]),
      );
      await outer.run(() => users.set(5, 'outer'));
      await outer.commit();
      expect(await users.getMany([1, 2, 3, 4, 5])).to.deep.equal(
        new Map([
          [1, 'outer'],
          [5, 'outer'],
        ]),
      );
    });

    it('that throws keeps loads out that are still under way', async () => {
      const source = new GatedSource();
      const outer = new TransactionSession(manager);
      let load!: Promise<string>;
      const failing = outer.run(() =>
        manager.transaction(
          async () => {
            load = users.getOrSet(1, () => source.load());
            await source.started(1);
            throw new RolledBack('inner');
          },
          { propagation: 'join' },
        ),
      );
      expect(await errorOf(failing)).to.be.instanceOf(RolledBack);
      source.finish(1, 'undone');
      expect(await load).to.equal('undone');
      expect(await outer.run(() => users.get(1))).to.equal(undefined);
      await outer.commit();
    });
  });

  describe('on a manager that is off', () => {
    it('runs the function, keeps nothing, and still invalidates', async () => {
      await users.set(1, 'old');
      await manager.transaction(async () => {
        manager.enabled = false;
        await users.set(2, 'new');
        await users.delete(1);
        expect(await users.get(2)).to.equal(undefined);
      });
      manager.enabled = true;
      expect(await users.getMany([1, 2])).to.deep.equal(new Map());
    });

    it('that was never on touches no store', async () => {
      const never = new CacheManager({ enabled: false, logger: silentLogger });
      await never.transaction(async () => {
        await never.cache('a').delete(1);
        await never.clearAll();
      });
      expect(await never.ping()).to.equal(false);
      await never.close();
    });

    it('that is closed gives the result of the function', async () => {
      const closed = new CacheManager({ logger: silentLogger });
      await closed.close();
      const result = closed.transaction(async () => {
        await closed.cache('a').delete(1);
        return 'done';
      });
      expect(await result).to.equal('done');
    });
  });
});
