import { expect } from 'chai';
import type { Cluster } from 'ioredis';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import { bucketKey, bucketOf, BUCKETS } from '#internal/backends/redis/cluster-keys.js';
import { hashSlot } from '#internal/backends/redis/hash-slot.js';
import type { RedisLike } from '#internal/backends/redis/redis-like.js';
import type { Cache } from '#internal/cache/cache.js';
import type { CacheManager } from '#internal/manager/cache-manager.js';
import { eventually } from '../../support/eventually.js';
import { startRedisCluster, type RedisClusterServers } from '../../support/redis-cluster.js';
import { TierPair, tieredManager, type TierPairOptions } from '../../support/tier-pair.js';
import { TransactionSession } from '../../support/transaction-session.js';

type Users = Cache<[number], string>;

const TAGS = ['a', 'b'];
/** Its buckets lie on every master. */
const KEYS: readonly number[] = Array.from({ length: 40 }, (_, key) => key);

/** How the nodes reach the Cluster. */
const WAYS = ["a client of the user's", 'nodes', 'nodes without sharded pub/sub'] as const;

/** What one node does, so that no node sees key 1 any more. */
const INVALIDATIONS: Readonly<Record<string, (manager: CacheManager, users: Users) => unknown>> = {
  'a delete': (_, users) => users.delete(1),
  'a delete of many keys': (_, users) => users.deleteMany(KEYS.map((key) => [key])),
  'a delete by pattern': (_, users) => users.deletePattern('*'),
  'an invalidation of a tag': (manager) => manager.invalidateTags('a'),
  'an invalidation of both tags': (manager) => manager.invalidateTags({ all: TAGS }),
  'a clear': (_, users) => users.clear(),
  'a clear of all caches': (manager) => manager.clearAll(),
  'an expiry': (_, users) => users.expire(1, 0),
  'a set': (_, users) => users.set(1, 'newer'),
};

describe('tiers on a Cluster', function () {
  this.timeout(30_000);

  for (const way of WAYS) {
    describe(`reached by ${way}`, () => {
      const isSharded = way !== 'nodes without sharded pub/sub';
      let servers: RedisClusterServers;
      let client: Cluster;
      let number = 0;
      let prefix: string;
      let here: CacheManager;
      let there: CacheManager;
      let hereUsers: Users;
      let thereUsers: Users;

      before(async () => {
        const renamed = ['spublish', 'ssubscribe'].flatMap((name) => [
          ...['--rename-command', name, `no-${name}`],
        ]);
        servers = await startRedisCluster(isSharded ? {} : { args: renamed });
        client = servers.client();
      });

      after(async () => {
        client.disconnect();
        await servers.stop();
      });

      beforeEach(async () => {
        prefix = `tiers${++number}`;
        here = tieredManager(places());
        there = tieredManager(places());
        hereUsers = here.cache('users');
        thereUsers = there.cache('users');
        await eventually('the nodes hear each other', async () => {
          const facts = await Promise.all([here.info(), there.info()]).catch(() => []);
          return facts.length === 2 && facts.every((fact) => Number(fact['senders']) > 0);
        });
        await eventually('both are healthy', () =>
          [here, there].every((manager) => manager.health().status === 'healthy'),
        );
      });

      afterEach(() => Promise.all([here.close({ timeout: 500 }), there.close({ timeout: 500 })]));

      const places = (): TierPairOptions => {
        const place =
          way === "a client of the user's"
            ? { client: client as unknown as RedisLike }
            : { cluster: { nodes: servers.nodes } };
        const patience = { commandTimeout: '5s' } as const;
        return { prefix, backend: { ...place, ...patience }, bus: { ...place, ...patience } };
      };
      const calls = async (command: string): Promise<number[]> => {
        const texts = await Promise.all(
          client.nodes('master').map(async (node) => node.info('commandstats')),
        );
        const pattern = new RegExp(`^cmdstat_${command}:calls=(\\d+)`, 'm');
        return texts.map((text) => Number(pattern.exec(text)?.[1] ?? 0));
      };
      const resetCalls = (): Promise<unknown> =>
        Promise.all(client.nodes('master').map(async (node) => node.config('RESETSTAT')));

      for (const [name, invalidate] of Object.entries(INVALIDATIONS)) {
        it(`${name} reaches the other node's own tier`, async () => {
          await hereUsers.set(1, 'old', { tags: TAGS });
          await eventually('the other node has a copy', async () => {
            return (await thereUsers.getEntry(1)).source === 'l1';
          });
          await invalidate(here, hereUsers);
          expect(await hereUsers.get(1)).to.not.equal('old');
          await eventually('it is gone', async () => (await thereUsers.get(1)) !== 'old');
        });
      }

      it(`publishes ${isSharded ? 'within one shard' : 'on the node of the channel, without shards'}`, async () => {
        await resetCalls();
        for (const key of KEYS) await hereUsers.delete(key);
        const sharded = await calls(isSharded ? 'spublish' : 'no-spublish');
        const plain = await calls('publish');
        const used = isSharded ? sharded : plain;
        expect(used.filter((count) => count > 0)).to.have.length(1);
        expect(Math.max(...used)).to.be.at.least(KEYS.length);
        expect((isSharded ? plain : sharded).every((count) => count === 0)).to.equal(true);
      });

      it('loads each key once for both nodes', async () => {
        let loads = 0;
        const load = async (): Promise<string> => {
          loads++;
          await new Promise((resolve) => setTimeout(resolve, 20));
          return 'loaded';
        };
        for (const [round, key] of KEYS.slice(0, 12).entries()) {
          const callers = [hereUsers, thereUsers].flatMap((users) =>
            Array.from({ length: 20 }, () => users.getOrSet(key, load, { sync: 'cluster' })),
          );
          expect(new Set(await Promise.all(callers))).to.deep.equal(new Set(['loaded']));
          expect(loads).to.equal(round + 1);
        }
      });

      it('keeps a transaction to itself until it has succeeded', async () => {
        for (const key of [1, 2, 3]) await hereUsers.set(key, 'old', { tags: TAGS });
        for (const key of [1, 2, 3]) await thereUsers.get(key);
        const session = new TransactionSession(here);
        await session.run(() => hereUsers.set(1, 'new'));
        await session.run(() => hereUsers.delete(2));
        expect(await session.run(() => hereUsers.get(1))).to.equal('new');
        expect(await session.run(() => hereUsers.get(2))).to.equal(undefined);
        expect(await thereUsers.get(1)).to.equal('old');
        expect(await thereUsers.get(2)).to.equal('old');
        await session.commit();
        await eventually('the other node sees it', async () => {
          const seen = await thereUsers.getMany([1, 2, 3]);
          return seen.get(1) === 'new' && !seen.has(2) && seen.get(3) === 'old';
        });
      });

      it('drops the puts of a transaction that fails, and issues its evictions', async () => {
        for (const key of [1, 2]) await hereUsers.set(key, 'old', { tags: TAGS });
        const session = new TransactionSession(here);
        await session.run(() => hereUsers.set(1, 'new'));
        await session.run(() => here.invalidateTags('a'));
        await session.fail();
        expect(await hereUsers.getMany([1, 2])).to.deep.equal(new Map());
        await eventually('the other node sees it', async () => {
          return (await thereUsers.getMany([1, 2])).size === 0;
        });
      });

      it('touches no key of others, on any master', async () => {
        const bucket = `{${prefix}:1:users:0}`;
        const foreign = [
          ...Array.from({ length: 30 }, (_, index) => `foreign${index}`),
          ...[`${prefix}x:~tag:a`, `{${prefix}x:1:users:0}:1`, `${bucket.slice(0, -3)}x:0}:1`],
        ];
        for (const key of foreign) await client.set(key, 'theirs');
        const others = here.cache<[number], string>('others');
        for (const key of KEYS) await others.set(key, 'other');
        for (const invalidate of Object.values(INVALIDATIONS).slice(2, 6)) {
          for (const key of KEYS) await hereUsers.set(key, 'old', { tags: TAGS });
          await invalidate(here, hereUsers);
          for (const key of KEYS) expect(await hereUsers.get(key)).to.equal(undefined);
          for (const key of KEYS) expect(await others.get(key)).to.equal('other');
        }
        await here.clearAll();
        for (const key of foreign) expect(await client.get(key), key).to.equal('theirs');
      });

      it('counts what a pattern deleted on all masters', async () => {
        for (const key of KEYS) await hereUsers.set(key, 'old', { tags: TAGS });
        expect(await hereUsers.deletePattern('1*')).to.equal(11);
        expect((await hereUsers.getMany(KEYS.map((key) => [key]))).size).to.equal(29);
      });

      it('goes on while slots move from one master to another', async () => {
        const pair = new TierPair(places());
        try {
          await pair.meet();
          pair.go();
          await eventually('work is done', () => pair.acknowledged > 30);
          const moved = new Set(
            ['k1', 'k2', 'k3'].map((key) => hashSlot(bucketKey(`${prefix}:1:pair`, bucketOf(key)))),
          );
          // The head and a tag as well: the numbers and the markers move with them.
          for (const slot of [...moved, hashSlot(`{${prefix}:~}`), hashSlot(`${prefix}:~tag:k1`)]) {
            await moveSlot(client, slot);
          }
          const { acknowledged } = pair;
          await eventually('work is done again', () => pair.acknowledged > acknowledged + 60);
          await pair.agree();
          expect(pair.watch.violations).to.deep.equal([]);
          expect(pair.writer.health().status).to.equal('healthy');
        } finally {
          await pair.stop();
        }
      });

      describe('commands', () => {
        let shared: Users;

        beforeEach(async () => {
          shared = here.cache('shared', { tiers: 'l2' });
          for (const key of KEYS) await shared.set(key, 'v', { tags: key === 0 ? [] : TAGS });
        });

        /** What the masters executed, by command; the nodes' own heartbeats left out. */
        const sentDuring = async (work: () => unknown): Promise<Record<string, number>> => {
          await resetCalls();
          await work();
          const sent: Record<string, number> = {};
          for (const command of ['get', 'mget', 'evalsha', 'eval']) {
            const count = (await calls(command)).reduce((sum, each) => sum + each, 0);
            // A server counts what its scripts call, too: of those only the scripts are of interest.
            if (count > 0 && (command !== 'get' || !('evalsha' in sent))) sent[command] = count;
          }
          return sent;
        };
        const never = async (): Promise<string> => expect.fail('It was expected to be a hit.');

        it('are one for a hit', async () => {
          expect(await sentDuring(() => shared.get(0))).to.deep.equal({ mget: 1 });
        });

        it('are one more for each tag of a hit', async () => {
          const sent = await sentDuring(() => shared.getOrSet(1, never, { tags: TAGS }));
          expect(sent).to.deep.equal({ get: 2, mget: 1 });
        });

        it('are three for each bucket at most for a clear, whatever is in it', async () => {
          // Without sharded pub/sub each message and heartbeat is a script as well.
          const { evalsha } = await sentDuring(() => shared.clear());
          expect(evalsha).to.be.within(BUCKETS, 3 * BUCKETS);
          for (const key of KEYS) expect(await shared.get(key)).to.equal(undefined);
        });

        it('are two for an invalidation of a tag, and one more for each further one', async () => {
          const slack = isSharded ? 0 : 5;
          const one = await sentDuring(() => here.invalidateTags('a'));
          expect(one['evalsha']).to.be.within(2, 2 + slack);
          const both = await sentDuring(() => here.invalidateTags('a', 'b'));
          expect(both['evalsha']).to.be.within(3, 3 + slack);
        });

        if (way === "a client of the user's") {
          it('of a tagged hit are sent side by side, where the tags are known', async () => {
            let sent = 0;
            let sentBeforeAnswer = 0;
            const patched: ('callBuffer' | 'mgetBuffer')[] = ['callBuffer', 'mgetBuffer'];
            for (const name of patched) {
              const original = client[name].bind(client) as (
                ...args: unknown[]
              ) => Promise<unknown>;
              client[name] = ((...args: unknown[]) => {
                if (args[0] === 'spublish') return original(...args);
                sent++;
                return original(...args).then((reply) => {
                  sentBeforeAnswer ||= sent;
                  return reply;
                });
              }) as never;
            }
            try {
              expect(await shared.getOrSet(1, never, { tags: TAGS })).to.equal('v');
            } finally {
              for (const name of patched) Reflect.deleteProperty(client, name);
            }
            expect([sent, sentBeforeAnswer]).to.deep.equal([3, 3]);
          });
        }
      });
    });
  }

  it('places keys as the servers do', async () => {
    const servers = await startRedisCluster();
    const client = servers.client();
    try {
      for (const key of ['', 'k', 'foo{}{bar}', 'foo{{bar}}zap', '{a:1:b:0}:é%~', '}{x', '{x']) {
        expect(hashSlot(key), key).to.equal(await client.cluster('KEYSLOT', key));
      }
    } finally {
      client.disconnect();
      await servers.stop();
    }
  });
});

/** Moves a slot with its keys to the next master, as a tool for resharding does. */
async function moveSlot(client: Cluster, slot: number): Promise<void> {
  const masters = client.nodes('master');
  const ids = await Promise.all(masters.map(async (node) => String(await node.cluster('MYID'))));
  const counts = await Promise.all(
    masters.map(async (node) => {
      const lines = String(await node.call('CLUSTER', 'NODES')).split('\n');
      const ranges = lines
        .find((line) => line.includes('myself'))!
        .split(' ')
        .slice(8);
      return ranges.some((range) => {
        const [from, to = from] = range.split('-').map(Number);
        return from! <= slot && slot <= to!;
      });
    }),
  );
  const from = counts.indexOf(true);
  const to = (from + 1) % masters.length;
  const [giver, taker] = [masters[from]!, masters[to]!];
  await taker.cluster('SETSLOT', slot, 'IMPORTING', ids[from]!);
  await giver.cluster('SETSLOT', slot, 'MIGRATING', ids[to]!);
  for (;;) {
    const keys = (await giver.cluster('GETKEYSINSLOT', slot, 10)) as string[];
    if (keys.length === 0) break;
    const { port } = taker.options;
    await giver.call('MIGRATE', '127.0.0.1', String(port), '', '0', '5000', 'KEYS', ...keys);
  }
  for (const node of [taker, giver]) await node.cluster('SETSLOT', slot, 'NODE', ids[to]!);
}
