import { expect } from 'chai';
import express from 'express';
import { Redis } from 'ioredis';
import { CacheManager, TieredBackend, MemoryBackend, type CacheBackend } from 'cachewell';
import { RedisBackend } from 'cachewell/redis';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { rateLimit } from '#internal/express/rate-limit.js';
import { listening, type Listening } from '../../support/http-listener.js';
import { RedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';

describe('rateLimit on Redis', () => {
  let redis: RedisServer;
  let client: Redis;

  before(async () => {
    redis = await RedisServer.start();
    client = new Redis(redis.url);
  });

  after(async () => {
    client.disconnect();
    await redis.stop();
  });

  beforeEach(() => client.flushall());

  async function limited(manager: CacheManager): Promise<Listening> {
    const app = express();
    app.set('env', 'test');
    app.use(rateLimit('3/hour', { manager }), (_req, res) => void res.send('ok'));
    return listening(app);
  }

  function manager(backend: CacheBackend = new RedisBackend({ url: redis.url })): CacheManager {
    return new CacheManager({ backend, logger: silentLogger });
  }

  async function status(server: Listening): Promise<number> {
    return (await fetch(server.origin)).status;
  }

  it('counts together in all processes', async () => {
    await using first = manager();
    await using second = manager(
      new TieredBackend({ l1: new MemoryBackend(), l2: new RedisBackend({ url: redis.url }) }),
    );
    await using one = await limited(first);
    await using other = await limited(second);
    const statuses: number[] = [];
    for (let index = 0; index < 3; index++) statuses.push(await status(one), await status(other));
    expect(statuses).to.deep.equal([200, 200, 200, 429, 429, 429]);
  });

  it('keeps its counters in an area of its own, which no clear touches, and which expires', async () => {
    await using own = manager();
    await using server = await limited(own);
    await status(server);
    const keys = await client.keys('*limit*');
    expect(keys).to.have.length(1);
    expect(keys[0]).to.match(/^cache:~area:limit:3\/hour:[\w-]{22}$/);
    expect(await client.pttl(keys[0]!)).to.be.within(3_500_000, 3_600_000);
    await own.cache('users').set('a', 1);
    await own.cache('users').clear();
    await own.cache('users').deletePattern('*');
    await own.invalidateTags('a');
    await own.clearAll();
    expect(await client.keys('*limit*')).to.deep.equal(keys);
    expect([await status(server), await status(server), await status(server)]).to.deep.equal([
      200, 200, 429,
    ]);
  });

  it('goes on when the server has forgotten the scripts', async () => {
    await using own = manager();
    await using server = await limited(own);
    await status(server);
    await client.script('FLUSH');
    expect([await status(server), await status(server), await status(server)]).to.deep.equal([
      200, 200, 429,
    ]);
  });

  it('lets requests pass while Redis is away, also from the start, and counts when it is back', async () => {
    const gone = await RedisServer.start();
    await gone.stop();
    await using own = manager(new RedisBackend({ url: gone.url, commandTimeout: 100 }));
    await using server = await limited(own);
    for (let index = 0; index < 5; index++) expect(await status(server)).to.equal(200);
    await gone.start();
    await until('Redis is back', () => own.ping());
    const statuses: number[] = [];
    for (let index = 0; index < 5; index++) statuses.push(await status(server));
    expect(statuses.slice(-1)).to.deep.equal([429]);
    expect(statuses.filter((each) => each === 200)).to.have.length(3);
    await gone.stop();
  });
});
