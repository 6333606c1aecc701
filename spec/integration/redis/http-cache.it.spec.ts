import { expect } from 'chai';
import { Redis } from 'ioredis';
import { RedisBackend } from '#internal/backends/redis/redis-backend.js';
import { TieredBackend } from '#internal/backends/tiered/tiered-backend.js';
import type { EntryWrite } from '#internal/cache/backend.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { httpCache } from '#internal/express/http-cache.js';
import type { HttpCacheOptions } from '#internal/express/http-cache-options.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { BlackHole } from '../../support/black-hole.js';
import { HttpFixture } from '../../support/http-fixture.js';
import { startRedisServer, type RedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';

const TIMEOUT_MS = 250;
/** What a busy machine may add. Two timeouts one after the other would still be seen. */
const SLACK_MS = 200;

describe('httpCache on Redis', () => {
  let server: RedisServer;
  let http: HttpFixture;
  let runs: number;
  let prefix: number;

  before(async () => {
    server = await startRedisServer();
  });

  after(() => server.stop());

  beforeEach(async () => {
    runs = 0;
    prefix = (prefix ?? 0) + 1;
    http = await HttpFixture.start({ backend: backendOf(server.url) });
  });

  afterEach(() => http.stop());

  function backendOf(url: string): RedisBackend {
    return new RedisBackend({ url, prefix: `http-${prefix}`, commandTimeout: TIMEOUT_MS });
  }

  function route(options: HttpCacheOptions = {}, on = http): void {
    on.app.get('/items', httpCache({ manager: on.manager, ttl: '1m', ...options }), (_req, res) => {
      runs++;
      res
        .set('X-Binary', 'yes')
        .type('bin')
        .send(Buffer.from([0, 255, 128, 10, 13, runs]));
    });
  }

  it('shares responses between processes, byte for byte', async () => {
    route();
    const other = await HttpFixture.start({ backend: backendOf(server.url) });
    try {
      route({}, other);
      const headers = { host: 'one.example' };
      const miss = await http.ask('/items', { headers });
      const hit = await other.ask('/items', { headers });

      expect([miss.cache, hit.cache]).to.deep.equal(['MISS', 'HIT']);
      expect(hit.body.equals(Buffer.from([0, 255, 128, 10, 13, 1]))).to.equal(true);
      expect(hit.headers).to.include({ 'x-binary': 'yes', etag: miss.headers.etag });
      expect(runs).to.equal(1);
    } finally {
      await other.stop();
    }
  });

  it('refuses the response of a handler that ran while another process invalidated (P1)', async () => {
    const other = new CacheManager({ backend: backendOf(server.url), logger: silentLogger });
    let release!: () => void;
    let gate: Promise<void> | undefined = new Promise<void>((resolve) => (release = resolve));
    let version = 1;
    http.app.get(
      '/items',
      httpCache({ manager: http.manager, ttl: '1m', tags: ['items'] }),
      async (_req, res) => {
        runs++;
        const read = version;
        await gate;
        res.send(`version ${read}`);
      },
    );
    try {
      const first = http.ask('/items');
      await until('it runs', () => runs === 1);
      version = 2;
      await other.invalidateTags('items');
      gate = undefined;
      const second = http.ask('/items');
      await until('the second one is there', () => runs === 1 || runs === 2);
      release();

      expect((await second).text).to.equal('version 2');
      expect((await first).text).to.equal('version 1');
      expect((await http.ask('/items')).text).to.equal('version 2');
    } finally {
      await other.close();
    }
  });

  describe('with a store that others have written to', () => {
    const sound = {
      v: 1,
      status: 200,
      headers: ['X-A', 'b'],
      body: new Uint8Array([1]),
      requestedAt: 1,
      respondedAt: Date.now(),
      initialAgeMs: 0,
      freshMs: 60_000_000_000_000,
      staleWhileRevalidateMs: 0,
      staleIfErrorMs: 0,
      vary: [],
      selecting: [],
      flags: 0,
    };
    /** Processes that read what is in Redis: the one that has stored it, and another one with a tier of its own before it. */
    const READERS: Readonly<Record<string, () => Promise<HttpFixture>>> = {
      Redis: () => Promise.resolve(http),
      tiers: () => HttpFixture.start({ backend: new TieredBackend({ l2: backendOf(server.url) }) }),
    };
    const TAMPERED: Readonly<Record<string, unknown>> = {
      'a line break in a value': { ...sound, headers: ['X-A', 'b\r\nSet-Cookie: a=b'] },
      'a line break in a name': { ...sound, headers: ['X-A\r\nX-B', 'b'] },
      'status 99': { ...sound, status: 99 },
      'status 304': { ...sound, status: 304 },
      'a wrong length': { ...sound, headers: ['Content-Length', '7'] },
      'a foreign version': { ...sound, v: 2 },
      'a text': 'hello',
      null: null,
      'a body that is a text': { ...sound, body: 'x' },
      'fields that are an object': { ...sound, headers: { 'X-A': 'b' } },
      'a hop-by-hop field': { ...sound, headers: ['Transfer-Encoding', 'chunked'] },
    };

    for (const [place, startReader] of Object.entries(READERS)) {
      describe(`read by ${place}`, () => {
        let reader: HttpFixture;

        beforeEach(async () => {
          reader = await startReader();
          route();
          if (reader !== http) route({}, reader);
        });

        afterEach(async () => {
          if (reader !== http) await reader.stop();
        });

        const ask = (on: HttpFixture): ReturnType<HttpFixture['ask']> =>
          on.ask('/items', { headers: { host: 'one.example' } });

        for (const [what, value] of Object.entries(TAMPERED)) {
          it(`takes ${what} for a miss, tells of it once, and stores anew`, async () => {
            const errors: string[] = [];
            reader.manager.on('error', ({ error }) => void errors.push(error.code));
            await ask(http);
            const { keys } = await http.manager.cache('http').keys();
            await http.manager.core('http').store([tampering(keys[0]!, value)], 'throw');

            const miss = await ask(reader);
            const hit = await ask(reader);

            expect([miss.status, miss.cache]).to.deep.equal([200, 'MISS']);
            expect(miss.headers).to.not.have.any.keys('set-cookie', 'x-a', 'x-b');
            expect([hit.cache, hit.body[5]]).to.deep.equal(['HIT', 2]);
            expect(errors).to.deep.equal(['ERR_CACHE_DESERIALIZATION']);
          });
        }

        it('takes a sound one for what it is', async () => {
          await ask(http);
          const { keys } = await http.manager.cache('http').keys();
          await http.manager.core('http').store([tampering(keys[0]!, sound)], 'throw');

          const hit = await ask(reader);
          expect([hit.cache, hit.headers['x-a'], hit.body[0]]).to.deep.equal(['HIT', 'b', 1]);
        });

        it('takes bytes that are no entry for a miss', async () => {
          await ask(http);
          const redis = new Redis(server.url);
          const keys = await redis.keys(`http-${prefix}*items*`);
          expect(keys).to.not.be.empty;
          for (const key of keys) await redis.set(key, 'garbage');
          await redis.quit();

          const miss = await ask(reader);
          expect([miss.status, miss.cache]).to.deep.equal([200, 'MISS']);
        });
      });
    }

    function tampering(key: string, value: unknown): EntryWrite {
      const now = http.clock.now();
      const times = { createdAt: now, expiresAt: now + 600_000, retainedUntil: now + 600_000 };
      return {
        key,
        entry: { value, kind: 'value', tags: [], loadCostMs: 0, ...times },
        fence: { kind: 'set' },
      };
    }
  });

  describe('out of reach', () => {
    it('answers from the handler within one commandTimeout while Redis hangs', async () => {
      const hole = await BlackHole.before(Number(new URL(server.url).port));
      const hanging = await HttpFixture.start({
        backend: backendOf(`redis://127.0.0.1:${hole.port}`),
      });
      try {
        route({ tags: ['x'] }, hanging);
        await hanging.manager.ping();
        hole.swallow();
        for (let index = 0; index < 4; index++) {
          const startedAt = performance.now();
          const answer = await hanging.ask('/items');
          expect(answer.status).to.equal(200);
          expect(performance.now() - startedAt).to.be.below(TIMEOUT_MS + SLACK_MS);
        }
        expect(runs).to.equal(4);
      } finally {
        await hanging.stop();
        await hole.close();
      }
    });

    it('never answers 5xx when Redis dies under load', async () => {
      const own = await startRedisServer();
      const dying = await HttpFixture.start({ backend: backendOf(own.url) });
      try {
        dying.app.get('/:id', httpCache({ manager: dying.manager, ttl: '1m' }), (req, res) => {
          res.send(req.params['id']);
        });
        const statuses = new Set<number>();
        const wrong: string[] = [];
        let asked = 0;
        const ask = async (): Promise<void> => {
          const id = String(asked++ % 20);
          const answer = await dying.ask(`/${id}`);
          statuses.add(answer.status);
          if (answer.text !== id) wrong.push(answer.text);
        };
        for (let round = 0; round < 20; round++) {
          if (round === 10) await own.stop();
          await Promise.all(Array.from({ length: 10 }, ask));
        }

        expect([...statuses]).to.deep.equal([200]);
        expect(wrong).to.deep.equal([]);
      } finally {
        await dying.stop();
        await own.stop();
      }
    });
  });
});
