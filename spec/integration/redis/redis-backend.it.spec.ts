import { expect } from 'chai';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import type { Redis } from 'ioredis';
import { compilePattern } from '#internal/cache/key-pattern.js';
import { RedisBackend } from '#internal/backends/redis/redis-backend.js';
import { RedisClient } from '#internal/backends/redis/redis-client-token.js';
import { REDIS_SETTINGS_TOKEN } from '#internal/backends/redis/redis-settings-like.js';
import {
  attachedBackend,
  backendContext,
  closeAll,
  valueOf,
  writeOf,
  type AttachedBackend,
} from '../../support/redis-backend-fixture.js';
import { RedisServer } from '../../support/redis-server.js';

describe(RedisBackend.name, () => {
  let server: RedisServer;
  let client: Redis;
  const opened: AttachedBackend[] = [];
  const open = (...args: Parameters<typeof attachedBackend>): AttachedBackend => {
    const attached = attachedBackend(...args);
    opened.push(attached);
    return attached;
  };
  /** How often Redis executed each command during `work`; commands inside scripts count, too. */
  const commandsDuring = async (work: () => unknown): Promise<Record<string, number>> => {
    await client.config('RESETSTAT');
    await work();
    const counts: Record<string, number> = {};
    for (const line of (await client.info('commandstats')).split('\r\n')) {
      const match = /^cmdstat_([^:|]+):calls=(\d+)/.exec(line);
      if (match !== null && match[1] !== 'config') counts[match[1]!] = Number(match[2]);
    }
    return counts;
  };

  before(async () => {
    server = await RedisServer.start();
    client = server.client();
  });

  beforeEach(() => client.flushall());

  afterEach(() => closeAll(opened.splice(0).map(({ backend }) => backend)));

  after(async () => {
    client.disconnect();
    await server.stop();
  });

  describe('round trips', () => {
    it('asks one command for a hit, a miss, and many of both, and runs no script', async () => {
      const { store } = open({ url: server.url });
      await store.store([writeOf('a', 1), writeOf('b', 2)]);
      const counts = await commandsDuring(async () => {
        expect(await valueOf(store, 'a')).to.equal(1);
        expect(await valueOf(store, 'none')).to.equal(undefined);
        const entries = await store.getMany(['a', 'none', 'b']);
        expect(entries.map((entry) => entry?.value)).to.deep.equal([1, undefined, 2]);
      });
      expect(counts).to.deep.equal({ mget: 3 });
    });

    it('asks one command for a hit with tags: by hints, and without once it knows', async () => {
      const { store } = open({ url: server.url });
      await store.store([writeOf('k', 1, { kind: 'set' }, { tags: ['a', 'b', 'c'] })]);
      const hints = { tags: ['a', 'b', 'c'] };
      expect(await commandsDuring(() => store.get('k', hints))).to.deep.equal({ mget: 1 });
      expect(await commandsDuring(() => store.get('k'))).to.deep.equal({ mget: 2 });
      expect((await commandsDuring(() => store.get('k')))['evalsha']).to.equal(1);
      expect((await commandsDuring(() => store.getMany(['k', 'j'])))['evalsha']).to.equal(1);
    });

    it('asks one script each for setting, filling and deleting many', async () => {
      const { store } = open({ url: server.url });
      await store.store([writeOf('warm', 1)]);
      const keys = Array.from({ length: 50 }, (_, index) => `k${index}`);
      const writing = await commandsDuring(() => store.store(keys.map((key) => writeOf(key, key))));
      expect(writing['evalsha']).to.equal(1);
      const filling = await commandsDuring(async () => {
        const starts = await store.begin(keys);
        expect(starts.map(({ entry }) => entry?.value)).to.deep.equal(keys);
        const writes = starts.map(({ token }) => writeOf(token.key, 0, { kind: 'fill', token }));
        expect(new Set(await store.store(writes))).to.deep.equal(new Set(['stored']));
      });
      expect(filling['evalsha']).to.equal(2);
      const deleting = await commandsDuring(async () => {
        expect(await store.delete([...keys, 'none'])).to.equal(50);
      });
      expect(deleting['evalsha']).to.equal(1);
    });

    it('clears and invalidates tags at a cost that does not depend on what they hit', async () => {
      const { store, backend } = open({ url: server.url, commandTimeout: '5s' });
      const cost = async (size: number): Promise<number> => {
        const writes = Array.from({ length: size }, (_, index) =>
          writeOf(`k${index}`, index, { kind: 'set' }, { tags: ['t'] }),
        );
        await store.store(writes);
        const counts = await commandsDuring(async () => {
          await backend.invalidateTags({ anyOf: ['t'] });
          await store.clear();
        });
        return Object.values(counts).reduce((sum, count) => sum + count, 0);
      };
      const few = await cost(1);
      expect(await cost(1000)).to.equal(few);
    });
  });

  describe('keys', () => {
    it('never touches a key outside its prefix, its cache, or its version', async () => {
      const foreign = ['other:1:users:k', 'cachex:1:users:k', 'cache', 'k', 'users:k', 'cache2'];
      for (const key of foreign) await client.set(key, 'theirs');
      const { store, backend } = open({ url: server.url });
      const neighbour = backend.open({ name: 'usersx', version: '1' });
      const older = backend.open({ name: 'users', version: '0' });
      for (const each of [store, neighbour, older]) await each.store([writeOf('k', 'ours')]);
      expect(await store.deletePattern(compilePattern('*'))).to.equal(1);
      expect(await valueOf(neighbour, 'k')).to.equal('ours');
      expect(await valueOf(older, 'k')).to.equal('ours');
      await store.clear();
      expect(await valueOf(neighbour, 'k')).to.equal('ours');
      await backend.clearAll();
      expect(await valueOf(neighbour, 'k')).to.equal(undefined);
      for (const key of foreign) expect(await client.get(key), key).to.equal('theirs');
    });

    it('takes a prefix with the characters of globs literally', async () => {
      const { store } = open({ url: server.url, prefix: 'a*[b]?' });
      const other = open({ url: server.url, prefix: 'axx[b]z' });
      await store.store([writeOf('k', 1)]);
      await other.store.store([writeOf('k', 2)]);
      expect(await store.deletePattern(compilePattern('k'))).to.equal(1);
      expect(await valueOf(other.store, 'k')).to.equal(2);
    });

    it('clears caches that only another process opened', async () => {
      const one = open({ url: server.url });
      const two = open({ url: server.url });
      const other = two.backend.open({ name: 'elsewhere', version: '7' });
      await other.store([writeOf('k', 1)]);
      await one.backend.clearAll();
      expect(await valueOf(other, 'k')).to.equal(undefined);
    });
  });

  describe('expiry', () => {
    it('tells times by the clock of Redis, however wrong that of the writer was', async () => {
      const hourAhead = { now: () => Date.now() + 3_600_000 };
      const writer = open({ url: server.url }, hourAhead);
      const reader = open({ url: server.url });
      const stale = {
        expiresAt: hourAhead.now() + 60_000,
        retainedUntil: hourAhead.now() + 90_000,
      };
      const write = writeOf('k', 1, { kind: 'set' }, stale, hourAhead);
      await writer.store.store([write]);
      for (const hints of [undefined, { needsTimes: true }]) {
        const entry = await reader.store.get('k', hints);
        expect(entry!.expiresAt - Date.now()).to.be.within(55_000, 60_050);
        expect(entry!.retainedUntil - Date.now()).to.be.within(85_000, 90_050);
      }
    });

    it('counts an entry that Redis still has as fresh, when it has one expiry', async () => {
      const hourBehind = { now: () => Date.now() - 3_600_000 };
      const writer = open({ url: server.url }, hourBehind);
      const reader = open({ url: server.url });
      await writer.store.store([writeOf('k', 1, { kind: 'set' }, {}, hourBehind)]);
      expect((await reader.store.get('k'))!.expiresAt).to.be.above(Date.now());
    });

    it('frees in the background what a clear has left behind, and nothing that is live', async () => {
      const { store } = open({ url: server.url });
      const forever = { expiresAt: Infinity, retainedUntil: Infinity };
      const writes = Array.from({ length: 500 }, (_, index) =>
        writeOf(`k${index}`, index, { kind: 'set' }, forever),
      );
      await store.store(writes);
      await store.clear();
      await store.store([writeOf('live', 1, { kind: 'set' }, forever)]);
      while ((await client.keys('cache:1:users:*')).length > 1) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      expect(await client.keys('cache:1:users:*')).to.deep.equal(['cache:1:users:live']);
    });
  });

  describe('connections', () => {
    it('opens at most maxConnections, all of them named', async () => {
      const { store } = open({ url: server.url, maxConnections: 4 });
      await Promise.all(Array.from({ length: 200 }, async (_, index) => store.get(`k${index}`)));
      const named = String(await client.client('LIST')).match(/name=cachewell:\d+/g) ?? [];
      expect(named.length).to.be.within(1, 4);
    });

    it('opens none before the first call, unless it is told to be eager', async () => {
      const { backend } = open({ url: server.url });
      expect(backend.health()).to.deep.equal({ status: 'unavailable' });
      const eager = open({ url: server.url, connect: 'eager' });
      while (!eager.backend.isAvailable) await new Promise((resolve) => setImmediate(resolve));
      expect(backend.isAvailable).to.equal(false);
    });

    it('takes a registered client, else registered settings', async () => {
      const settings = { host: '127.0.0.1', port: server.port, db: 5, ssl: false };
      const registered = new Map<unknown, unknown>([[REDIS_SETTINGS_TOKEN, settings]]);
      const make = (): RedisBackend => {
        const backend = new RedisBackend();
        backend.attach(backendContext([], undefined, (token) => registered.get(token)));
        return backend;
      };
      const fromSettings = make();
      await fromSettings.open({ name: 'users', version: '1' }).store([writeOf('k', 'in db 5')]);
      await client.select(5);
      expect(await client.exists('cache:1:users:k')).to.equal(1);
      await client.select(0);
      registered.set(RedisClient, client);
      const fromClient = make();
      await fromClient.open({ name: 'users', version: '1' }).store([writeOf('k', 'in db 0')]);
      expect(await client.exists('cache:1:users:k')).to.equal(1);
      await closeAll([fromSettings, fromClient]);
      expect(await client.ping()).to.equal('PONG');
    });

    it('shows operators facts from an allow-list', async () => {
      const { backend } = open({ url: server.url });
      const info = await backend.info();
      expect(Object.keys(info)).to.deep.equal([
        'breaker',
        'redis_version',
        'role',
        'uptime_in_seconds',
        'connected_clients',
        'used_memory_human',
        'maxmemory_human',
        'total_commands_processed',
      ]);
      expect(info['role']).to.equal('master');
    });
  });
});
