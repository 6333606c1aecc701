import { createServer } from 'node:net';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { BackendEvent } from '#internal/cache/backend.js';
import {
  CacheClosedError,
  CacheConnectionError,
  CacheTimeoutError,
  isCacheError,
} from '#internal/errors.js';
import type { RedisBackendOptions } from '#internal/backends/redis/redis-options.js';
import { BlackHole } from '../../support/black-hole.js';
import {
  attachedBackend,
  closeAll,
  valueOf,
  writeOf,
  type AttachedBackend,
} from '../../support/redis-backend-fixture.js';
import { freePort, RedisServer } from '../../support/redis-server.js';

const TIMEOUT_MS = 250;
/** What a busy machine may add to a timer. */
const SLACK_MS = 200;

/** The error of a call, and how long the call took. */
async function failureOf(call: () => unknown): Promise<{ error: unknown; tookMs: number }> {
  const startedAt = performance.now();
  try {
    await call();
  } catch (error) {
    return { error, tookMs: performance.now() - startedAt };
  }
  throw new Error('The call was expected to fail, and did not.');
}

/** What a call answers; `undefined` when it fails. */
async function attempt<Result>(call: () => Result | Promise<Result>): Promise<Result | undefined> {
  try {
    return await call();
  } catch {
    return undefined;
  }
}

/** Resolves with the next event of a type. */
function nextEvent(events: BackendEvent[], type: BackendEvent['type']): Promise<void> {
  const known = events.filter((event) => event.type === type).length;
  return waitUntil(() => events.filter((event) => event.type === type).length > known);
}

async function waitUntil(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('RedisBackend without a usable Redis', () => {
  const opened: AttachedBackend[] = [];
  const servers: RedisServer[] = [];
  const unhandled: unknown[] = [];
  const noteUnhandled = (error: unknown): void => void unhandled.push(error);

  const open = (options: RedisBackendOptions): AttachedBackend => {
    const attached = attachedBackend(options);
    opened.push(attached);
    return attached;
  };
  const start = async (...args: Parameters<typeof RedisServer.start>): Promise<RedisServer> => {
    const server = await RedisServer.start(...args);
    servers.push(server);
    return server;
  };

  beforeEach(() => process.on('unhandledRejection', noteUnhandled));

  afterEach(async () => {
    await closeAll(opened.splice(0).map(({ backend }) => backend));
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    process.off('unhandledRejection', noteUnhandled);
    expect(unhandled.splice(0)).to.deep.equal([]);
  });

  it('fails the first call within the timeout and the next at once, when nobody listens', async () => {
    const { store, backend, events } = open({ url: `redis://127.0.0.1:${await freePort()}` });
    const first = await failureOf(() => store.get('k'));
    expect(first.error).to.be.instanceOf(CacheConnectionError);
    expect((first.error as Error).message).to.include('ECONNREFUSED');
    expect(first.tookMs).to.be.below(TIMEOUT_MS + SLACK_MS);
    const startedAt = performance.now();
    for (let call = 0; call < 1000; call++) {
      const { error } = await failureOf(() => store.get('k'));
      expect(error).to.be.instanceOf(CacheConnectionError);
    }
    expect((performance.now() - startedAt) / 1000).to.be.below(1);
    expect(backend.health()).to.deep.equal({
      status: 'unhealthy',
      breaker: 'open',
      errorCode: 'ERR_CACHE_CONNECTION',
    });
    expect(backend.isAvailable).to.equal(false);
    expect(events.map(({ type }) => type)).to.deep.equal(['degraded']);
  });

  it('works again with a server that was killed and started anew', async () => {
    const server = await start();
    const { store, backend, events } = open({ url: server.url });
    await store.store([writeOf('k', 1)]);
    const degraded = nextEvent(events, 'degraded');
    await server.stop();
    await degraded;
    expect((await failureOf(() => store.get('k'))).error).to.be.instanceOf(CacheConnectionError);
    const recovered = nextEvent(events, 'recovered');
    await server.start();
    const startedAt = performance.now();
    await recovered;
    expect(performance.now() - startedAt).to.be.below(3000);
    expect(await store.store([writeOf('k', 2)])).to.deep.equal(['stored']);
    expect(await valueOf(store, 'k')).to.equal(2);
    expect(backend.health()).to.deep.equal({ status: 'healthy', breaker: 'closed' });
    expect(await backend.info()).to.include({ breaker: 'closed', role: 'master' });
    const states = events.map(({ type }) => type).filter((type) => type !== 'bytes');
    expect(states).to.deep.equal(['degraded', 'recovered']);
  });

  it('connects to a server that was not there at first', async () => {
    const port = await freePort();
    const { store, events } = open({ host: '127.0.0.1', port });
    await failureOf(() => store.get('k'));
    const recovered = nextEvent(events, 'recovered');
    await start({ port });
    await recovered;
    expect(await store.store([writeOf('k', 1)])).to.deep.equal(['stored']);
  });

  it('costs two timeouts in a row, then nothing, when the server freezes, and heals', async () => {
    const server = await start();
    const { store, events } = open({ url: server.url });
    await store.store([writeOf('k', 1)]);
    server.freeze();
    let timeouts = 0;
    let last = await failureOf(() => store.get('k'));
    // On a busy machine the own loop may be to blame for one, which then does not count.
    while (last.error instanceof CacheTimeoutError && timeouts < 10) {
      timeouts++;
      expect(last.tookMs).to.be.above(TIMEOUT_MS - 5);
      last = await failureOf(() => store.get('k'));
    }
    expect(timeouts).to.be.at.least(2);
    expect(last.error).to.be.instanceOf(CacheConnectionError);
    expect(last.tookMs).to.be.below(TIMEOUT_MS);
    const recovered = nextEvent(events, 'recovered');
    server.thaw();
    await recovered;
    expect(await valueOf(store, 'k')).to.equal(1);
  });

  it('leaves a connection whose other end is silent for good', async () => {
    const server = await start();
    const hole = await BlackHole.before(server.port);
    try {
      const { store, events } = open({
        url: `redis://127.0.0.1:${hole.port}`,
        connectTimeout: '500ms',
      });
      await store.store([writeOf('k', 1)]);
      hole.swallow();
      await failureOf(() => store.get('k'));
      await failureOf(() => store.get('k'));
      const recovered = nextEvent(events, 'recovered');
      hole.letThrough();
      // What was swallowed stays swallowed: only a new connection helps.
      await recovered;
      expect(await valueOf(store, 'k')).to.equal(1);
    } finally {
      await hole.close();
    }
  });

  it('does not blame Redis for a stall of the own event loop', async () => {
    const server = await start();
    const { store, events, backend } = open({ url: server.url });
    await store.store([writeOf('k', 1)]);
    for (let stall = 0; stall < 3; stall++) {
      const calls = [valueOf(store, 'k'), valueOf(store, 'k'), valueOf(store, 'k')];
      const until = performance.now() + 2 * TIMEOUT_MS;
      while (performance.now() < until);
      expect(await Promise.all(calls)).to.deep.equal([1, 1, 1]);
    }
    expect(backend.isAvailable).to.equal(true);
    expect(events.filter(({ type }) => type === 'degraded')).to.deep.equal([]);
  });

  it('never executes a set that it reported as failed', async () => {
    const server = await start();
    const { store } = open({ url: server.url });
    await store.store([writeOf('k', 'before')]);
    server.freeze();
    const { error } = await failureOf(() => store.store([writeOf('k', 'failed')]));
    expect(error).to.be.instanceOf(CacheTimeoutError);
    server.thaw();
    // The set lies in front of this on the same connection, so it has been read when this is answered.
    await waitUntil(async () => (await attempt(() => store.get('k'))) !== undefined);
    expect(await valueOf(store, 'k')).to.equal('before');
  });

  it('does not report a set as failed before it cannot be executed any more', async () => {
    const server = await start();
    const hole = await BlackHole.before(server.port);
    try {
      const { store } = open({ url: `redis://127.0.0.1:${hole.port}` });
      await store.store([writeOf('k', 1)]);
      hole.swallow();
      const setting = failureOf(() => store.store([writeOf('k', 2)]));
      hole.cut();
      const { error, tookMs } = await setting;
      expect(error).to.be.instanceOf(CacheConnectionError);
      expect(tookMs).to.be.above(TIMEOUT_MS - 5);
    } finally {
      await hole.close();
    }
  });

  it('says so, when something else than Redis answers', async () => {
    const web = createServer((socket) => {
      socket.on('error', () => undefined).resume();
      socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n');
    });
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = web.address() as { port: number };
      const { store } = open({ url: `redis://127.0.0.1:${port}` });
      const { error } = await failureOf(() => store.get('k'));
      expect(error).to.be.instanceOf(CacheConnectionError);
      expect((error as Error).message).to.equal(
        `Something else than Redis answers at 127.0.0.1:${port}: check host and port, and whether the port expects TLS`,
      );
    } finally {
      web.close();
    }
  });

  describe('#close', () => {
    it('lets what is under way finish and refuses the rest', async () => {
      const server = await start();
      const { store, backend } = open({ url: server.url, commandTimeout: '5s' });
      await store.store([writeOf('k', 1)]);
      const reads = Array.from({ length: 100 }, () => valueOf(store, 'k'));
      const closing = backend.close(5000);
      expect(await Promise.all(reads)).to.deep.equal(Array.from({ length: 100 }, () => 1));
      await closing;
      expect(backend.close(1)).to.equal(backend.close(1));
      const { error } = await failureOf(() => store.get('k'));
      expect(error).to.be.instanceOf(CacheClosedError);
      const client = server.client();
      await waitUntil(async () => !String(await client.client('LIST')).includes('cachewell:'));
      client.disconnect();
    });

    it('ends in time when Redis does not answer', async () => {
      const server = await start();
      const { store, backend } = open({ url: server.url, commandTimeout: '5s' });
      await store.store([writeOf('k', 1)]);
      server.freeze();
      const reading = failureOf(() => store.get('k'));
      const startedAt = performance.now();
      await backend.close(100);
      expect(isCacheError((await reading).error, 'ERR_CACHE_CLOSED')).to.equal(true);
      expect(performance.now() - startedAt).to.be.below(100 + SLACK_MS);
    });

    it("leaves the user's client open and as it was", async () => {
      const server = await start();
      const client = server.client();
      const { store, backend } = open({ client });
      await store.store([writeOf('k', 1)]);
      const names = Object.keys(client);
      await backend.close(1000);
      expect(await client.ping()).to.equal('PONG');
      expect(client.listenerCount('error')).to.equal(0);
      expect(client.listenerCount('close')).to.equal(0);
      expect(Object.keys(client)).to.deep.equal(names);
      client.disconnect();
    });
  });
});
