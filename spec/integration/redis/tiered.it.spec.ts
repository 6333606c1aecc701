import { expect } from 'chai';
import { RedisBackend } from '#internal/backends/redis/redis-backend.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { eventually } from '../../support/eventually.js';
import { startRedisServer, type RedisServer } from '../../support/redis-server.js';
import {
  TieredRedisNodes,
  type TieredRedisNode,
  type TieredRedisOptions,
} from '../../support/tiered-redis-nodes.js';
import { TransactionSession } from '../../support/transaction-session.js';

type Act = (node: TieredRedisNode) => Promise<unknown>;

/** Every way to make `k`, with its tags, void, and the message that tells it. */
const INVALIDATIONS: readonly (readonly [name: string, kind: string, act: Act])[] = [
  ['delete', 'k', ({ users }) => users.delete('k')],
  ['deleteMany', 'k', ({ users }) => users.deleteMany(['another', 'k'])],
  ['deletePattern', 'p', ({ users }) => users.deletePattern('k*')],
  ['invalidateTags', 't', ({ users }) => users.invalidateTags('a')],
  ['invalidateTags of all', 'T', ({ users }) => users.invalidateTags({ all: ['a', 'b'] })],
  ['invalidateTags of the manager', 't', ({ manager }) => manager.invalidateTags('b')],
  ['clear', 'c', ({ users }) => users.clear()],
  ['clearAll', 'a', ({ manager }) => manager.clearAll()],
  ['expire', 'k', ({ users }) => users.expire('k', 0)],
  ['set', 'k', ({ users }) => users.set('k', 'new')],
  ['setMany', 'k', ({ users }) => users.setMany([['k', 'new']])],
];

describe('Tiers over Redis', function () {
  this.timeout(60_000);

  let server: RedisServer;
  let nodes: TieredRedisNodes;
  let here: TieredRedisNode;
  let there: TieredRedisNode;

  before(async () => {
    server = await startRedisServer();
  });
  after(() => server.stop());

  const start = async (options?: TieredRedisOptions): Promise<void> => {
    nodes = new TieredRedisNodes(server, options);
    [here, there] = (await nodes.start(2)) as [TieredRedisNode, TieredRedisNode];
  };
  afterEach(() => nodes.close());

  const sourceOf = async ({ users }: TieredRedisNode, key: string): Promise<string | undefined> =>
    (await users.getEntry(key)).source;

  /** Has a node keep a copy, whatever reaches it first. */
  const warm = (node: TieredRedisNode, key = 'k'): Promise<void> =>
    eventually('a copy is kept', async () => (await sourceOf(node, key)) === 'l1');

  const failed = async (work: Promise<unknown>): Promise<unknown> => {
    try {
      await work;
    } catch (error) {
      return error;
    }
    return expect.fail('it did not fail');
  };

  describe('that hear each other', () => {
    beforeEach(() => start());

    for (const [name, kind, act] of INVALIDATIONS) {
      it(`drop copies by one message of ${name}`, async () => {
        await there.users.set('k', 'old', { tags: ['a', 'b'] });
        await warm(here);
        await nodes.drain(here);
        await act(there);
        // What is seen last is seen first on the way: no other message brings it.
        await eventually('it is seen', async () => (await here.users.get('k')) !== 'old');
        expect(await there.users.get('k')).to.not.equal('old');
        expect((await nodes.drain(there)).map(([told]) => told)).to.deep.equal([kind]);
        expect((await here.manager.info())['distrusts']).to.be.lessThan(3);
      });
    }

    it('tell nothing of loads, of copies, and of hits', async () => {
      const keys = Array.from({ length: 50 }, (_, index) => `k${index}`);
      const load = async (): Promise<string> => 'loaded';
      await nodes.drain(here);
      for (const node of [here, there]) {
        await Promise.all(keys.map((key) => node.users.getOrSet(key, load, { tags: ['a'] })));
        await node.users.getOrSetMany(
          ['x', 'y', ...keys],
          async (missing) => new Map(missing.map((key) => [key, 'loaded'])),
        );
        await node.users.getMany(keys);
        await node.users.getOrSet('k1', load, { refresh: true });
        await node.users.warm([['w', load]]);
        await warm(node, 'k1');
      }
      expect(await nodes.drain(here)).to.deep.equal([]);
    });

    it('tell a thousand keys of one call by one message', async () => {
      const keys = Array.from({ length: 1_000 }, (_, index) => `k${index}`);
      await nodes.drain(here);
      await here.users.setMany(keys.map((key) => [key, 'v']));
      expect(await nodes.drain(here)).to.have.length(1);
      await there.users.getMany(keys);
      await here.users.deleteMany(keys);
      expect(await nodes.drain(here)).to.have.length(1);
      await eventually('all are gone', async () => (await there.users.getMany(keys)).size === 0);
      await here.users.deleteMany([...keys, 'one more']);
      expect(await nodes.drain(here)).to.have.length(2);
    });

    it('keep no copy for longer than Redis keeps the entry', async () => {
      const direct = new CacheManager({
        backend: new RedisBackend({ url: server.url, prefix: nodes.prefix, commandTimeout: '5s' }),
        logger: silentLogger,
      });
      // A failure is not to pass for an absent entry.
      const users = direct.cache<readonly [string], unknown>('users', { onError: 'throw' });
      try {
        for (const shorten of [false, true]) {
          await here.users.set('k', 'v', { ttl: shorten ? '1h' : 400 });
          if (shorten) {
            await warm(there);
            await here.users.expire('k', 400);
          }
          await there.users.get('k');
          await eventually('Redis has forgotten it', async () => {
            if ((await users.get('k')) !== undefined) return false;
            expect(await here.users.get('k')).to.equal(undefined);
            // The message of `expire` may still be on its way; the time is not.
            if (!shorten) expect(await there.users.get('k')).to.equal(undefined);
            return true;
          });
          await eventually('no copy is left', async () => !(await there.users.has('k')));
        }
      } finally {
        await direct.close();
      }
    });

    it('load once for both under sync: cluster', async () => {
      let loads = 0;
      for (let round = 0; round < 20; round++) {
        const load = async (): Promise<number> => {
          loads++;
          await new Promise((resolve) => setTimeout(resolve, 5));
          return round;
        };
        const callers = [here, there].flatMap(({ users }) =>
          Array.from({ length: 10 }, () => users.getOrSet(`c${round}`, load, { sync: 'cluster' })),
        );
        expect(new Set(await Promise.all(callers))).to.deep.equal(new Set([round]));
        expect(loads).to.equal(round + 1);
        await Promise.all([warm(here, `c${round}`), warm(there, `c${round}`)]);
      }
    });

    it('let the other one load when the loader fails under sync: cluster', async () => {
      let fail: (error: Error) => void = () => undefined;
      let isLoading = false;
      const first = here.users.getOrSet(
        'k',
        () => {
          isLoading = true;
          return new Promise((_, reject) => (fail = reject));
        },
        { sync: 'cluster' },
      );
      await eventually('the load runs', () => isLoading);
      const second = there.users.getOrSet('k', async () => 'theirs', { sync: 'cluster' });
      fail(new Error('no luck'));
      expect(await failed(first)).to.have.property('message', 'no luck');
      expect(await second).to.equal('theirs');
    });

    it('keep what a transaction loads in its view, and show what it puts at the end', async () => {
      await there.users.set('put', 'old');
      await Promise.all([warm(there, 'put'), warm(here, 'put')]);
      const session = new TransactionSession(here.manager);
      let loads = 0;
      const load = async (): Promise<string> => `uncommitted ${++loads}`;
      expect(await session.run(() => here.users.getOrSet('k', load))).to.equal('uncommitted 1');
      expect(await session.run(() => here.users.getOrSet('k', load))).to.equal('uncommitted 1');
      await session.run(() => here.users.set('put', 'new'));
      expect(await session.run(() => here.users.get('put'))).to.equal('new');
      for (const { users } of [here, there]) {
        expect(await users.get('k')).to.equal(undefined);
        expect(await users.get('put')).to.equal('old');
      }
      await session.commit();
      await eventually('the put is seen', async () => (await there.users.get('put')) === 'new');
      expect(await here.users.get('put')).to.equal('new');
      expect(await here.users.get('k')).to.equal(undefined);
    });

    for (const [name, , act] of INVALIDATIONS) {
      it(`serve no load of a transaction behind ${name} of the other one`, async () => {
        const session = new TransactionSession(here.manager);
        const options = { tags: ['a', 'b'] };
        await session.run(() => here.users.getOrSet('k', async () => 'older', options));
        expect(await session.run(() => here.users.get('k'))).to.equal('older');
        await act(there);
        expect(await session.run(() => here.users.get('k'))).to.not.equal('older');
        await session.commit();
      });
    }

    it('drop what a transaction was to evict even if it throws', async () => {
      await here.users.set('k', 'old');
      await warm(there);
      const session = new TransactionSession(here.manager);
      await session.run(() => here.users.delete('k'));
      await session.run(() => here.users.set('never', 'put'));
      await session.fail();
      await eventually('it is gone', async () => (await there.users.get('k')) === undefined);
      expect(await there.users.get('never')).to.equal(undefined);
    });
  });

  describe('when something is out of reach', () => {
    const maxStalenessMs = 1_500;
    beforeEach(() => start({ maxStalenessMs, commandTimeoutMs: 250 }));

    /** A node with a copy of a value that Redis has, on a machine that may be too busy for the short timeout. */
    const prepare = async (): Promise<void> => {
      await eventually('it is stored', () => here.users.set('k', 'old').catch(() => false));
      for (const node of [here, there]) {
        await eventually('a copy is kept', async () => {
          const entry = await node.users.getEntry('k').catch(() => undefined);
          return entry?.source === 'l1';
        });
      }
    };

    it('replay what one of them could not evict, and then drop all copies', async () => {
      await prepare();
      let deferrals = 0;
      here.manager.on('deferred', () => deferrals++);
      await here.store.refuse();
      here.store.cut();
      await failed(here.users.delete('k'));
      expect(deferrals).to.be.greaterThan(0);
      // Redis has not been told: whoever drops the copy reads the old value again.
      await eventually('it was copied again', async () => (await sourceOf(there, 'k')) === 'l2');
      expect(await there.users.get('k')).to.equal('old');
      const seen = new Set<unknown>();
      const read = async (): Promise<unknown> => {
        const value = await here.users.getOrSet('k', async () => 'new', { onError: 'bypass' });
        seen.add(value);
        return value;
      };
      await read();
      await here.store.heal();
      await eventually('it is replayed', async () => {
        await read();
        return (await there.users.get('k')) !== 'old';
      });
      await eventually('both agree', async () => {
        const value = await read();
        return value === 'new' && (await there.users.get('k')) === value;
      });
      expect(seen).to.deep.equal(new Set(['new']));
    });

    for (const [name, breakIt, mendIt] of [
      ['is frozen', () => server.freeze(), () => server.thaw()],
      ['was killed', () => server.stop(), () => server.start()],
    ] as const) {
      it(`go on within maxStaleness while Redis ${name}, and tell the truth afterwards`, async () => {
        await prepare();
        const read = ({ users }: TieredRedisNode, value: string): Promise<unknown> =>
          users.getOrSet('k', async () => value, { onError: 'bypass' });
        expect(await read(there, 'new')).to.equal('old');
        await breakIt();
        const brokenAt = performance.now();
        let served = 0;
        try {
          for (;;) {
            const startedAt = performance.now();
            const value = await read(there, 'new');
            if (value !== 'old') break;
            served++;
            expect(startedAt - brokenAt).to.be.lessThan(maxStalenessMs);
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
          expect(served).to.be.greaterThan(0);
          // What is loaded meanwhile is kept in the own tier, for as long.
          expect(await read(there, 'newer')).to.equal('new');
          expect(await sourceOf(there, 'k')).to.equal('l1');
          await failed(here.users.delete('k'));
          expect(await read(here, 'newest')).to.equal('newest');
        } finally {
          await mendIt();
        }
        await eventually('what was missed is replayed', async () => {
          expect(await read(here, 'newest')).to.equal('newest');
          return (await read(there, 'newest')) === 'newest';
        });
        await eventually('both are well', () =>
          [here, there].every(({ manager }) => manager.health().status === 'healthy'),
        );
        await eventually('copies are kept again', async () => {
          await read(there, 'newest');
          return (await sourceOf(there, 'k').catch(() => undefined)) === 'l1';
        });
      });
    }
  });
});
