import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import express, { type Express, type RequestHandler } from 'express';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { httpCache } from '#internal/express/http-cache.js';
import { setupCache } from '#internal/express/setup-cache.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { until } from '../../support/until.js';

const KEY = { 'x-api-key': 'right' };

/** A guard by a field that HTTP does not know to be a credential. */
const hasKey: RequestHandler = (req, res, next) => {
  if (req.headers['x-api-key'] === KEY['x-api-key']) next();
  else res.status(401).send('no');
};

const setUps: Readonly<
  Record<string, (app: Express, manager: CacheManager, handler: RequestHandler) => void>
> = {
  'setupCache and the cache of a route': (app, manager, handler) => {
    setupCache(app, { manager });
    app.get('/secret', hasKey, httpCache({ manager, ttl: '1m' }), handler);
  },
  'the cache of an application and that of a router': (app, manager, handler) => {
    app.use(httpCache({ manager, ttl: '1m' }));
    app.use(hasKey);
    app.use(httpCache({ manager, ttl: '1m' }));
    app.get('/secret', handler);
  },
  'three caches': (app, manager, handler) => {
    app.use(httpCache({ manager }));
    app.use('/secret', httpCache({ manager, ttl: '1m' }));
    app.get('/secret', hasKey, httpCache({ manager, ttl: '1m' }), handler);
  },
};

for (const [title, setUp] of Object.entries(setUps)) {
  describe(`A guard between two caches: ${title}`, () => {
    const servers: Server[] = [];
    let manager: CacheManager;
    let handler: RequestHandler;

    beforeEach(() => {
      manager = new CacheManager({ logger: silentLogger });
      handler = (_req, res) => void res.send('secret');
    });

    afterEach(async () => {
      for (const server of servers.splice(0)) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
      await manager.close();
    });

    /** A process of the application; all have one store. */
    async function start(): Promise<(headers: Record<string, string>) => Promise<string>> {
      const app = express();
      setUp(app, manager, (req, res, next) => handler(req, res, next));
      const server = createServer(app);
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      return (headers) =>
        new Promise((resolve, reject) => {
          const all = { host: 'api.example', ...headers };
          request(
            { port, host: '127.0.0.1', path: '/secret', headers: all, agent: false },
            (res) => {
              let text = '';
              res.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
              res.on('end', () => resolve(`${res.statusCode} ${text}`));
            },
          )
            .on('error', reject)
            .end();
        });
    }

    it('runs for what is stored, in the process that stored it and in others', async () => {
      const [one, two] = [await start(), await start()];
      for (let round = 0; round < 3; round++) {
        expect(await one(KEY)).to.equal('200 secret');
        expect(await one({})).to.equal('401 no');
        expect(await two({})).to.equal('401 no');
        expect(await two(KEY)).to.equal('200 secret');
      }
    });

    it('runs for those who come while the handler runs', async () => {
      const ask = await start();
      let isRunning = false;
      let finish!: () => void;
      const gate = new Promise<void>((resolve) => (finish = resolve));
      handler = async (_req, res) => {
        isRunning = true;
        await gate;
        res.send('secret');
      };
      const first = ask(KEY);
      await until('the handler runs', () => isRunning);
      const others = [ask({}), ask({}), ask(KEY)];
      finish();
      expect(await first).to.equal('200 secret');
      expect(await Promise.all(others)).to.deep.equal(['401 no', '401 no', '200 secret']);
    });

    it('does not become the answer to those who may', async () => {
      const ask = await start();
      const answers = await Promise.all([ask({}), ask(KEY), ask({}), ask(KEY)]);
      expect(answers).to.deep.equal(['401 no', '200 secret', '401 no', '200 secret']);
    });
  });
}
