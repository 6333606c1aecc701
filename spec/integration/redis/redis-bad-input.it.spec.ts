import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { expect } from 'chai';
import { after, afterEach, before, describe, it } from 'mocha';
import type { Redis } from 'ioredis';
import type { RedisBackendOptions } from '#internal/backends/redis/redis-options.js';
import { isCacheError } from '#internal/errors.js';
import {
  attachedBackend,
  closeAll,
  valueOf,
  writeOf,
  type AttachedBackend,
} from '../../support/redis-backend-fixture.js';
import { makeTlsFiles, RedisServer, type TlsFiles } from '../../support/redis-server.js';

const SECRET = 'open-sesame-42';

describe('RedisBackend with servers and data that are not as they should be', () => {
  const opened: AttachedBackend[] = [];
  const servers: RedisServer[] = [];

  const open = (options: RedisBackendOptions): AttachedBackend => {
    const attached = attachedBackend({ commandTimeout: '3s', ...options });
    opened.push(attached);
    return attached;
  };
  const start = async (...args: Parameters<typeof RedisServer.start>): Promise<RedisServer> => {
    const server = await RedisServer.start(...args);
    servers.push(server);
    return server;
  };
  const failureOf = async (call: () => unknown): Promise<Error> => {
    try {
      await call();
    } catch (error) {
      expect(inspect(error, { depth: 10 })).to.not.include(SECRET);
      return error as Error;
    }
    throw new Error('The call was expected to fail, and did not.');
  };

  afterEach(async () => {
    await closeAll(opened.splice(0).map(({ backend }) => backend));
    await Promise.all(servers.splice(0).map((server) => server.stop()));
  });

  describe('at the door', () => {
    it('logs in with a password, by option and by URL', async () => {
      const { port } = await start({ password: SECRET });
      for (const options of [
        { host: '127.0.0.1', port, password: SECRET },
        { url: `redis://:${SECRET}@127.0.0.1:${port}/3` },
      ]) {
        const { store } = open(options);
        expect(await store.store([writeOf('k', 1)])).to.deep.equal(['stored']);
      }
    });

    it('says what to check when the password is wrong or missing', async () => {
      const { port } = await start({ password: 'another' });
      const wrong = open({ host: '127.0.0.1', port, password: SECRET });
      const error = await failureOf(() => wrong.store.get('k'));
      expect(isCacheError(error, 'ERR_CACHE_CONNECTION')).to.equal(true);
      expect(error.message).to.include(`Redis at 127.0.0.1:${port} refuses connecting (WRONGPASS)`);
      const missing = open({ host: '127.0.0.1', port });
      expect((await failureOf(() => missing.store.get('k'))).message).to.include('NOAUTH');
    });

    it('logs in as a user of the access control list, whose limits it names', async () => {
      const { port } = await start({
        acl: [
          'user default off',
          `user app on >${SECRET} ~cache:* +@all`,
          `user narrow on >${SECRET} ~other:* +@all`,
        ],
      });
      const app = open({ host: '127.0.0.1', port, username: 'app', password: SECRET });
      expect(await app.store.store([writeOf('k', 1)])).to.deep.equal(['stored']);
      expect(await valueOf(app.store, 'k')).to.equal(1);
      const narrow = open({ host: '127.0.0.1', port, username: 'narrow', password: SECRET });
      const error = await failureOf(() => narrow.store.get('k'));
      expect(error.message).to.include('NOPERM').and.include('access control list');
    });

    describe('with TLS', () => {
      let files: TlsFiles;

      before(() => {
        files = makeTlsFiles();
      });

      it('trusts the authority that it was given, and no other', async () => {
        const { port } = await start({ tls: files });
        const ca = readFileSync(files.ca);
        const trusting = open({ host: 'localhost', port, tls: { ca } });
        expect(await trusting.store.store([writeOf('k', 1)])).to.deep.equal(['stored']);
        const byUrl = open({ url: `rediss://localhost:${port}`, tls: { ca } });
        expect(await valueOf(byUrl.store, 'k')).to.equal(1);
        const strict = open({ host: 'localhost', port, tls: true });
        expect((await failureOf(() => strict.store.get('k'))).message).to.match(/certificate/);
        const careless = open({ host: 'localhost', port, tls: { rejectUnauthorized: false } });
        expect(await valueOf(careless.store, 'k')).to.equal(1);
      });
    });
  });

  describe('in trouble', () => {
    it('names a full memory, and leaves no older value behind', async () => {
      const server = await start();
      const { store, backend } = open({ url: server.url });
      await store.store([writeOf('k', 'old')]);
      const token = (await store.begin(['k']))[0]!.token;
      const client = server.client();
      try {
        // Less than an empty server needs.
        await client.config('SET', 'maxmemory', '500kb');
        const [outcome] = await store.store([writeOf('k', 'new', { kind: 'put', token })]);
        expect(isCacheError(outcome, 'ERR_CACHE_BACKEND')).to.equal(true);
        expect((outcome as Error).message)
          .to.include('OOM')
          .and.include('maxmemory');
        expect(await valueOf(store, 'k')).to.equal(undefined);
        const batch = await store.store(['a', 'b', 'c'].map((key) => writeOf(key, 'v')));
        for (const each of batch) expect((each as Error).message).to.include('OOM');
        expect(backend.isAvailable).to.equal(true);
      } finally {
        client.disconnect();
      }
    });

    it('reads from a replica that it was pointed at, and says why it cannot write', async () => {
      const master = await start();
      const replica = await start({ replicaOf: master.port });
      const { store, backend } = open({ url: replica.url });
      await store.get('k');
      const error = await failureOf(() => store.store([writeOf('k', 1)]));
      expect(error.message).to.match(/READONLY: it is a read-only replica/);
      expect(backend.health().status).to.be.oneOf(['healthy', 'unhealthy']);
    });

    it('refuses an entry above maxPayloadBytes, and stores those beside it', async () => {
      const server = await start();
      const { store } = open({ url: server.url, maxPayloadBytes: 1000 });
      const outcomes = await store.store([writeOf('big', 'x'.repeat(1000)), writeOf('k', 1)]);
      expect(isCacheError(outcomes[0], 'ERR_CACHE_SERIALIZATION')).to.equal(true);
      expect((outcomes[0] as Error).message).to.include('RedisBackend.maxPayloadBytes is 1000');
      expect(outcomes[1]).to.equal('stored');
    });
  });

  describe('with foreign data under its keys', () => {
    let server: RedisServer;
    let client: Redis;

    before(async () => {
      server = await RedisServer.start();
      client = server.client();
    });

    afterEach(() => client.flushall());

    after(async () => {
      client.disconnect();
      await server.stop();
    });

    const GARBAGE: Readonly<Record<string, (key: string) => Promise<unknown>>> = {
      'an empty text': (key) => client.set(key, ''),
      'JSON of someone': (key) => client.set(key, '{"a":1}'),
      'half a frame': (key) => client.set(key, Buffer.from([0xca, 0xce, 1, 0, 1])),
      'a list': (key) => client.rpush(key, 'a', 'b'),
      'a hash': (key) => client.hset(key, 'field', 'value'),
    };

    for (const [name, plant] of Object.entries(GARBAGE)) {
      it(`treats ${name} under an entry's key as absent, and replaces it`, async () => {
        await plant('cache:1:users:k');
        const { store } = open({ url: server.url });
        expect(await valueOf(store, 'k')).to.equal(undefined);
        expect(await store.getMany(['k', 'j'])).to.deep.equal([undefined, undefined]);
        expect(await store.expire('k', 1000, 1000)).to.equal(false);
        const [start] = await store.begin(['k']);
        expect(start!.entry).to.equal(undefined);
        const fill = writeOf('k', 'new', { kind: 'fill', token: start!.token });
        expect(await store.store([fill])).to.deep.equal(['stored']);
        expect(await valueOf(store, 'k')).to.equal('new');
        await plant('cache:1:users:gone');
        expect(await store.delete(['gone'])).to.equal(0);
        expect(await client.exists('cache:1:users:gone')).to.equal(0);
      });

      it(`heals itself from ${name} under a generation, sequence, registry, fence or marker`, async () => {
        for (const key of ['1:users', '~seq', '~caches', '1:users:k%~', '~tag:t']) {
          await client.flushall();
          await plant(`cache:${key}`);
          const { store, backend } = open({ url: server.url });
          expect(await valueOf(store, 'k'), key).to.equal(undefined);
          const [start] = await store.begin(['k']);
          const fill = writeOf('k', 1, { kind: 'fill', token: start!.token }, { tags: ['t'] });
          expect(await store.store([fill]), key).to.deep.equal(['stored']);
          expect(await valueOf(store, 'k'), key).to.equal(1);
          await backend.invalidateTags({ anyOf: ['t'] });
          expect(await valueOf(store, 'k'), key).to.equal(undefined);
          await store.store([writeOf('k', 2)]);
          await backend.clearAll();
          expect(await valueOf(store, 'k'), key).to.equal(undefined);
        }
      });
    }

    it('reports a flipped bit once for each read, and never gives a wrong value', async () => {
      const { store, events } = open({ url: server.url });
      await store.store([writeOf('k', 'value')]);
      const frame = (await client.getBuffer('cache:1:users:k'))!;
      for (let bit = 0; bit < frame.length * 8; bit++) {
        const damaged = Buffer.from(frame);
        damaged[bit >> 3]! ^= 1 << (bit & 7);
        await client.set('cache:1:users:k', damaged);
        expect(await valueOf(store, 'k'), `bit ${bit}`).to.equal(undefined);
      }
      const errors = events.filter(({ type }) => type === 'error');
      expect(errors).to.have.length(frame.length * 8);
      expect(inspect(errors)).to.not.include("'value'");
    });

    it('neither reads nor overwrites a frame of a newer version, and deletes it when told to', async () => {
      const newer = Buffer.concat([Buffer.from([0xca, 0xce, 2]), Buffer.alloc(80)]);
      await client.set('cache:1:users:k', newer);
      const { store } = open({ url: server.url });
      expect(await valueOf(store, 'k')).to.equal(undefined);
      const [start] = await store.begin(['k']);
      const fill = writeOf('k', 'old', { kind: 'fill', token: start!.token });
      expect(await store.store([fill])).to.deep.equal(['refused']);
      expect(await client.getBuffer('cache:1:users:k')).to.deep.equal(newer);
      await store.delete(['k']);
      expect(await client.exists('cache:1:users:k')).to.equal(0);
    });
  });
});
