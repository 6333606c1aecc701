import { expect } from 'chai';
import express from 'express';
import type { Redis } from 'ioredis';
import { RedisBackend } from '#internal/backends/redis/redis-backend.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { cacheAdmin } from '#internal/express/admin/cache-admin.js';
import { cacheHealth } from '#internal/express/health.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { eventually } from '../../support/eventually.js';
import { HttpServer } from '../../support/http-server.js';
import { startRedisServer, type RedisServer } from '../../support/redis-server.js';
import { TieredRedisNodes } from '../../support/tiered-redis-nodes.js';

interface Page {
  readonly keys: readonly { key: string; ttl: number | null; cache: string }[];
  readonly cursor: number | string;
}

const PASSWORD = 'hunter2-of-redis';

describe('cacheAdmin on Redis', function () {
  this.timeout(60_000);
  let redis: RedisServer;
  let client: Redis;
  let manager: CacheManager;
  let web: HttpServer;
  let monitor: Redis | undefined;
  const auth: express.RequestHandler = (_req, _res, next) => next();

  /** Patient where nothing is broken on purpose: the machine may be busy. */
  const start = async (commandTimeout = 5_000): Promise<void> => {
    redis = await startRedisServer({ password: PASSWORD });
    client = redis.client();
    const url = `redis://:${PASSWORD}@127.0.0.1:${redis.port}`;
    manager = new CacheManager({
      backend: new RedisBackend({ url, prefix: 'app', commandTimeout }),
      logger: silentLogger,
    });
    const app = express();
    app.use('/c', cacheAdmin({ auth, manager }));
    app.get('/health', cacheHealth({ manager }));
    web = await HttpServer.start(app);
  };
  afterEach(async () => {
    await web[Symbol.asyncDispose]();
    await manager.close().catch(() => undefined);
    monitor?.disconnect();
    client.disconnect();
    await redis.stop();
  });

  it('pages through keys with their times by SCAN, and clears its own alone', async () => {
    await start();
    const foreign = { 'other:v1:a:1': 'theirs', 'app2:v1:a:1': 'theirs', 'rl:127.0.0.1': '17' };
    await client.mset(foreign);
    const cache = manager.cache('http');
    await cache.setMany(
      Array.from({ length: 2_500 }, (_, index) => [['GET', 'items', index], index] as const),
      { ttl: '42s' },
    );
    const commands: string[] = [];
    monitor = await client.monitor();
    monitor.on('monitor', (_time: string, [command]: string[]) =>
      commands.push(command!.toLowerCase()),
    );
    const { bytesRead } = manager.statistics();
    const met = new Set<string>();
    let cursor: number | string = 0;
    do {
      const page = (await web.ask(`/c/keys?cache=http&count=500&cursor=${cursor}`)).json() as Page;
      for (const { key, ttl } of page.keys) {
        met.add(key);
        expect(ttl).to.be.within(1, 42);
      }
      cursor = page.cursor;
    } while (cursor !== 0);
    expect(met.size).to.equal(2_500);
    // No value was sent for it.
    expect(manager.statistics().bytesRead).to.equal(bytesRead);
    expect(commands).not.to.include.members(['mget']);
    const one = (await web.ask('/c/keys/GET%3Aitems%3A7?cache=http')).json();
    expect(one).to.deep.include({
      tier: 'l2',
      value: { type: 'value', text: '7', truncated: false },
    });
    const matching = await web.ask('/c/clear?pattern=GET:items:1?&cache=http', { method: 'POST' });
    expect(matching.json()).to.deep.equal({ cleared: 10 });
    expect((await web.ask('/c/clear', { method: 'POST' })).json()).to.deep.equal({ cleared: true });
    expect(await cache.has(['GET', 'items', 7])).to.equal(false);
    expect(await client.mget(...Object.keys(foreign))).to.deep.equal(Object.values(foreign));
    await eventually('the monitor has seen it', () => commands.includes('scan'));
    expect(commands).not.to.include.members(['keys']);
    expect(commands.filter((each) => /^(?:keys|flush)/.test(each))).to.deep.equal([]);
  });

  it('gives facts about the server, and none that tells where it is', async () => {
    await start();
    await manager.cache('a').set(1, 1);
    const info = await web.ask('/c/info');
    expect(info.json()).to.have.nested.property('store.redis_version');
    expect(info.text).not.to.match(/hunter2|127\.0\.0\.1|executable|config_file/);
  });

  it('tells of an outage in general words, within the time that a call may cost', async () => {
    await start(250);
    await manager.cache('a').set(1, 1);
    redis.freeze();
    for (const [path, method] of [
      ['/c/keys', 'GET'],
      ['/c/keys/1', 'GET'],
      ['/c/keys/1', 'DELETE'],
      ['/c/clear', 'POST'],
      ['/c/clear?cache=a', 'POST'],
      ['/c/clear?tag=t', 'POST'],
      ['/c/info', 'GET'],
      ['/c/ping', 'GET'],
      ['/c/health', 'GET'],
      ['/health', 'GET'],
    ] as const) {
      const answer = await web.ask(path, { method });
      expect(answer.status, `${method} ${path}`).to.equal(503);
      expect(answer.text, path).not.to.match(/hunter2|127\.0\.0\.1|:\d{4}/);
    }
    expect((await web.ask('/c/stats')).status).to.equal(200);
    redis.thaw();
    await eventually('it is healthy again', async () => (await web.ask('/health')).status === 200);
    // What was cleared meanwhile is cleared.
    expect(await manager.cache('a').has(1)).to.equal(false);
  });

  it('reaches the own tiers of other processes, and shows the state of the bus', async () => {
    await start();
    const open = await startRedisServer();
    const nodes = new TieredRedisNodes(open);
    try {
      const [here, there] = await nodes.start(2);
      await here!.users.set('k', 'old');
      await eventually('the other one keeps a copy', async () => {
        const { source } = await there!.users.getEntry('k');
        return source === 'l1';
      });
      const app = express().use(cacheAdmin({ auth, manager: here!.manager }));
      await using tiers = await HttpServer.start(app);
      const { store } = (await tiers.ask('/info')).json() as { store: Record<string, unknown> };
      expect(store).to.include.keys('bus', 'senders', 'suspected', 'distrusts', 'l2.redis_version');
      const deleted = await tiers.ask('/keys/k?cache=users', { method: 'DELETE' });
      expect(deleted.json()).to.deep.equal({ deleted: true });
      await eventually('it is gone there', async () => !(await there!.users.has('k')));
    } finally {
      await nodes.close();
      await open.stop();
    }
  });
});
