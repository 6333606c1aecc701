import type { Socket } from 'node:net';
import { expect } from 'chai';
import { Cluster, type Redis } from 'ioredis';
import { after, afterEach, before, describe, it } from 'mocha';
import { RedisBackend } from '#internal/backends/redis/redis-backend.js';
import type { RedisLike } from '#internal/backends/redis/redis-like.js';
import { RedisBus } from '#internal/backends/redis/redis-bus.js';
import { TieredBackend } from '#internal/backends/tiered/tiered-backend.js';
import { cacheable } from '#internal/decorators/cacheable.js';
import type { CacheBackend } from '#internal/cache/backend.js';
import type { GetOrSetOptions } from '#internal/cache/cache.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import type { LoadContext } from '#internal/cache/load-context.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { eventually } from '../../support/eventually.js';
import { startRedisCluster, type RedisClusterServers } from '../../support/redis-cluster.js';
import { RedisServer } from '../../support/redis-server.js';

/** A process, as far as Redis can tell. */
interface Node {
  readonly manager: CacheManager;
  readonly client: Redis | Cluster;
}

type Load = () => Promise<string>;
/** A way to read a key that only one process is to load. */
type Read = (manager: CacheManager, key: string, load: Load) => Promise<unknown>;

const SETUPS: Readonly<
  Record<string, (client: RedisLike, prefix: string, bus: RedisLike) => CacheBackend>
> = {
  Redis: (client, prefix) => new RedisBackend({ client, prefix, commandTimeout: '5s' }),
  'two tiers': (client, prefix, bus) =>
    new TieredBackend({
      l2: new RedisBackend({ client, prefix, commandTimeout: '5s' }),
      bus: new RedisBus({ client: bus, commandTimeout: '5s' }),
    }),
};

function getOrSet(
  options: GetOrSetOptions,
  prepare: (context: LoadContext) => void = () => undefined,
): Read {
  return (manager, key, load) =>
    manager.cache<[string], string>('a').getOrSet(
      key,
      (context) => {
        prepare(context);
        return load();
      },
      { sync: 'cluster', ...options },
    );
}

function decorated(options: Parameters<typeof cacheable>[1]): Read {
  return (manager, key, load) => {
    const method = cacheable(async (_key: string): Promise<string> => load(), {
      cache: 'decorated',
      key: (id: string) => id,
      sync: 'cluster',
      manager,
      ...options,
    } as const);
    return method(key);
  };
}

const READS: Readonly<Record<string, Read>> = {
  'no tags': getOrSet({}),
  'tags known before the load': getOrSet({ tags: ['t', 'u'] }),
  'tags known from the result': getOrSet({}, ({ tags }) => tags.add('r')),
  'tags of both kinds': getOrSet({ tags: ['t'] }, ({ tags }) => tags.add('r')),
  staleWhileRevalidate: getOrSet({ staleWhileRevalidate: '1m' }),
  'staleWhileRevalidate and tags of both kinds': getOrSet(
    { staleWhileRevalidate: '1m', tags: ['t'] },
    ({ tags }) => tags.add('r'),
  ),
  refreshAhead: getOrSet({ refreshAhead: 0.8 }),
  'many keys': (manager, key, load) =>
    manager.cache<[string], string>('many').getOrSetMany(
      [key, `${key}+`],
      async (keys) => {
        const value = await load();
        return new Map(keys.map((each) => [each, value]));
      },
      { sync: 'cluster', staleIfError: '1m' },
    ),
  'a hundred callers': async (manager, key, load) => {
    const read = getOrSet({ staleIfError: '1m' });
    const values = await Promise.all(Array.from({ length: 100 }, () => read(manager, key, load)));
    return [...new Set(values)];
  },
  'a decorated method': decorated({}),
  'a decorated method with tags of its result': decorated({ tagsOf: () => ['r'] }),
  'a decorated method with staleIfError': decorated({ staleIfError: '1m' }),
};

describe('A call that waits for the load of another process', () => {
  let server: RedisServer;
  let cluster: RedisClusterServers;
  /** One of each server, and what it hears there. */
  const observers: Redis[] = [];
  const monitors: Redis[] = [];
  /** What each connection sent, by the port of its own end. */
  const sent = new Map<string, string[]>();
  const nodes: Node[] = [];
  const clients: (Redis | Cluster)[] = [];
  let runs = 0;

  before(async function () {
    this.timeout(60_000);
    server = await RedisServer.start();
    cluster = await startRedisCluster();
    for (const each of [server, ...cluster.masters]) {
      const client = each.client();
      const monitor = await client.monitor();
      monitor.on('monitor', (_time: string, args: string[], source: string) => {
        const port = source.split(':').at(-1)!;
        const log = sent.get(port) ?? [];
        sent.set(port, log);
        log.push(args.join(' '));
      });
      observers.push(client);
      monitors.push(monitor);
    }
  });

  after(async () => {
    for (const each of [...monitors, ...observers]) each.disconnect();
    await server.stop();
    await cluster.stop();
  });

  afterEach(async () => {
    await Promise.all(nodes.splice(0).map(({ manager }) => manager.close({ timeout: 500 })));
    for (const client of clients.splice(0)) client.disconnect();
  });

  /** A process that has worked before, with other keys than those of the spec. */
  const start = async (
    setup: string,
    prefix: string,
    place: { client(): Redis | Cluster } = server,
  ): Promise<Node> => {
    const [client, bus] = [place.client(), place.client()];
    clients.push(client, bus);
    const backend = SETUPS[setup]!(like(client), prefix, like(bus));
    const manager = new CacheManager({ backend, logger: silentLogger });
    nodes.push({ manager, client });
    // On a Cluster as many keys as reach every master, so that each has the scripts.
    for (let key = 0; key < (client instanceof Cluster ? 40 : 1); key++) {
      await READS['no tags']!(manager, `${key} of node ${nodes.length}`, async () => 'other');
    }
    return { manager, client };
  };

  /** The commands that a node sends meanwhile, without those by which it asks whether Redis is alive. */
  const commandsOf = async (
    { client }: Node,
    body: () => Promise<void>,
  ): Promise<readonly string[]> => {
    const connections = client instanceof Cluster ? client.nodes('master') : [client];
    const logs = connections.map(({ stream }) => String((stream as Socket).localPort));
    const mark = async (): Promise<readonly number[]> => {
      const text = `echo mark ${++runs}`;
      const name = `mark ${runs}`;
      await Promise.all(connections.map((connection) => connection.call('echo', name)));
      await eventually('the monitors have seen it', () =>
        logs.every((port) => sent.get(port)?.includes(text) === true),
      );
      return logs.map((port) => sent.get(port)!.indexOf(text));
    };
    const from = await mark();
    await body();
    const until = await mark();
    const names = logs.flatMap((port, index) =>
      sent
        .get(port)!
        .slice(from[index]! + 1, until[index])
        .map((line) => line.split(' ')[0]!),
    );
    // By `cluster` the client itself asks where the slots are.
    return names.filter((name) => name !== 'ping' && name !== 'cluster');
  };

  const waitersOf = async (prefix: string): Promise<number> => {
    const texts = await Promise.all(
      observers.map(async (observer) => {
        const leases = await observer.keys(`*${prefix}:*%~turn`);
        return Promise.all(leases.map((name) => observer.get(name)));
      }),
    );
    return Math.max(
      0,
      ...texts.flat().map((text) => (text ?? '').split(' ').slice(2).filter(Boolean).length),
    );
  };

  /** What a waiter sends for each of some keys, while another process loads them. */
  const waitsOf = async (
    [loader, waiter]: readonly [Node, Node],
    prefix: string,
    read: Read,
  ): Promise<readonly (readonly string[])[]> => {
    const costs: (readonly string[])[] = [];
    for (const key of ['first', 'second', 'third']) {
      let endLoad = (): void => undefined;
      const gate = new Promise<void>((resolve) => (endLoad = resolve));
      let isLoading = false;
      const loading = read(loader.manager, key, async () => {
        isLoading = true;
        await gate;
        return 'loaded';
      });
      await eventually('the load has begun', () => isLoading);
      const commands = await commandsOf(waiter, async () => {
        const waiting = read(waiter.manager, key, async () => expect.fail('a second load'));
        await eventually('the other one waits', async () => (await waitersOf(prefix)) === 1);
        endLoad();
        expect(await waiting).to.deep.equal(await loading);
      });
      costs.push(commands);
    }
    return costs;
  };

  for (const setup of Object.keys(SETUPS)) {
    for (const [name, read] of Object.entries(READS)) {
      it(`costs three commands with ${name}, in ${setup}`, async () => {
        const prefix = `cost${++runs}`;
        const pair = [await start(setup, prefix), await start(setup, prefix)] as const;
        for (const cost of await waitsOf(pair, prefix, read)) expect(cost).to.have.length(3);
      });
    }

    it(`costs three commands in ${setup} on a Cluster, whichever master has the key`, async () => {
      const prefix = `cost${++runs}`;
      const pair = [
        await start(setup, prefix, cluster),
        await start(setup, prefix, cluster),
      ] as const;
      for (const cost of await waitsOf(pair, prefix, READS['no tags']!)) {
        expect(cost).to.have.length(3);
      }
    });
  }

  it('looks up a plain hit as other calls do', async () => {
    const node = await start('Redis', `cost${++runs}`);
    const read = READS['no tags']!;
    await read(node.manager, 'k', async () => 'loaded');
    const commands = await commandsOf(node, async () => {
      expect(await read(node.manager, 'k', async () => 'again')).to.equal('loaded');
    });
    expect(commands).to.deep.equal(['mget']);
  });
});

/** A client of the user's. */
function like(client: Redis | Cluster): RedisLike {
  return client as unknown as RedisLike;
}
