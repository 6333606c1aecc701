import { expect } from 'chai';
import fc from 'fast-check';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import type { Redis } from 'ioredis';
import type { BackendStore, FillToken, StoreOutcome } from '#internal/cache/backend.js';
import { compilePattern } from '#internal/cache/key-pattern.js';
import { CacheBackendError } from '#internal/errors.js';
import type { RedisBackendOptions } from '#internal/backends/redis/redis-options.js';
import { MOST_RULES } from '#internal/backends/redis/redis-tag-lua.js';
import {
  attachedBackend,
  closeAll,
  valueOf,
  writeOf,
  type AttachedBackend,
} from '../../support/redis-backend-fixture.js';
import { RedisServer } from '../../support/redis-server.js';

const HOUR_MS = 3_600_000;

async function take(store: BackendStore, key = 'k'): Promise<FillToken> {
  return (await store.begin([key]))[0]!.token;
}

async function fill(
  store: BackendStore,
  token: FillToken,
  value: unknown,
  tags: readonly string[] = [],
): Promise<StoreOutcome> {
  return (await store.store([writeOf(token.key, value, { kind: 'fill', token }, { tags })]))[0]!;
}

async function set(
  store: BackendStore,
  key: string,
  value: unknown,
  tags: readonly string[] = [],
): Promise<void> {
  expect(await store.store([writeOf(key, value, { kind: 'set' }, { tags })])).to.deep.equal([
    'stored',
  ]);
}

describe('the bookkeeping in Redis', () => {
  let server: RedisServer;
  let client: Redis;
  let number = 0;
  let prefix: string;
  const opened: AttachedBackend[] = [];
  const open = (options: RedisBackendOptions = {}): AttachedBackend => {
    const attached = attachedBackend({
      url: server.url,
      prefix,
      commandTimeout: '5s',
      ...options,
    });
    opened.push(attached);
    return attached;
  };

  before(async () => {
    server = await RedisServer.start();
    client = server.client();
  });

  beforeEach(() => {
    prefix = `books${++number}`;
  });

  afterEach(() => closeAll(opened.splice(0).map(({ backend }) => backend)));

  after(async () => {
    client.disconnect();
    await server.stop();
  });

  describe('of tags', () => {
    it('outlives an entry that reads keep alive, on every way to write it', async () => {
      const { store } = open();
      const left = (tag: string): Promise<number> => client.pttl(`${prefix}:~tag:${tag}`);
      const now = Date.now();
      const times = { createdAt: now, expiresAt: now + HOUR_MS, retainedUntil: now + 60_000 };
      const token = await take(store, 'filled');
      await store.store([
        writeOf('filled', 1, { kind: 'fill', token }, { ...times, tags: ['green'] }),
        writeOf('set', 2, { kind: 'set' }, { ...times, tags: ['blue'] }),
      ]);
      expect(await left('green')).to.be.greaterThan(HOUR_MS - 60_000);
      expect(await left('blue')).to.be.greaterThan(HOUR_MS - 60_000);
      await store.expire('set', 3 * HOUR_MS, 60_000);
      expect(await left('blue')).to.be.greaterThan(2 * HOUR_MS);
    });

    it('is kept no shorter for a short-lived entry behind a long-lived one (cashews’ tag TTL)', async () => {
      const { store } = open();
      const left = (): Promise<number> => client.pttl(`${prefix}:~tag:blue`);
      const lasting = (
        ms: number,
      ): { expiresAt: number; retainedUntil: number; tags: string[] } => {
        const end = Date.now() + ms;
        return { expiresAt: end, retainedUntil: end, tags: ['blue'] };
      };
      await store.store([writeOf('long', 1, { kind: 'set' }, lasting(3 * HOUR_MS))]);
      const before = await left();
      expect(before).to.be.greaterThan(2 * HOUR_MS);
      await store.store([writeOf('short', 2, { kind: 'set' }, lasting(1000))]);
      const token = await take(store, 'filled');
      await store.store([writeOf('filled', 3, { kind: 'fill', token }, lasting(1000))]);
      await store.begin(['other'], { tags: ['blue'] });
      await store.expire('short', 500, 500);
      expect(await left()).to.be.within(before - HOUR_MS, before);
    });
  });

  describe('of what was invalidated lately', () => {
    /** As many as a log keeps. */
    const MOST = 10_000;
    const names = Array.from({ length: MOST + 1 }, (_, index) => `n${index}`);

    it('is bounded for tags, and what it has dropped refuses older fills and no newer ones', async () => {
      const { store, backend } = open();
      const [older, untagged] = (await store.begin(['older', 'untagged'])).map(
        ({ token }) => token,
      );
      await backend.invalidateTags({ anyOf: ['first'] });
      for (let at = 0; at < names.length; at += 100) {
        await backend.invalidateTags({ anyOf: names.slice(at, at + 100) });
      }
      expect(await client.zcard(`${prefix}:~tags`)).to.be.within(MOST / 2 - 200, MOST);
      expect(await client.zscore(`${prefix}:~tags`, '=first'), 'the first tag').to.equal(null);
      expect(await fill(store, older!, 'old', ['first'])).to.equal('refused');
      expect(await fill(store, untagged!, 'new')).to.equal('stored');
      const newer = await take(store, 'newer');
      expect(await fill(store, newer, 'new', ['first', names[0]!, names[MOST]!])).to.equal(
        'stored',
      );
      expect(await valueOf(store, 'newer')).to.equal('new');
    });

    it('is bounded for one call with more tags than there is room for', async () => {
      const { store, backend } = open();
      const older = await take(store, 'older');
      await backend.invalidateTags({ anyOf: names });
      expect(await client.zcard(`${prefix}:~tags`)).to.be.at.most(MOST);
      for (const tag of [names[0]!, names[MOST]!]) {
        expect(await fill(store, older, 'old', [tag]), tag).to.equal('refused');
        const newer = await take(store, 'newer');
        expect(await fill(store, newer, 'new', [tag]), tag).to.equal('stored');
      }
    });

    it('is bounded for patterns, and what it has dropped refuses older fills and no newer ones', async () => {
      const { store } = open();
      const [older, other] = (await store.begin(['first', 'other'])).map(({ token }) => token);
      await store.deletePattern(compilePattern('fir*'));
      for (let at = 0; at < names.length; at += 250) {
        const some = names.slice(at, at + 250);
        await Promise.all(
          some.map(async (name) => store.deletePattern(compilePattern(`${name}*`))),
        );
      }
      const [log] = await client.keys(`${prefix}:*%~globs`);
      expect(await client.zcard(log!)).to.be.within(MOST / 2, MOST);
      expect(await client.zscore(log!, '=fir*'), 'the first pattern').to.equal(null);
      expect(await fill(store, older!, 'old')).to.equal('refused');
      // Nobody knows any more what was deleted since it began.
      expect(await fill(store, other!, 'old')).to.equal('refused');
      expect(await fill(store, await take(store, 'first'), 'new')).to.equal('stored');
      expect(await valueOf(store, 'first')).to.equal('new');
    }).timeout(60_000);
  });

  describe('of all-of invalidations', () => {
    it('is a rule at the first tag, on every way to read, list and count', async () => {
      const { store, backend } = open();
      await set(store, 'both', 1, ['blue', 'red']);
      await set(store, 'blue', 2, ['blue']);
      await set(store, 'red', 3, ['red']);
      await backend.invalidateTags({ allOf: ['red', 'blue'] });
      const hints = { tags: ['blue', 'red'] };
      expect(await store.get('both', hints)).to.equal(undefined);
      expect((await store.get('blue', hints))?.value).to.equal(2);
      // The first read without hints looks at the markers, the later ones run the script.
      for (let round = 0; round < 3; round++) {
        expect(await valueOf(store, 'both')).to.equal(undefined);
        expect(await valueOf(store, 'blue')).to.equal(2);
        expect(await valueOf(store, 'red')).to.equal(3);
      }
      expect((await store.scan({ count: 10 })).keys.toSorted()).to.deep.equal(['blue', 'red']);
      expect(await store.expire('both', 1000, 1000)).to.equal(false);
      expect(await store.delete(['both', 'blue', 'red'])).to.equal(2);
      expect(await client.get(`${prefix}:~tag:blue`)).to.match(/^\d+ \d+ 2 4:blue 3:red$/);
      expect(await client.get(`${prefix}:~tag:red`)).to.match(/^\d+$/);
    });

    it('is kept as long as the marker, by which entries live', async () => {
      const { store, backend } = open();
      await set(store, 'blue', 2, ['blue']);
      const left = await client.pttl(`${prefix}:~tag:blue`);
      await backend.invalidateTags({ allOf: ['blue', 'red'] });
      expect(await client.pttl(`${prefix}:~tag:blue`)).to.be.within(left - 5000, left);
      await client.persist(`${prefix}:~tag:blue`);
      await backend.invalidateTags({ allOf: ['blue', 'red'] });
      expect(await client.pttl(`${prefix}:~tag:blue`)).to.equal(-1);
    });

    it('hits all entries of the tag with one rule too many, and starts anew', async () => {
      const { store, backend } = open();
      await set(store, 'blue', 1, ['blue']);
      for (let index = 0; index < MOST_RULES; index++) {
        await backend.invalidateTags({ allOf: ['blue', `c${index}`] });
        await backend.invalidateTags({ allOf: ['blue', 'c0'] });
      }
      expect(await valueOf(store, 'blue'), 'as many as there may be').to.equal(1);
      await backend.invalidateTags({ allOf: ['blue', 'one more'] });
      expect(await valueOf(store, 'blue'), 'one more').to.equal(undefined);
      expect(await client.get(`${prefix}:~tag:blue`)).to.match(/^\d+$/);
      await set(store, 'blue', 2, ['blue']);
      await backend.invalidateTags({ allOf: ['blue', 'c'.repeat(5000)] });
      expect(await valueOf(store, 'blue'), 'a long rule').to.equal(undefined);
    });

    it('refuses fills by a lost rule more widely, never less', async () => {
      const { store, backend } = open();
      const tokens = (await store.begin(['both', 'blue', 'red'])).map(({ token }) => token);
      await backend.invalidateTags({ allOf: ['blue', 'red'] });
      await client.del(`${prefix}:~tag:blue`);
      expect(await fill(store, tokens[0]!, 1, ['blue', 'red'])).to.equal('refused');
      expect(await fill(store, tokens[1]!, 1, ['blue'])).to.equal('refused');
      expect(await fill(store, tokens[2]!, 1, ['red'])).to.equal('stored');
      expect(await fill(store, await take(store, 'both'), 2, ['blue', 'red'])).to.equal('stored');
    });

    it('is told alike by readers with hints, by scripts, and by a model', async () => {
      const { backend, store } = open();
      const names = ['a', 'b', 'c', 'd'];
      const subset = fc.subarray(names, { minLength: 1 });
      const step = fc.oneof(
        fc.record({ type: fc.constant('set' as const), tags: subset }),
        fc.record({ type: fc.constant('anyOf' as const), tags: subset }),
        fc.record({ type: fc.constant('allOf' as const), tags: subset }),
      );
      let key = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
          const live = new Map<string, readonly string[]>();
          for (const { type, tags } of steps) {
            if (type === 'set') {
              await set(store, `k${++key}`, key, tags);
              live.set(`k${key}`, tags);
              continue;
            }
            await backend.invalidateTags(type === 'anyOf' ? { anyOf: tags } : { allOf: tags });
            for (const [name, carried] of live) {
              const isHit =
                type === 'anyOf'
                  ? tags.some((tag) => carried.includes(tag))
                  : tags.every((tag) => carried.includes(tag));
              if (isHit) live.delete(name);
            }
          }
          for (let index = 0; index < steps.length; index++) {
            const name = `k${key - index}`;
            const isLive = live.has(name);
            expect((await store.get(name, { tags: names })) !== undefined, name).to.equal(isLive);
            expect((await store.getMany([name]))[0] !== undefined, name).to.equal(isLive);
          }
          await store.clear();
        }),
        { numRuns: 60 },
      );
    });
  });

  describe('of the sequence', () => {
    /** What a server whose clock was an hour ahead has handed out. */
    const liveAnHourAhead = async (): Promise<number> => {
      const ahead = (Date.now() + HOUR_MS) * 1000;
      await client.set(`${prefix}:~seq`, String(ahead));
      return ahead;
    };

    it('leaves nothing live when it was lost and the clock was set back', async () => {
      const one = open();
      const other = one.backend.open({ name: 'other', version: '1' });
      for (const store of [one.store, other]) await take(store);
      await liveAnHourAhead();
      for (const store of [one.store, other]) {
        expect(await fill(store, await take(store), 'old', ['t'])).to.equal('stored');
      }
      const token = await take(one.store, 'filling');
      // As it stands where the tag was last invalidated long before the entry was stored.
      await client.set(`${prefix}:~tag:t`, '1');
      expect(await valueOf(one.store, 'k')).to.equal('old');
      await client.del(`${prefix}:~seq`);
      const two = open();
      await two.backend.invalidateTags({ anyOf: ['t'] });
      for (const store of [one.store, other]) {
        expect((await store.get('k', { tags: ['t'] }))?.value).to.equal(undefined);
      }
      expect(await fill(one.store, token, 'old', ['t'])).to.equal('refused');
      await set(one.store, 'k', 'new', ['t']);
      expect(await valueOf(two.store, 'k')).to.equal('new');
    });

    it('begins above what a process knows, when everything was lost', async () => {
      const { store, backend } = open();
      await take(store);
      const ahead = await liveAnHourAhead();
      await take(store);
      await client.del(...(await client.keys(`${prefix}:*`)));
      await backend.invalidateTags({ anyOf: ['t'] });
      expect(Number(await client.get(`${prefix}:~seq`))).to.be.above(ahead);
    });

    it('catches up with a marker of before, which refuses one fill and not all for ever', async () => {
      const { store, backend } = open();
      await take(store);
      const ahead = (Date.now() + HOUR_MS) * 1000;
      await client.set(`${prefix}:~tag:t`, String(ahead));
      expect(await fill(store, await take(store), 1, ['t'])).to.equal('refused');
      expect(await fill(store, await take(store), 2, ['t'])).to.equal('stored');
      expect(await valueOf(store, 'k')).to.equal(2);
      await client.set(`${prefix}:~tag:u`, `5 ${ahead * 2} 1 1:u`);
      const { token } = (await store.begin(['u'], { tags: ['u'] }))[0]!;
      expect(await fill(store, token, 3, ['u'])).to.equal('refused');
      await set(store, 'u', 4, ['u']);
      await client.set(`${prefix}:~tag:v`, String(ahead * 3));
      await backend.invalidateTags({ anyOf: ['v'] });
      expect(Number(await client.get(`${prefix}:~tag:v`))).to.be.above(ahead * 3);
    });
  });

  describe('of the caches', () => {
    const registry = (): string => `${prefix}:~caches`;

    /** Only a walk would find a cache that nobody has registered. */
    const expectNoWalk = async (backend: AttachedBackend['backend']): Promise<void> => {
      await client.set(`${prefix}:9:stray`, '1 1');
      await backend.clearAll();
      expect(await client.get(`${prefix}:9:stray`)).to.equal('1 1');
    };

    it('is complete from the first number on, and clearing all then walks over nothing', async () => {
      const { store, backend } = open();
      await set(store, 'k', 1);
      expect(await client.smembers(registry())).to.have.members(['~complete', `${prefix}:1:users`]);
      await expectNoWalk(backend);
      expect(await valueOf(store, 'k')).to.equal(undefined);
    });

    it('has one member for each cache and version, whatever they hold and however often they are used', async () => {
      for (let round = 0; round < 5; round++) {
        const { store, backend } = open();
        const second = backend.open({ name: 'users', version: '2' });
        for (const each of [store, second]) {
          await set(each, `k${round}`, 1, [`t${round}`]);
          await each.clear();
          await each.deletePattern(compilePattern('k*'));
          expect(await fill(each, await take(each), round, [`u${round}`])).to.equal('stored');
        }
        await backend.invalidateTags({ anyOf: [`t${round}`] });
        await backend.clearAll();
      }
      expect(await client.smembers(registry())).to.have.members([
        '~complete',
        `${prefix}:1:users`,
        `${prefix}:2:users`,
      ]);
    });

    it('misses no cache when it was lost, and is complete again behind that', async () => {
      const idle = open();
      const gone = idle.backend.open({ name: 'gone', version: '7' });
      await set(gone, 'k', 'old');
      await closeAll([idle.backend]);
      const foreign = [`${prefix}x:1:users`, `${prefix}:1:users:1 2`, `${prefix}:~other:1`];
      for (const key of foreign) await client.set(key, '1 1');
      await client.del(registry());
      const { backend } = open();
      const same = backend.open({ name: 'gone', version: '7' });
      const { backend: clearing } = open();
      await clearing.clearAll();
      expect(await valueOf(same, 'k')).to.equal(undefined);
      for (const key of foreign) expect(await client.get(key), key).to.equal('1 1');
      expect(await client.sismember(registry(), '~complete')).to.equal(1);
      await expectNoWalk(clearing);
    });
  });
});

describe('invalidations when memory is full', () => {
  let server: RedisServer;
  let client: Redis;
  let attached: AttachedBackend;

  before(async () => {
    server = await RedisServer.start({ args: ['--maxmemory-policy', 'noeviction'] });
    client = server.client();
  });

  beforeEach(async () => {
    await client.config('SET', 'maxmemory', '0');
    await client.flushall();
    attached = attachedBackend({ url: server.url, commandTimeout: '5s' });
    await attached.backend.open({ name: 'other', version: '1' }).begin(['k']);
    await set(attached.store, 'k', 'old', ['blue', 'red']);
    await set(attached.store, 'k2', 'kept', ['blue']);
  });

  afterEach(() => closeAll([attached.backend]));

  after(async () => {
    client.disconnect();
    await server.stop();
  });

  const fillMemory = async (): Promise<void> => {
    await client.config('SET', 'maxmemory', '1');
    const refusal = await client.set('x', 'y').catch((error: Error) => error.message);
    expect(refusal).to.match(/^OOM/);
  };

  const INVALIDATIONS: Readonly<Record<string, (each: AttachedBackend) => unknown>> = {
    'a delete': ({ store }) => store.delete(['k']),
    'a delete by pattern': ({ store }) => store.deletePattern(compilePattern('k')),
    'a clear': ({ store }) => store.clear(),
    'a clear of all caches': ({ backend }) => backend.clearAll(),
    'an invalidation of a tag': ({ backend }) => backend.invalidateTags({ anyOf: ['red'] }),
    'an invalidation of all tags': ({ backend }) =>
      backend.invalidateTags({ allOf: ['blue', 'red'] }),
  };

  for (const [name, invalidate] of Object.entries(INVALIDATIONS)) {
    it(`take ${name}, before and behind a fill`, async () => {
      const token = await take(attached.store);
      await fillMemory();
      await invalidate(attached);
      expect(await valueOf(attached.store, 'k')).to.equal(undefined);
      await client.config('SET', 'maxmemory', '0');
      expect(await fill(attached.store, token, 'old', ['blue', 'red'])).to.equal('refused');
    });
  }

  for (const tags of [[], ['blue'], ['never seen']]) {
    it(`leave nothing under a key whose set or put has no room, with the tags [${tags}]`, async () => {
      const { store } = attached;
      const token = await take(store, 'k2');
      await fillMemory();
      const [outcome] = await store.store([writeOf('k', 'new', { kind: 'set' }, { tags })]);
      expect(outcome).to.be.instanceOf(CacheBackendError);
      expect(await valueOf(store, 'k')).to.equal(undefined);
      const put = writeOf('k2', 'new', { kind: 'put', token }, { tags });
      expect((await store.store([put]))[0]).to.be.instanceOf(CacheBackendError);
      expect(await valueOf(store, 'k2')).to.equal(undefined);
    });
  }
});

describe('invalidations that wait for replicas', () => {
  let master: RedisServer;
  let replica: RedisServer;

  before(async () => {
    master = await RedisServer.start({ args: ['--repl-diskless-sync-delay', '0'] });
    replica = await RedisServer.start({ replicaOf: master.port });
    const client = replica.client();
    while (!(await client.info('replication')).includes('master_link_status:up')) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    client.disconnect();
  });

  after(async () => {
    await replica.stop();
    await master.stop();
  });

  const CALLS: Readonly<Record<string, (each: AttachedBackend) => unknown>> = {
    delete: ({ store }) => store.delete(['k']),
    deletePattern: ({ store }) => store.deletePattern(compilePattern('k')),
    clear: ({ store }) => store.clear(),
    clearAll: ({ backend }) => backend.clearAll(),
    invalidateTags: ({ backend }) => backend.invalidateTags({ anyOf: ['t'] }),
    store: ({ store }) => store.store([writeOf('k', 'newer')]),
  };

  it('succeed with as many as there are, and fail with more, done on the master all the same', async () => {
    const options = { url: master.url, commandTimeout: '5s' } as const;
    const one = attachedBackend({ ...options, wait: { replicas: 1, timeout: '2s' } });
    const two = attachedBackend({ ...options, wait: { replicas: 2, timeout: '20ms' } });
    try {
      for (const [name, call] of Object.entries(CALLS)) {
        await set(one.store, 'k', 'old', ['t']);
        await call(one);
        expect(await valueOf(one.store, 'k'), name).to.not.equal('old');
        await set(one.store, 'k', 'old', ['t']);
        const failure = await Promise.resolve(call(two)).then(
          () => undefined,
          (error: unknown) => error,
        );
        expect(failure, name).to.be.instanceOf(CacheBackendError);
        expect((failure as Error).message).to.include('only 1 of 2 replicas');
        expect(await valueOf(one.store, 'k'), name).to.not.equal('old');
      }
    } finally {
      await closeAll([one.backend, two.backend]);
    }
  });
});
