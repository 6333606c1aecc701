import { expect } from 'chai';
import express, { type Express, type Request, type Response as ExpressResponse } from 'express';
import { CacheManager, MemoryBackend } from 'cachewell';
import { FaultyBackend, ManualClock } from 'cachewell/testing';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { httpCache } from '#internal/express/http-cache.js';
import { httpInvalidation } from '#internal/express/http-invalidation.js';
import { listening, type Listening } from '../../support/http-listener.js';
import { SharedFaultyBackend } from '../../support/shared-faulty-backend.js';
import { until } from '../../support/until.js';

/** One resource whose handler shows what it saw when it began, and answers when it is let go. */
class Resource implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly backend: FaultyBackend;
  readonly manager: CacheManager;
  readonly #app: Express;
  #server: Listening | undefined;
  #value = 1;
  #held: (() => void)[] = [];
  isHeld = false;
  runs = 0;

  constructor(cacheControl: string, backend = new FaultyBackend(new MemoryBackend())) {
    this.backend = backend;
    this.manager = new CacheManager({ backend, clock: this.clock, logger: silentLogger });
    this.#app = express();
    this.#app.set('etag', false);
    this.#app.use(httpInvalidation({ manager: this.manager }));
    const cached = httpCache({ manager: this.manager });
    this.#app.get('/a', cached, (req, res) => void this.#read(req, res, cacheControl));
    this.#app.put('/a', (_req, res) => {
      this.#value++;
      res.sendStatus(204);
    });
  }

  /** How many handlers wait. */
  get waiting(): number {
    return this.#held.length;
  }

  async started(): Promise<this> {
    this.#server = await listening(this.#app);
    return this;
  }

  /** Lets the handlers that wait answer, and those to come. */
  release(): void {
    this.isHeld = false;
    for (const go of this.#held.splice(0)) go();
  }

  /** What a client gets, and from where. */
  async read(): Promise<string> {
    const response = await fetch(`${this.#server!.origin}/a`);
    return `${response.headers.get('x-cache')} ${await response.text()}`;
  }

  async write(): Promise<void> {
    const { status } = await fetch(`${this.#server!.origin}/a`, { method: 'PUT' });
    expect(status).to.equal(204);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
    await this.#server?.[Symbol.asyncDispose]();
    await this.manager.close();
  }

  async #read(_req: Request, res: ExpressResponse, cacheControl: string): Promise<void> {
    this.runs++;
    const seen = this.#value;
    if (this.isHeld) await new Promise<void>((resolve) => this.#held.push(resolve));
    // `send` makes a 304 of it when the cache asks with this validator.
    res.set({ 'Cache-Control': cacheControl, ETag: `"${seen}"` }).send(`value ${seen}`);
  }
}

describe('A write', () => {
  it('beside a running read keeps its response from being stored', async () => {
    await using a = await new Resource('max-age=60').started();
    a.isHeld = true;
    const early = a.read();
    await until('the handler runs', () => a.waiting === 1);
    await a.write();
    a.release();
    expect(await early).to.match(/value 1$/);
    expect(await a.read()).to.equal('MISS value 2');
    expect(await a.read()).to.equal('HIT value 2');
  });

  it('keeps reads that come after its answer from joining a handler run before it', async () => {
    await using a = await new Resource('max-age=60').started();
    a.isHeld = true;
    const early = a.read();
    await until('the handler runs', () => a.waiting === 1);
    const follower = a.read();
    await a.write();
    const late = [a.read(), a.read(), a.read()];
    a.release();
    expect(await early).to.match(/value 1$/);
    await follower;
    for (const answer of await Promise.all(late)) expect(answer).to.match(/value 2$/);
    expect(await a.read()).to.equal('HIT value 2');
  });

  it('ends the life of a stale response, and is not undone by the refresh that it overtakes', async () => {
    await using a = await new Resource('max-age=10, stale-while-revalidate=600').started();
    await a.read();
    a.clock.advance('30s');
    a.isHeld = true;
    expect(await a.read()).to.equal('STALE value 1');
    await until('the refresh runs', () => a.waiting === 1);
    await a.write();
    const late = a.read();
    a.release();
    expect(await late).to.match(/value 2$/);
    expect(await a.read()).to.match(/value 2$/);
  });

  it('is not undone by the 304 of a validation that it overtakes', async () => {
    await using a = await new Resource('max-age=10').started();
    await a.read();
    a.clock.advance('30s');
    a.isHeld = true;
    const early = a.read();
    await until('the validation runs', () => a.waiting === 1);
    await a.write();
    const late = a.read();
    a.release();
    expect(await early).to.match(/value 1$/);
    expect(await late).to.match(/value 2$/);
    expect(await a.read()).to.equal('HIT value 2');
  });

  it('is answered only when no read can get the response before it any more', async () => {
    await using a = await new Resource('max-age=60').started();
    await a.read();
    const invalidation = a.backend.hold('invalidateTags');
    let isAnswered = false;
    const write = a.write().then(() => (isAnswered = true));
    await invalidation.arrived();
    // Not answered yet, so either value would do.
    expect(await a.read()).to.equal('HIT value 1');
    expect(isAnswered).to.equal(false);
    invalidation.release();
    await write;
    expect(await a.read()).to.equal('MISS value 2');
  });

  it('that its store cannot take succeeds, and takes this process past the cache until it has', async () => {
    const backend = new SharedFaultyBackend();
    await using a = await new Resource('max-age=60', backend).started();
    let deferred = 0;
    a.manager.on('deferred', () => deferred++);
    await a.read();
    expect(await a.read()).to.equal('HIT value 1');
    backend.fail('invalidateTags');
    await a.write();
    expect(deferred).to.equal(1);
    expect(await a.read()).to.match(/value 2$/);
    expect(await a.read()).to.match(/value 2$/);
    backend.heal();
    await until('the invalidation is made up for', async () => (await a.read()) === 'HIT value 2');
  });

  it('reaches reads under a path that something rewrites, and is reached under it', async () => {
    await using manager = new CacheManager({ backend: new MemoryBackend(), logger: silentLogger });
    const app = express();
    let value = 1;
    app.use((req, _res, next) => {
      req.url = req.url.replace(/^\/old\//, '/new/');
      next();
    });
    app.use(httpInvalidation({ manager, scope: 'exact' }));
    app.get(
      '/new/a',
      httpCache({ manager, ttl: '1m' }),
      (_req, res) => void res.send(`value ${value}`),
    );
    app.put('/new/a', (_req, res) => {
      value++;
      res.sendStatus(204);
    });
    await using server = await listening(app);
    for (const [read, written] of [
      ['old', 'new'],
      ['new', 'old'],
      ['old', 'old'],
    ] as const) {
      const before = await (await fetch(`${server.origin}/${read}/a`)).text();
      await fetch(`${server.origin}/${written}/a`, { method: 'PUT' });
      const after = await (await fetch(`${server.origin}/${read}/a`)).text();
      expect([before, after], `${read}, ${written}`).to.deep.equal([
        `value ${value - 1}`,
        `value ${value}`,
      ]);
    }
  });
});
