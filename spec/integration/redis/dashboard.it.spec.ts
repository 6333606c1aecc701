import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import express from 'express';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { cacheAdmin } from '#internal/express/admin/cache-admin.js';
import type { CacheManager } from '#internal/manager/cache-manager.js';
import { chromiumBinary } from '../../support/chromium.js';
import { HttpServer } from '../../support/http-server.js';
import { packageRoot } from '../../support/package-root.js';
import { pictureFacts, type PictureFacts } from '../../support/picture-facts.js';
import { startRedisServer, type RedisServer } from '../../support/redis-server.js';
import { TieredRedisNodes, type TieredRedisNode } from '../../support/tiered-redis-nodes.js';
import { until } from '../../support/until.js';

/** Drawing is slow on a busy machine. */
const PATIENCE_MS = 60_000;
/** Where pictures are kept, to be looked at. */
const FOLDER = join(packageRoot, 'build/dashboard');

const PAGES = [
  ['light', { viewport: { width: 1280, height: 900 }, colorScheme: 'light' }],
  ['dark', { viewport: { width: 1280, height: 900 }, colorScheme: 'dark' }],
  ['phone', { viewport: { width: 390, height: 844 }, colorScheme: 'light', isMobile: true }],
] as const satisfies readonly (readonly [string, BrowserContextOptions])[];

/** What a shop may do with its cache: some keys hot, some large, loads of different lengths, a write now and then. */
async function shop(manager: CacheManager, isOver: () => boolean): Promise<void> {
  const products = manager.cache('products', { ttl: '10m' });
  const pages = manager.cache('http', { ttl: '1m' });
  for (let round = 0; !isOver(); round++) {
    const id = Math.floor((round % 12) ** 2 / 12);
    await products.getOrSet(['by-id', id], async () => {
      await sleep(2 + (id % 5) * 3);
      return { id, name: `Product ${id}`, description: 'long '.repeat(200 * (id + 1)) };
    });
    await pages.getOrSet(['GET', 'items', `page=${round % 7}`], async () => {
      await sleep(5);
      return { items: Array.from({ length: 20 }, (_, index) => ({ id: index })) };
    });
    await products.get(['by-id', 'unknown']);
    if (round % 12 === 11) await products.delete(['by-id', id]);
    if (round % 30 === 29) await pages.clear();
    await sleep(25);
  }
}

describe('the dashboard on tiers over Redis', function () {
  this.timeout(300_000);
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
    mkdirSync(FOLDER, { recursive: true });
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

  async function open(options: BrowserContextOptions = {}): Promise<Page> {
    const page = await (await browser.newContext(options)).newPage();
    page.setDefaultTimeout(PATIENCE_MS);
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

  it('is drawn in light, in dark, and on a phone', async () => {
    let isOver = false;
    const working = Promise.all([here, there].map(({ manager }) => shop(manager, () => isOver)));
    const blank = await browser.newPage();
    try {
      const facts = new Map<string, PictureFacts>();
      // One after the other: each page that is open has to be drawn, and fed.
      for (const [name, options] of PAGES) {
        const page = await open(options);
        const lines = page.locator('#chart-requests path').first();
        await until(
          'the charts have lines',
          async () => ((await lines.getAttribute('d'))?.split('L').length ?? 0) > 25,
          PATIENCE_MS,
        );
        for (const list of ['#largest', '#activity'])
          await page.locator(`${list} li`).first().waitFor();
        await page.click('#search .primary');
        await page.locator('#keys tr').first().waitFor();
        const png = await page.screenshot({ path: join(FOLDER, `${name}.png`), fullPage: true });
        facts.set(name, await pictureFacts(blank, png));
        await page.context().close();
      }
      for (const [name, { colors, background }] of facts) {
        expect(colors, name).to.be.above(100);
        expect(background, name).to.be.within(0.3, 0.97);
      }
      const [light, dark, phone] = PAGES.map(([name]) => facts.get(name)!);
      expect(light!.brightness).to.be.above(0.85);
      expect(phone!.brightness).to.be.above(0.85);
      expect(dark!.brightness).to.be.below(0.25);
      expect(light!.width).to.equal(1280);
      expect(phone!.width).to.equal(390);
      expect(phone!.height).to.be.above(light!.height);
    } finally {
      isOver = true;
      await working;
      await blank.context().close();
    }
  });
});
