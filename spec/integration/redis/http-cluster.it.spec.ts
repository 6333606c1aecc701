import { expect } from 'chai';
import type { Response } from 'express';
import type { Redis } from 'ioredis';
import { RedisBackend } from '#internal/backends/redis/redis-backend.js';
import { RedisBus } from '#internal/backends/redis/redis-bus.js';
import { TieredBackend } from '#internal/backends/tiered/tiered-backend.js';
import type { CacheBackend } from '#internal/cache/backend.js';
import { httpCache } from '#internal/express/http-cache.js';
import type { HttpCacheOptions } from '#internal/express/http-cache-options.js';
import { BlackHole } from '../../support/black-hole.js';
import { HttpFixture, type Answer } from '../../support/http-fixture.js';
import { startRedisServer, type RedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';

/** A handler's run that waits to be told what to answer. */
interface Held {
  readonly node: number;
  readonly user: string;
  readonly res: Response;
}

/** The requests that each process has seen before. */
const WARMING = 2;

const BACKENDS: Readonly<Record<string, (url: string, prefix: string) => CacheBackend>> = {
  Redis: redisBackend,
  'tiers over Redis': (url, prefix) =>
    new TieredBackend({ l2: redisBackend(url, prefix), bus: new RedisBus({ url }) }),
};

/**
 * Patient enough for a busy machine: who may not wait for Redis any longer runs its own handler, and so does who takes over
 * a lease that was not renewed in time.
 */
function redisBackend(url: string, prefix: string): RedisBackend {
  return new RedisBackend({ url, prefix, commandTimeout: '8s', lease: '30s' });
}

describe("httpCache with sync: 'cluster'", () => {
  let server: RedisServer;
  let client: Redis;
  let prefixes = 0;
  let prefix: string;
  let nodes: HttpFixture[];
  let held: Held[];

  before(async () => {
    server = await startRedisServer();
    client = server.client();
  });

  after(async () => {
    client.disconnect();
    await server.stop();
  });

  beforeEach(() => {
    prefix = `cluster-${++prefixes}`;
    nodes = [];
    held = [];
  });

  afterEach(async () => {
    for (const { res } of held) res.destroy();
    await Promise.all(nodes.map((node) => node.stop()));
  });

  /** Starts one more process, as far as the others can tell. */
  async function open(backend: CacheBackend, options: HttpCacheOptions = {}): Promise<void> {
    const node = await HttpFixture.start({ backend });
    const number = nodes.push(node) - 1;
    const { manager } = node;
    // Nobody is to go on only because of the time that has passed, but where a spec says so.
    const patient = { manager, ttl: '1m', sync: 'cluster', collapseTimeout: '1h' } as const;
    const all: HttpCacheOptions = { ...patient, ...options };
    node.app.get('/', httpCache(all), (req, res) => {
      held.push({ node: number, user: String(req.headers['x-user'] ?? ''), res });
    });
    // What wakes this process is subscribed with its first lease, and no message is to come before that.
    node.app.get('/:warm', httpCache(all), (_req, res) => void res.send('warm'));
    await node.ask(`/${number}`);
    await until('it is subscribed', async () => (await wakeChannels()) === nodes.length);
    await node.ask(`/${number}-again`);
  }

  async function wakeChannels(): Promise<number> {
    return ((await client.pubsub('CHANNELS', `${prefix}*~wake*`)) as readonly string[]).length;
  }

  const ask = (node: number, user = ''): Promise<Answer> =>
    nodes[node]!.ask('/', { headers: { host: 'one.example', 'x-user': user } });

  /** One request is in its handler, and of each process so many wait: in that process, or for the lease. */
  async function together(perNode: readonly number[]): Promise<Promise<Answer>[]> {
    const asked = [ask(0, '0.0')];
    await until('the first one runs', () => held.length === 1);
    perNode.forEach((count, node) => {
      for (let index = node === 0 ? 1 : 0; index < count; index++) {
        asked.push(ask(node, `${node}.${index}`));
      }
    });
    const others = perNode.slice(1).filter((count) => count > 0).length;
    await until('all wait', async () => {
      const isAsking = perNode.every((count, node) => missesOf(node) === WARMING + count);
      return isAsking && (await waitingProcesses()) === others;
    });
    return asked;
  }

  function missesOf(node: number): number {
    return nodes[node]!.manager.cache('http').statistics().misses;
  }

  /** How many processes have left their names at the lease. */
  async function waitingProcesses(): Promise<number> {
    const [key] = await client.keys(`${prefix}*%~turn`);
    const lease = key === undefined ? null : await client.get(key);
    return lease === null ? 0 : lease.trim().split(' ').length - 2;
  }

  for (const [kind, backendOf] of Object.entries(BACKENDS)) {
    describe(`on ${kind}`, () => {
      it('runs one handler, whose response all get', async () => {
        for (let node = 0; node < 4; node++) await open(backendOf(server.url, prefix));
        const asked = await together([5, 5, 5, 5]);
        held[0]!.res.send('shared');
        const answers = await Promise.all(asked);
        // Whoever comes back is given it in front of the application, where a fast lane stands there.
        for (let round = 0; round < 3; round++) {
          for (const node of nodes.keys()) answers.push(await ask(node));
        }

        expect(new Set(answers.map(({ text }) => text))).to.deep.equal(new Set(['shared']));
        expect(held.length).to.equal(1);
      });

      it('lets all others run their own handlers as soon as the head of a response shows that it is not to be shared', async () => {
        for (let node = 0; node < 4; node++) await open(backendOf(server.url, prefix));
        const asked = await together([2, 2, 2, 2]);
        held[0]!.res.set('Cache-Control', 'private').write('user 0.0');
        await until('all run, while the first one is still writing', () => held.length === 8);
        held[0]!.res.end();
        for (const { res, user } of held.slice(1)) {
          res.set('Cache-Control', 'private').send(`user ${user}`);
        }
        const answers = await Promise.all(asked);

        expect(answers.map(({ text }) => text)).to.deep.equal(
          ['0.0', '0.1', '1.0', '1.1', '2.0', '2.1', '3.0', '3.1'].map((user) => `user ${user}`),
        );
        expect(new Set(answers.map(({ cache }) => cache))).to.deep.equal(new Set(['SKIP']));
      });
    });
  }

  it('lets one take over when the response of the first one breaks off', async () => {
    for (let node = 0; node < 3; node++) await open(redisBackend(server.url, prefix));
    const [first, ...others] = await together([2, 2, 2]);
    const failure = first!.catch((error: unknown) => error);
    held[0]!.res.destroy();
    await until('another one runs', () => held.length === 2);
    held[1]!.res.send('shared');
    const answers = await Promise.all(others);

    expect(await failure).to.be.instanceOf(Error);
    expect(new Set(answers.map(({ text }) => text))).to.deep.equal(new Set(['shared']));
    expect(held.length).to.equal(2);
  });

  it('lets one take over when the process of the first one is cut off, whose late response is not stored', async () => {
    const hole = await BlackHole.before(Number(new URL(server.url).port));
    try {
      const url = `redis://127.0.0.1:${hole.port}`;
      await open(new RedisBackend({ url, prefix, commandTimeout: '1s', lease: '2s' }));
      for (let node = 1; node < 4; node++) await open(redisBackend(server.url, prefix));
      const [first, ...others] = await together([1, 2, 2, 2]);
      hole.swallow();
      await until('another one runs', () => held.length === 2);
      held[1]!.res.send('shared');
      const answers = await Promise.all(others);
      hole.letThrough();
      hole.cut();
      held[0]!.res.send('late');

      expect((await first!).text).to.equal('late');
      expect(new Set(answers.map(({ text }) => text))).to.deep.equal(new Set(['shared']));
      expect(held.length).to.equal(2);
      expect((await ask(1)).text).to.equal('shared');
    } finally {
      await hole.close();
    }
  });

  it('lets a request run its own handler that has waited for another process as long as it may', async () => {
    await open(redisBackend(server.url, prefix));
    await open(redisBackend(server.url, prefix), { collapseTimeout: '100ms' });
    await open(redisBackend(server.url, prefix));
    const first = ask(0);
    await until('the first one runs', () => held.length === 1);
    const impatient = ask(1);
    const patient = ask(2);
    await until('the impatient one runs', () => held.length === 2);
    await until('the patient one waits', async () => (await waitingProcesses()) === 2);
    held[1]!.res.send('own');
    expect((await impatient).text).to.equal('own');
    expect(held.map(({ node }) => node)).to.deep.equal([0, 1]);

    held[0]!.res.send('shared');
    expect((await first).text).to.equal('shared');
    const { text, cache } = await patient;
    expect(['shared', 'own']).to.include(text);
    expect(cache).to.equal('HIT');
    expect(held.length).to.equal(2);
  });
});
