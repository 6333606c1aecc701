import { readFileSync } from 'node:fs';
import { createServer, request as requestHttp, type Server } from 'node:http';
import { createServer as createTlsServer, request as requestHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import express from 'express';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { accelerate } from '#internal/express/accelerate.js';
import { httpCache } from '#internal/express/http-cache.js';
import { httpInvalidation } from '#internal/express/http-invalidation.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { makeTlsFiles } from '../../support/redis-server.js';

type Scheme = 'http' | 'https';

const HEADERS = { host: 'a.example' };

/** One application on a plain server and on one with TLS, which get requests for the same host and path. */
describe('httpCache: one application by http and https', () => {
  let ca: Buffer;
  let credentials: { readonly cert: Buffer; readonly key: Buffer };
  let manager: CacheManager;
  let servers: Readonly<Record<Scheme, Server>>;
  let runs: number;

  before(() => {
    const files = makeTlsFiles();
    ca = readFileSync(files.ca);
    credentials = { cert: readFileSync(files.cert), key: readFileSync(files.key) };
  });

  afterEach(async () => {
    for (const server of Object.values(servers)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    await manager.close();
  });

  async function start(hasLane: boolean): Promise<void> {
    manager = new CacheManager({ logger: silentLogger });
    runs = 0;
    const app = express();
    app.use(httpInvalidation({ manager }));
    app.get('/', httpCache({ manager, ttl: '1h', front: true }), (req, res) => {
      res.send(`${req.protocol} ${++runs}`);
    });
    app.post('/', (_req, res) => void res.sendStatus(204));
    const listener = hasLane ? accelerate(app) : app;
    servers = { http: createServer(listener), https: createTlsServer(credentials, listener) };
    for (const server of Object.values(servers)) {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    }
  }

  /** What came, whether from the cache, and from where. */
  function ask(scheme: Scheme, method = 'GET'): Promise<string> {
    const { port } = servers[scheme].address() as AddressInfo;
    const to = { host: '127.0.0.1', port, method, headers: HEADERS, agent: false };
    return new Promise((resolve, reject) => {
      const asked =
        scheme === 'http'
          ? requestHttp(to)
          : requestHttps({ ...to, agent: false, ca, servername: 'localhost' });
      asked.on('error', reject);
      asked.on('response', (res) => {
        const place = res.headers['x-powered-by'] === undefined ? 'in front' : 'by Express';
        text(res).then(
          (body) => resolve(`${body} ${String(res.headers['x-cache'])} ${place}`),
          reject,
        );
      });
      asked.end();
    });
  }

  for (const hasLane of [false, true]) {
    it(`keeps their responses apart, ${hasLane ? 'with' : 'without'} a fast lane`, async () => {
      await start(hasLane);
      const place = hasLane ? 'in front' : 'by Express';

      expect(await ask('http')).to.equal('http 1 MISS by Express');
      expect(await ask('https')).to.equal('https 2 MISS by Express');
      for (const _round of [1, 2]) {
        expect(await ask('http')).to.equal(`http 1 HIT ${place}`);
        expect(await ask('https')).to.equal(`https 2 HIT ${place}`);
      }
      // To a write they are one: behind a proxy the application need not know its scheme.
      await ask('http', 'POST');
      expect(await ask('https')).to.equal('https 3 MISS by Express');
      expect(await ask('http')).to.equal('http 4 MISS by Express');
    });
  }
});
