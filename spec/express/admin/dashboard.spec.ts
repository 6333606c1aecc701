import { expect } from 'chai';
import express, { type RequestHandler } from 'express';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import type { BackendHealth } from '#internal/cache/backend.js';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import type { CacheAdminHandler } from '#internal/express/admin/admin-handler.js';
import type { CacheAdminOptions } from '#internal/express/admin/admin-options.js';
import { bearerAuth } from '#internal/express/admin/bearer-auth.js';
import { cacheAdmin } from '#internal/express/admin/cache-admin.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { FaultyBackend } from '#internal/testing/faulty-backend.js';
import { chromiumBinary } from '../../support/chromium.js';
import { HttpServer } from '../../support/http-server.js';
import { until } from '../../support/until.js';

/* What runs inside the page is checked against the DOM only in part: the specs are compiled for Node. */
interface PageElement {
  readonly tagName: string;
  readonly textContent: string;
  readonly className: string;
  readonly id: string;
  readonly children: ArrayLike<PageElement>;
  readonly childNodes: ArrayLike<{ readonly nodeType: number; readonly textContent: string }>;
  readonly parentElement: PageElement | null;
  readonly disabled?: boolean;
  readonly labels?: ArrayLike<PageElement> | null;
  getAttribute(name: string): string | null;
  getBoundingClientRect(): { readonly width: number; readonly height: number };
  checkVisibility(options: object): boolean;
  closest(selector: string): PageElement | null;
}
interface PageWindow {
  readonly document: {
    readonly activeElement: PageElement;
    readonly body: { innerHTML: string };
    readonly documentElement: { readonly scrollWidth: number; readonly clientWidth: number };
    querySelectorAll(selector: string): ArrayLike<PageElement>;
    getElementById(id: string): PageElement | null;
  };
  getComputedStyle(element: PageElement): Readonly<Record<string, string>>;
}
declare const window: PageWindow;

const EVIL = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>';
const TOKEN = 'a-token-of-administrators';
const pass: RequestHandler = (_req, _res, next) => next();

describe('the dashboard', function () {
  this.timeout(30_000);
  let browser: Browser;
  let backend: FaultyBackend;
  let manager: CacheManager;
  let admin: CacheAdminHandler;
  let server: HttpServer;
  let page: Page;
  let complaints: string[];
  let foreign: string[];

  before(async function () {
    this.timeout(300_000);
    const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    browser = await chromium.launch({ executablePath: chromiumBinary(), args });
  });
  after(() => browser.close());
  beforeEach(() => {
    backend = new FaultyBackend(new MemoryBackend());
    manager = new CacheManager({ backend, logger: silentLogger });
  });
  afterEach(async () => {
    await page.context().close();
    await server[Symbol.asyncDispose]();
    await manager.close().catch(() => undefined);
  });

  const open = async (
    options: Partial<CacheAdminOptions> = {},
    context: BrowserContextOptions = {},
  ): Promise<void> => {
    admin = cacheAdmin({ auth: pass, manager, interval: 100, ...options });
    server = await HttpServer.start(express().use('/api/cache', admin));
    page = await (await browser.newContext(context)).newPage();
    page.setDefaultTimeout(10_000);
    complaints = [];
    foreign = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => {
      const { protocol, origin } = new URL(request.url());
      if (origin !== server.origin && protocol !== 'data:') foreign.push(request.url());
    });
    await page.goto(`${server.origin}/api/cache/`);
  };
  const ready = (): Promise<void> => page.locator('#keys-summary:not(:empty)').waitFor();
  const text = (selector: string): Promise<string> => page.locator(selector).innerText();
  const focused = (): Promise<string> =>
    page.evaluate(() => {
      const { activeElement } = window.document;
      return activeElement.id || activeElement.textContent;
    });

  it('loads without a complaint, a violation of its policy, or a request elsewhere', async () => {
    await manager.cache('a').set(1, 'one');
    await open();
    await ready();
    await page.locator('#connection', { hasText: 'live' }).waitFor();
    expect(complaints).to.deep.equal([]);
    expect(foreign).to.deep.equal([]);
    expect(await page.title()).to.contain('cachewell');
  });

  it('has a policy under which nothing else can run, load, or be parsed', async () => {
    await open();
    await ready();
    const refused = await page.evaluate(() => {
      try {
        window.document.body.innerHTML = '<b>parsed</b>';
        return 'parsed';
      } catch (error) {
        return (error as Error).name;
      }
    });
    expect(refused).to.equal('TypeError');
    const { headers } = await server.ask('/api/cache/dashboard');
    const policy = String(headers['content-security-policy']);
    expect(policy).to.match(
      /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+';/,
    );
    expect(policy).not.to.match(/unsafe|\*|https?:/);
    await page.evaluate(
      "document.head.append(Object.assign(document.createElement('style'), { textContent: '* { color: red }' }))",
    );
    await until('the policy is enforced', () =>
      complaints.some((each) => /Content Security Policy/.test(each)),
    );
  });

  it('shows the figures as they change', async () => {
    const cache = manager.cache('a');
    await cache.set(1, 'one');
    await open();
    await ready();
    expect(await text('#tile-ratio')).to.equal('0 %');
    for (let index = 0; index < 3; index++) await cache.get(1);
    await cache.get(2);
    await cache.getOrSet(3, () => Promise.resolve(3));
    await page.locator('#tile-ratio', { hasText: '60 %' }).waitFor();
    await page.locator('#tile-loads', { hasText: '1' }).waitFor();
    await page.locator('#caches tr', { hasText: '60 %' }).waitFor();
    await page.locator('#hot li', { hasText: '1' }).first().waitFor();
    const label = (): Promise<string | null> =>
      page.locator('#chart-requests svg').getAttribute('aria-label');
    await until('the chart was drawn', async () => /Hits \d/.test((await label()) ?? ''));
    await until('its line is there', async () =>
      ((await page.locator('#chart-requests path').first().getAttribute('d')) ?? '').includes('L'),
    );
    expect(complaints).to.deep.equal([]);
  });

  it('stands still while it is paused', async () => {
    const cache = manager.cache('a');
    await cache.set(1, 'one');
    await open();
    await ready();
    await page.click('#pause');
    expect(await page.locator('#pause').getAttribute('aria-pressed')).to.equal('true');
    await cache.get(1);
    const pictures = page.waitForResponse(/ping/);
    await page.evaluate("fetch('ping')");
    await pictures;
    await page.waitForTimeout(300);
    expect(await text('#tile-ratio')).to.equal('0 %');
    await page.click('#pause');
    await page.locator('#tile-ratio', { hasText: '100 %' }).waitFor();
  });

  it('tells of the store when it does not answer, and when it does again', async () => {
    await open();
    await ready();
    expect(await text('#tile-store')).to.equal('healthy');
    const errorCode = 'ERR_CACHE_TIMEOUT';
    const states: readonly [health: BackendHealth, note: string][] = [
      [{ status: 'unhealthy', breaker: 'open', errorCode }, `breaker open, ${errorCode}`],
      [{ status: 'unhealthy', breaker: 'half-open', errorCode }, `breaker half-open, ${errorCode}`],
      [{ status: 'degraded', breaker: 'half-open', errorCode }, `breaker half-open, ${errorCode}`],
      [{ status: 'degraded', breaker: 'closed', errorCode }, `breaker closed, ${errorCode}`],
      [{ status: 'healthy', breaker: 'closed' }, 'breaker closed'],
      [{ status: 'unhealthy', errorCode }, `does not answer, ${errorCode}`],
      [{ status: 'degraded', errorCode }, `usable in part, ${errorCode}`],
      [{ status: 'unavailable' }, 'not connected, or closed'],
      [{ status: 'healthy' }, 'has no breaker'],
    ];
    for (const [health, note] of states) {
      backend.health = () => health;
      await until(`${health.status}, ${note}`, async () => {
        const shown = [await text('#tile-store'), await text('#note-store')];
        return shown.join() === [health.status, note].join();
      });
    }
    manager.enabled = false;
    await page.getByText('caching is switched off', { exact: true }).waitFor();
    expect(await text('#tile-store')).to.equal('disabled');
  });

  it('tells whether other processes are heard', async () => {
    await open();
    await ready();
    expect(await text('#tile-bus')).to.equal('none');
    const bus = { bus: 'redis', senders: 2, suspected: 0, bus_status: 'healthy', distrusts: 1 };
    const states: readonly [facts: Readonly<Record<string, string | number>>, word: string][] = [
      [bus, 'hears all'],
      [{ ...bus, suspected: 1 }, '1 silent'],
      [{ ...bus, bus_status: 'degraded' }, 'deaf'],
    ];
    for (const [facts, word] of states) {
      backend.info = () => facts;
      await page.reload();
      await page.locator('#tile-bus', { hasText: word }).waitFor();
      expect(await text('#note-bus')).to.equal('redis, 2 other processes, distrusted 1 time');
    }
  });

  it('comes back when its stream was cut', async () => {
    await open();
    await ready();
    admin.close();
    await page.locator('#connection', { hasText: 'reconnecting' }).waitFor();
    await page.locator('#connection', { hasText: 'live' }).waitFor();
  });

  it('pages through 5,000 keys by a hundred', async () => {
    await manager
      .cache('big')
      .setMany(Array.from({ length: 5_000 }, (_, index) => [index, 'x'] as const));
    await open();
    await ready();
    const rows = page.locator('#keys tr');
    expect(await rows.count()).to.equal(100);
    const firstKey = (): Promise<string> => rows.first().locator('th').innerText();
    const first = await firstKey();
    expect(await page.locator('#first').isDisabled()).to.equal(true);
    await page.click('#next');
    await page.locator('#keys-summary', { hasText: 'page 2' }).waitFor();
    expect(await rows.count()).to.equal(100);
    expect(await firstKey()).not.to.equal(first);
    await page.click('#first');
    await page.locator('#keys-summary', { hasText: 'page 1' }).waitFor();
    expect(await firstKey()).to.equal(first);
    await page.fill('#pattern', '499?');
    await page.press('#pattern', 'Enter');
    await page.locator('#keys-summary', { hasText: '10 keys' }).waitFor();
    await page.fill('#pattern', '[');
    await page.click('text=Search');
    await page.locator('#notice.bad', { hasText: 'pattern' }).waitFor();
  });

  it('keeps keys, values, tags and names of caches what they are: text', async () => {
    const cache = manager.cache(EVIL);
    await cache.set(EVIL, { [EVIL]: EVIL }, { tags: [EVIL] });
    await cache.set('text', EVIL);
    await open();
    await ready();
    for (let index = 0; index < 20; index++) await cache.get('text');
    await manager.invalidateTags(EVIL);
    await cache.deletePattern('none*');
    await cache.set(EVIL, { [EVIL]: EVIL }, { tags: [EVIL] });
    await page.locator('#activity li').nth(1).waitFor();
    await page.locator('#hot li').first().waitFor();
    await page.locator('#largest li').first().waitFor();
    await page.locator('#caches th', { hasText: EVIL }).waitFor();
    await page.locator('#keys .key').first().click();
    await page.locator('#entry[open]').waitFor();
    expect(await text('#entry-value')).to.contain(JSON.stringify(EVIL));
    expect(await text('#entry-facts')).to.contain(EVIL);
    await page.click('#entry-evict');
    await page.locator('#confirm[open]').waitFor();
    expect(await text('#question')).to.contain(EVIL);
    await page.click('#confirm-no');
    const made = await page.evaluate(
      () => window.document.querySelectorAll('img, main script, dialog script').length,
    );
    expect(made).to.equal(0);
    expect(await page.evaluate('window.pwned')).to.equal(undefined);
    expect(complaints).to.deep.equal([]);
  });

  it('evicts after a question, and not when the answer is no', async () => {
    const cache = manager.cache('a');
    for (const key of ['one', 'two', 'three']) await cache.set(key, key);
    await open();
    await ready();
    const evict = page.getByRole('button', { name: 'Evict two from a', exact: true });
    await evict.click();
    expect(await focused()).to.equal('confirm-no');
    await page.click('#confirm-no');
    await evict.click();
    await page.keyboard.press('Escape');
    expect(await cache.has('two')).to.equal(true);
    await evict.click();
    await page.click('#confirm-yes');
    await page.locator('#notice', { hasText: 'Evicted two.' }).waitFor();
    expect(await cache.has('two')).to.equal(false);
    expect(await page.locator('#keys tr').count()).to.equal(2);
    expect(await focused()).to.equal('three');
  });

  it('clears a cache, matching keys, a tag, everything; each after a question', async () => {
    const fill = async (): Promise<void> => {
      for (const name of ['a', 'b']) {
        await manager.cache(name).set('user', 1, { tags: ['t'] });
        await manager.cache(name).set('item', 1);
      }
    };
    const left = async (): Promise<string> => {
      const found: string[] = [];
      for (const name of ['a', 'b']) {
        for (const key of ['user', 'item'])
          if (await manager.cache(name).has(key)) found.push(`${name}.${key}`);
      }
      return found.join(' ');
    };
    await fill();
    await open();
    await ready();
    const confirm = async (): Promise<void> => {
      await page.locator('#confirm[open]').waitFor();
      expect(await left()).to.equal('a.user a.item b.user b.item');
      await page.click('#confirm-yes');
      await page.locator('#notice', { hasText: 'Cleared' }).waitFor();
    };
    await page.click('text=Clear everything…');
    await confirm();
    expect(await left()).to.equal('');

    await fill();
    await page.getByRole('button', { name: 'Clear the cache b', exact: true }).click();
    await confirm();
    expect(await left()).to.equal('a.user a.item');

    await fill();
    await page.fill('#tag', 't');
    await page.press('#tag', 'Enter');
    await confirm();
    expect(await left()).to.equal('a.item b.item');

    await fill();
    await page.selectOption('#cache', 'a');
    await page.fill('#pattern', 'us*');
    await page.click('#clear-matching');
    await confirm();
    await page.locator('#notice', { hasText: 'Cleared 1 keys.' }).waitFor();
    expect(await left()).to.equal('a.item b.user b.item');
  });

  it('sets the counters to zero after a question', async () => {
    await manager.cache('a').get(1);
    await open();
    await ready();
    await page.click('#reset');
    await page.click('#confirm-yes');
    await page.locator('#notice', { hasText: 'begin anew' }).waitFor();
    expect(manager.statistics().misses).to.equal(0);
  });

  it('says so when a change is refused', async () => {
    await manager.cache('a').set('one', 1);
    await open();
    await ready();
    backend.fail('clearAll');
    await page.click('#clear-all');
    await page.click('#confirm-yes');
    await page.locator('#notice.bad', { hasText: 'cannot be reached' }).waitFor();
  });

  it('asks for a token, keeps it for the tab, and forgets it', async () => {
    await manager.cache('a').set('one', 1);
    await open({ auth: bearerAuth(TOKEN, { readOnly: 'reader' }) });
    await page.locator('#login').waitFor();
    expect(await focused()).to.equal('token');
    expect(complaints).to.deep.equal([]);
    await page.fill('#token', 'wrong');
    await page.press('#token', 'Enter');
    await page.locator('#login-note', { hasText: 'not valid' }).waitFor();
    await page.fill('#token', TOKEN);
    await page.press('#token', 'Enter');
    await ready();
    expect(await page.locator('#login').isHidden()).to.equal(true);
    await page.reload();
    await ready();
    expect(page.url()).not.to.contain(TOKEN);
    expect(await page.context().cookies()).to.deep.equal([]);
    await page.click('#logout');
    await page.locator('#login').waitFor();
    expect(await page.locator('#content').isHidden()).to.equal(true);
    expect(await page.locator('#keys tr').count()).to.equal(0);
    await page.reload();
    await page.locator('#login').waitFor();
    await page.fill('#token', 'reader');
    await page.press('#token', 'Enter');
    await ready();
    await page.getByRole('button', { name: 'Evict one from a', exact: true }).click();
    await page.click('#confirm-yes');
    await page.locator('#notice.bad', { hasText: 'only look' }).waitFor();
    expect(await manager.cache('a').has('one')).to.equal(true);
  });

  it('can be used by the keyboard alone', async () => {
    for (const key of ['one', 'two']) await manager.cache('a').set(key, `value of ${key}`);
    await open();
    await ready();
    const tabTo = async (wanted: string): Promise<void> => {
      for (let presses = 0; presses < 60; presses++) {
        await page.keyboard.press('Tab');
        if ((await focused()) !== wanted) continue;
        const outline = await page.evaluate(
          () => window.getComputedStyle(window.document.activeElement)['outlineWidth'],
        );
        expect(Number.parseFloat(outline ?? '0'), `the focus on ${wanted} is seen`).to.be.at.least(
          2,
        );
        return;
      }
      throw new Error(`Tab does not lead to ${wanted}.`);
    };
    await tabTo('pattern');
    await page.keyboard.type('t*');
    await page.keyboard.press('Enter');
    await page.locator('#keys-summary', { hasText: '1 key ' }).waitFor();
    await tabTo('two');
    await page.keyboard.press('Enter');
    await page.locator('#entry[open]').waitFor();
    expect(await text('#entry-value')).to.equal('value of two');
    await page.keyboard.press('Escape');
    await page.locator('#entry').waitFor({ state: 'hidden' });
    expect(await focused()).to.equal('two');
    await tabTo('Evict…');
    await page.keyboard.press('Enter');
    await page.locator('#confirm[open]').waitFor();
    expect(await focused()).to.equal('confirm-no');
    await page.keyboard.press('Tab');
    expect(await focused()).to.equal('confirm-yes');
    await page.keyboard.press('Enter');
    await page.locator('#notice', { hasText: 'Evicted two.' }).waitFor();
    expect(await manager.cache('a').has('two')).to.equal(false);
  });

  it('names every control, heading, table and picture', async () => {
    await manager.cache('a').set('one', 1);
    await open();
    await ready();
    const faults = await page.evaluate(() => {
      const found: string[] = [];
      const all = (selector: string): PageElement[] =>
        Array.from(window.document.querySelectorAll(selector));
      const nameOf = (element: PageElement): string => {
        const labelledBy = element.getAttribute('aria-labelledby');
        const label = labelledBy === null ? null : window.document.getElementById(labelledBy);
        return (
          element.getAttribute('aria-label') ??
          label?.textContent ??
          (element.labels?.[0]?.textContent || element.textContent)
        ).trim();
      };
      for (const each of all('button, input, select, [role=img], [role=region], dialog, section')) {
        if (each.tagName === 'DIALOG') {
          const label = window.document.getElementById(each.getAttribute('aria-labelledby') ?? '');
          if (label === null) found.push(`a dialog without a name: ${each.id}`);
        } else if (nameOf(each) === '') found.push(`${each.tagName} ${each.id} has no name`);
      }
      for (const each of all('input')) {
        if ((each.labels?.length ?? 0) === 0) found.push(`input ${each.id} has no label`);
      }
      for (const each of all('table th')) {
        if (each.getAttribute('scope') === null)
          found.push(`a header cell without scope: ${each.textContent}`);
      }
      for (const each of all('[tabindex]')) {
        if (Number(each.getAttribute('tabindex')) > 0)
          found.push(`${each.id} changes the order of focus`);
      }
      let level = 0;
      for (const each of all('h1, h2, h3')) {
        const next = Number(each.tagName.slice(1));
        if (next > level + 1) found.push(`heading ${each.textContent} skips a level`);
        level = next;
      }
      if (all('main').length !== 1 || all('h1').length !== 1) found.push('not one main and one h1');
      if (all('html[lang]').length !== 1) found.push('no language');
      for (const each of all('button')) {
        const { width, height } = each.getBoundingClientRect();
        if (width > 0 && (width < 24 || height < 24))
          found.push(`${nameOf(each)} is too small to hit`);
      }
      return found;
    });
    expect(faults).to.deep.equal([]);
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`has enough contrast in the ${colorScheme} scheme`, async () => {
      await manager.cache('a').set('one', 1);
      await manager.cache('a').get('one');
      await open({}, { colorScheme });
      await ready();
      manager.runtime.events.emit('recovered', {});
      await page.locator('#activity li').first().waitFor();
      const examine = (): Promise<string[]> =>
        page.evaluate(() => {
          const numbers = (color: string): number[] => (color.match(/[\d.]+/g) ?? []).map(Number);
          const luminance = (color: string): number => {
            const [r = 0, g = 0, b = 0] = numbers(color).map((value) => {
              const share = value / 255;
              return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const ratio = (one: string, other: string): number => {
            const [high = 0, low = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
            return (high + 0.05) / (low + 0.05);
          };
          const behind = (element: PageElement | null): string => {
            for (let each = element; each !== null; each = each.parentElement) {
              const color = window.getComputedStyle(each)['backgroundColor'] ?? '';
              if ((numbers(color)[3] ?? 1) > 0) return color;
            }
            return 'rgb(255, 255, 255)';
          };
          const found: string[] = [];
          let examined = 0;
          for (const each of Array.from(window.document.querySelectorAll('body *'))) {
            const isSeen = each.checkVisibility({
              opacityProperty: true,
              visibilityProperty: true,
            });
            if (!isSeen || each.disabled === true) continue;
            const style = window.getComputedStyle(each);
            const hasText = Array.from(each.childNodes).some(
              (node) => node.nodeType === 3 && node.textContent.trim() !== '',
            );
            if (hasText && each.tagName !== 'OPTION') {
              examined++;
              const contrast = ratio(style['color'] ?? '', behind(each));
              if (contrast < 4.5)
                found.push(`${each.tagName} ${each.textContent}: ${contrast.toFixed(2)}`);
            }
            if (
              ['BUTTON', 'INPUT', 'SELECT'].includes(each.tagName) &&
              !/\bkey\b/.test(each.className)
            ) {
              const border = ratio(style['borderTopColor'] ?? '', behind(each.parentElement));
              if (border < 3)
                found.push(`the edge of ${each.tagName} ${each.id}: ${border.toFixed(2)}`);
            }
          }
          return examined < 40 ? [`only ${examined} texts were examined`] : found;
        });
      expect(await examine()).to.deep.equal([]);
      await page.locator('#keys .danger').first().click();
      await page.locator('#confirm[open]').waitFor();
      expect(await examine()).to.deep.equal([]);
      const background = await page.evaluate(
        () =>
          window.getComputedStyle(window.document.querySelectorAll('body')[0]!)['backgroundColor'],
      );
      const [red = 0] = (background?.match(/\d+/g) ?? []).map(Number);
      expect(red > 128).to.equal(colorScheme === 'light');
    });
  }

  for (const width of [320, 390, 768, 1280]) {
    it(`fits into ${width} pixels`, async () => {
      const long = 'a-rather-long-name-'.repeat(8);
      await manager.cache('http').set(long, long, { tags: [long] });
      await manager.cache(long).set('x', 1);
      await open({}, { viewport: { width, height: 800 } });
      await ready();
      await page.locator('#caches tr').nth(1).waitFor();
      const overflow = (): Promise<number> =>
        page.evaluate(() => {
          const { scrollWidth, clientWidth } = window.document.documentElement;
          return scrollWidth - clientWidth;
        });
      expect(await overflow()).to.equal(0);
      await page.locator('#keys .key').first().click();
      await page.locator('#entry[open]').waitFor();
      const box = await page.locator('#entry').boundingBox();
      expect(box!.x).to.be.at.least(0);
      expect(box!.x + box!.width).to.be.at.most(width);
      expect(await overflow()).to.equal(0);
    });
  }

  it('does not move where less motion is wanted', async () => {
    await open({}, { reducedMotion: 'reduce' });
    await ready();
    const moving = await page.evaluate(
      () =>
        Array.from(window.document.querySelectorAll('*')).filter((each) => {
          const style = window.getComputedStyle(each);
          return style['transitionDuration'] !== '0s' || style['animationName'] !== 'none';
        }).length,
    );
    expect(moving).to.equal(0);
  });
});
