import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { compileExamples, ExampleProgram } from '../../support/example-program.js';
import { packageRoot } from '../../support/package-root.js';
import { startRedisServer, type RedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';

describe('the example http-redis', function () {
  this.timeout(120_000);
  let server: RedisServer;

  before(async () => {
    await compileExamples();
    server = await startRedisServer();
  });

  after(() => server.stop());

  it('says what is missing where there is no Redis, and ends', async () => {
    const gone = await startRedisServer();
    await gone.stop();
    const env = { ...process.env, REDIS_URL: gone.url, PORT: '0' };
    const { status, stderr } = spawnSync(process.execPath, ['scripts/example.mjs', 'http-redis'], {
      cwd: packageRoot,
      env,
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect(stderr).to.include(`needs a Redis at ${gone.url}`);
    expect(status).to.equal(1);
  });

  it('shares responses between two processes, and what writes make untrue', async () => {
    const env = { REDIS_URL: server.url, PORT: '0' };
    await using one = await ExampleProgram.start('http-redis', env);
    await using two = await ExampleProgram.start('http-redis', env);
    // One public name, as behind a load balancer: the host is part of the key.
    const headers = { host: 'shop.example' };
    let first = await one.ask('/visits', { headers });
    // Until the connection is there, requests go past it.
    await until('a response is stored', async () => {
      first = await one.ask('/visits', { headers });
      return first.cache === 'HIT';
    });
    await until('the other process has connected', async () => {
      return (await two.ask('/visits', { headers })).cache === 'HIT';
    });
    const shared = await two.ask('/visits', { headers });
    expect([shared.cache, shared.body]).to.deep.equal(['HIT', first.body]);

    const written = await one.ask('/visits', { method: 'POST' });
    expect([written.status, written.body]).to.deep.equal([201, { visits: 1 }]);
    const fresh = await two.ask('/visits', { headers });
    expect(fresh.cache).to.equal('MISS');
    expect(fresh.body).to.include({ visits: 1 });
    const again = await one.ask('/visits', { headers });
    expect([again.cache, again.body]).to.deep.equal(['HIT', fresh.body]);
  });
});
