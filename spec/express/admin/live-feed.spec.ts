import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import compression from 'compression';
import express from 'express';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { CACHE_EVENT_NAMES } from '#internal/cache/cache-events.js';
import type { CacheAdminHandler } from '#internal/express/admin/admin-handler.js';
import type { CacheAdminOptions } from '#internal/express/admin/admin-options.js';
import { cacheAdmin } from '#internal/express/admin/cache-admin.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { FaultyBackend } from '#internal/testing/faulty-backend.js';
import { HttpServer } from '../../support/http-server.js';
import { until } from '../../support/until.js';

/** A reader of a stream that says what it has read. */
class Watcher {
  readonly #socket: Socket;
  text = '';
  isOver = false;

  constructor(origin: string, headers: Readonly<Record<string, string>> = {}) {
    const { port, host } = new URL(origin);
    this.#socket = connect(Number(port), '127.0.0.1');
    this.#socket.on('data', (chunk: Buffer) => (this.text += chunk.toString()));
    this.#socket.on('close', () => (this.isOver = true));
    this.#socket.on('error', () => (this.isOver = true));
    const fields = Object.entries({ Host: host, Connection: 'close', ...headers })
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('');
    this.#socket.write(`GET /events HTTP/1.1\r\n${fields}\r\n`);
  }

  /** The pictures that came whole. */
  get pictures(): Record<string, never>[] {
    return [...this.text.matchAll(/^data: (\{.+\})$/gm)].map(
      ([, json]) => JSON.parse(json!) as Record<string, never>,
    );
  }

  get last(): Record<string, never> {
    return this.pictures.at(-1) ?? {};
  }

  stopReading(): void {
    this.#socket.pause();
  }

  close(): void {
    this.#socket.destroy();
  }
}

describe('the live stream of cacheAdmin', () => {
  let backend: FaultyBackend;
  let manager: CacheManager;
  let admin: CacheAdminHandler;
  let server: HttpServer;
  const open = async (options: Partial<CacheAdminOptions> = {}): Promise<void> => {
    admin = cacheAdmin({ auth: (_req, _res, next) => next(), manager, interval: 100, ...options });
    const fail: express.ErrorRequestHandler = (_error, _req, res, _next) =>
      void res.status(500).end();
    server = await HttpServer.start(express().use(admin).use(fail));
  };
  beforeEach(() => {
    backend = new FaultyBackend(new MemoryBackend());
    manager = new CacheManager({ backend, logger: silentLogger });
  });
  afterEach(async () => {
    await server[Symbol.asyncDispose]();
    await manager.close().catch(() => undefined);
  });
  const isListened = (): boolean =>
    CACHE_EVENT_NAMES.some((name) => manager.runtime.events.has(name));

  it('tells of counters, caches, tiers and health, at once and again', async () => {
    await open();
    await manager.cache('a').set(1, 'one');
    const watcher = new Watcher(server.origin);
    await until('a picture came', () => watcher.pictures.length > 0);
    expect(watcher.text).to.match(/^HTTP\/1\.1 200 OK\r\n/);
    expect(watcher.text).to.match(/content-type: text\/event-stream; charset=utf-8\r\n/i);
    expect(watcher.text).to.match(/cache-control: no-store, no-transform\r\n/i);
    await manager.cache('a').get(1);
    await manager.cache('a').get(2);
    await until('the reads are in it', () => {
      const stats = watcher.last['stats'] as { hits: number; misses: number } | undefined;
      return stats?.hits === 1 && stats.misses === 1;
    });
    expect(watcher.last).to.deep.include({ health: { status: 'healthy' }, backend: backend.name });
    expect(watcher.last['caches']).to.have.nested.property('[0].hits_by_tier.l1', 1);
    watcher.close();
  });

  it('tells of the hottest and the largest keys, of loads, and of what happened', async () => {
    await open();
    const cache = manager.cache('a');
    await cache.set('there before', 'x'.repeat(2_000));
    const watcher = new Watcher(server.origin);
    await until('somebody listens', isListened);
    await cache.set('large', 'y'.repeat(5_000));
    for (let index = 0; index < 50; index++) await cache.get('large');
    await cache.get('rare');
    await cache.getOrSet('loaded', () => Promise.resolve(1));
    await manager.invalidateTags('t');
    const has = (name: string, test: (found: never) => boolean): boolean =>
      watcher.pictures.some((picture) => picture[name] !== undefined && test(picture[name]));
    await until('the hot key is first', () =>
      has('hot', (hot: { key: string }[]) => hot[0]?.key === 'large'),
    );
    await until('both large keys are measured', () =>
      has(
        'largest',
        (largest: { key: string; size: number }[]) =>
          JSON.stringify(largest.slice(0, 2)).includes('5000') &&
          largest.some(({ key, size }) => key === 'there%20before' && size === 2_000),
      ),
    );
    await until('the load was timed', () =>
      has('loads', ({ count }: { count: number }) => count === 1),
    );
    await until('the invalidation is told', () =>
      has('activity', (activity: { text: string }[]) =>
        activity.some(({ text }) => text === 'tags t'),
      ),
    );
    await cache.delete('large');
    await until(
      'what is gone is no longer among the largest',
      () =>
        !(watcher.last['largest'] as unknown as { key: string }[]).some(
          ({ key }) => key === 'large',
        ),
    );
    watcher.close();
  });

  it('listens only while somebody watches', async () => {
    await open();
    expect(isListened()).to.equal(false);
    const one = new Watcher(server.origin);
    const two = new Watcher(server.origin);
    await until('both watch', () => one.pictures.length > 0 && two.pictures.length > 0);
    expect(isListened()).to.equal(true);
    one.close();
    const seen = two.pictures.length;
    await until('the other one still gets pictures', () => two.pictures.length > seen + 1);
    two.close();
    await until('nobody listens', () => !isListened());
  });

  it('ends with the manager', async () => {
    await open();
    const watcher = new Watcher(server.origin);
    await until('it watches', () => watcher.pictures.length > 0);
    await manager.close();
    await until('the stream is over', () => watcher.isOver);
    expect(watcher.text).to.contain('event: bye');
    expect(isListened()).to.equal(false);
    expect((await server.ask('/events')).status).to.equal(503);
  });

  it('ends by close(), and begins anew when somebody comes back', async () => {
    await open();
    const watcher = new Watcher(server.origin);
    await until('it watches', () => watcher.pictures.length > 0);
    admin.close();
    await until('the stream is over', () => watcher.isOver);
    const again = new Watcher(server.origin);
    await until('it watches again', () => again.pictures.length > 1);
    again.close();
  });

  it('refuses more watchers than it is told to take', async () => {
    await open({ maxWatchers: 2 });
    const watchers = [new Watcher(server.origin), new Watcher(server.origin)];
    await until('both watch', () => watchers.every(({ pictures }) => pictures.length > 0));
    const answer = await server.ask('/events');
    expect(answer.status).to.equal(503);
    expect(answer.headers['retry-after']).to.equal('10');
    watchers[0]!.close();
    let third = new Watcher(server.origin);
    await until('there is room again', () => {
      if (!third.isOver) return third.pictures.length > 0;
      third = new Watcher(server.origin);
      return false;
    });
    for (const watcher of [...watchers, third]) watcher.close();
  });

  it('keeps nothing for a reader that does not keep up, and goes on for the others', async () => {
    // Large pictures fill the socket's buffers soon.
    for (let index = 0; index < 40; index++) {
      manager.cache(`cache-${index}-${'n'.repeat(8_000)}`);
    }
    let buffered = 0;
    admin = cacheAdmin({ auth: (_req, _res, next) => next(), manager, interval: 100 });
    server = await HttpServer.start(
      express()
        .use((_req, res, next) => {
          const write = res.write.bind(res);
          res.write = ((chunk: string) => {
            const isTaken = write(chunk);
            buffered = Math.max(buffered, res.writableLength);
            return isTaken;
          }) as typeof res.write;
          next();
        })
        .use(admin),
    );
    const slow = new Watcher(server.origin);
    await until('it watches', () => slow.text !== '');
    slow.stopReading();
    const quick = new Watcher(server.origin);
    await until('the quick one has many pictures', () => quick.pictures.length >= 25, 20_000);
    // One picture of about 350 kB is under way for the slow one, never two.
    expect(buffered).to.be.below(1_000_000);
    slow.close();
    quick.close();
  }).timeout(30_000);

  it('is not held back by a compressor in front of it', async () => {
    admin = cacheAdmin({ auth: (_req, _res, next) => next(), manager, interval: 100 });
    server = await HttpServer.start(express().use(compression({ threshold: 0 }), admin));
    const watcher = new Watcher(server.origin, { 'Accept-Encoding': 'gzip, br' });
    await until('three pictures came', () => watcher.pictures.length >= 3);
    expect(watcher.text).not.to.match(/content-encoding/i);
    watcher.close();
  });

  it('ends its streams, and nothing else, when the backend cannot tell how it is', async () => {
    await open();
    const watcher = new Watcher(server.origin);
    await until('it watches', () => watcher.pictures.length > 0);
    const errors: string[] = [];
    manager.on('error', ({ operation }) => errors.push(operation));
    backend.health = () => {
      throw new TypeError('a fault of the backend');
    };
    await until('the stream is over', () => watcher.isOver);
    expect(errors).to.deep.equal(['dashboard']);
    expect((await server.ask('/events')).status).to.equal(500);
    expect((await server.ask('/stats')).status).to.equal(200);
    backend.health = () => ({ status: 'healthy' });
    const again = new Watcher(server.origin);
    await until('it watches again', () => again.pictures.length > 0);
    again.close();
    await until('nobody listens but the spec', () => !manager.runtime.events.has('hit'));
  });

  it('does not go on asking a store that is out of reach', async () => {
    await open();
    await manager.cache('a').set(1, 1);
    backend.health = () => ({ status: 'unhealthy', errorCode: 'ERR_CACHE_CONNECTION' });
    for (const operation of ['scan', 'getMany', 'info'] as const) backend.fail(operation);
    const watcher = new Watcher(server.origin);
    await until('five pictures came', () => watcher.pictures.length >= 5);
    expect(manager.statistics().errors).to.be.at.most(1);
    expect(watcher.last['health']).to.deep.equal({
      status: 'unhealthy',
      error: 'ERR_CACHE_CONNECTION',
    });
    watcher.close();
  });
});
