import { expect } from 'chai';
import express from 'express';
import { chromium, type Browser, type Page } from 'playwright-core';
import { cacheAdmin } from '#internal/express/admin/cache-admin.js';
import { chromiumBinary } from '../../support/chromium.js';
import { HttpServer } from '../../support/http-server.js';
import { startRedisServer, type RedisServer } from '../../support/redis-server.js';
import { TieredRedisNodes, type TieredRedisNode } from '../../support/tiered-redis-nodes.js';
import { until } from '../../support/until.js';

describe('the dashboard on tiers over Redis', function () {
  this.timeout(120_000);
  let browser: Browser;
  let redis: RedisServer;
  let nodes: TieredRedisNodes;
  let here: TieredRedisNode;
  let there: TieredRedisNode;
  let server: HttpServer;

  before(async function () {
    this.timeout(300_000);
    const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    browser = await chromium.launch({ executablePath: chromiumBinary(), args });
  });
  after(() => browser.close());
  beforeEach(async () => {
    redis = await startRedisServer();
    nodes = new TieredRedisNodes(redis);
    [here, there] = (await nodes.start(2)) as [TieredRedisNode, TieredRedisNode];
    const admin = cacheAdmin({
      auth: (_req, _res, next) => next(),
      manager: here.manager,
      interval: 100,
    });
    server = await HttpServer.start(express().use('/api/cache', admin));
  });
  afterEach(async () => {
    await server[Symbol.asyncDispose]();
    await nodes.close();
    await redis.stop();
  });

  async function open(): Promise<Page> {
    const page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(10_000);
    await page.goto(`${server.origin}/api/cache/`);
    await page.locator('#keys-summary:not(:empty)').waitFor();
    return page;
  }

  it('tells what each tier answered, keeps, moves and takes', async () => {
    const { users, manager } = here;
    for (const key of ['near', 'far']) await there.users.set(key, key.repeat(300));
    await until('a copy is kept', async () => (await users.getEntry('near')).source === 'l1');
    manager.resetStatistics();
    for (let index = 0; index < 6; index++) await users.get('near');
    await users.get('far');
    await users.get('unknown');
    const page = await open();
    const cells = (row: string): Promise<string[]> =>
      page.locator('#tiers tr', { hasText: row }).locator('td').allInnerTexts();
    await until('the facts have come', async () => (await cells('l1'))[2] !== '–');
    const own = await cells('l1');
    expect(own.slice(0, 3)).to.deep.equal(['6', '75 %', '2 of 10K']);
    expect(own.slice(4)).to.deep.equal(['–', '–', '–', '–']);
    const shared = await cells('l2');
    expect(shared.slice(0, 2)).to.deep.equal(['1', '50 %']);
    expect(shared[3]).to.match(/^[\d.]+[KM] of the server$/);
    expect(shared[4]).to.match(/^\d+ B$/);
    const spread = /^[\d.]+ m?s \/ [\d.]+ m?s \/ [\d.]+ m?s$/;
    expect(shared[6]).to.match(spread);
    const cache = page.locator('#caches tr', { hasText: 'users' }).locator('td');
    expect((await cache.allInnerTexts())[3]).to.match(spread);
    expect(await page.locator('#note-store').innerText()).to.equal('breaker closed');
    expect(await page.locator('#tile-bus').innerText()).to.equal('hears all');
    await page.context().close();
  });

  it('goes on telling while Redis is away', async () => {
    await here.users.set('k', 'v');
    const page = await open();
    await page.locator('#note-store', { hasText: 'breaker closed' }).waitFor();
    await redis.stop();
    await page.locator('#note-store', { hasText: 'breaker open' }).waitFor();
    expect(await page.locator('#tile-store').innerText()).to.equal('degraded');
    await page.locator('#facts', { hasText: /l2\.breaker\s*open/ }).waitFor();
    await page.locator('#tile-bus', { hasText: 'deaf' }).waitFor();
    await page.context().close();
  });
});
