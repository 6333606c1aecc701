import { expect } from 'chai';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import type { Cluster } from 'ioredis';
import type {
  BackendStore,
  FillStart,
  FillToken,
  LoadTurn,
  StoreOutcome,
} from '#internal/cache/backend.js';
import { compilePattern } from '#internal/cache/key-pattern.js';
import { bucketKey, bucketOf, BUCKETS } from '#internal/backends/redis/cluster-keys.js';
import { RedisBackend } from '#internal/backends/redis/redis-backend.js';
import { MOST_RULES } from '#internal/backends/redis/redis-tag-lua.js';
import { CacheBackendError, InvalidOptionError } from '#internal/errors.js';
import {
  attachedBackend,
  backendContext,
  closeAll,
  valueOf,
  writeOf,
  type AttachedBackend,
} from '../../support/redis-backend-fixture.js';
import { startRedisCluster, type RedisClusterServers } from '../../support/redis-cluster.js';

const TAG = 'user:1';
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

/** Every way to make what is under `k` void, as done by another process. */
const INVALIDATIONS: Readonly<Record<string, (other: AttachedBackend) => unknown>> = {
  'a delete of the key': ({ store }) => store.delete(['k']),
  'a delete of many keys': ({ store }) => store.delete(['a', 'k', 'z']),
  'a delete by pattern': ({ store }) => store.deletePattern(compilePattern('k*')),
  'a clear': ({ store }) => store.clear(),
  'a clear of all caches': ({ backend }) => backend.clearAll(),
  'an invalidation of its tag': ({ backend }) => backend.invalidateTags({ anyOf: [TAG] }),
  'an invalidation of both tags': ({ backend }) => backend.invalidateTags({ allOf: [TAG, 'z'] }),
  'a set of the key': ({ store }) => set(store, 'k', 'newer'),
  'a put of the key': async ({ store }) => {
    const token = await take(store);
    return store.store([writeOf('k', 'newer', { kind: 'put', token })]);
  },
};

/** Every way to begin the storing of an older value. */
const FILLS: Readonly<Record<string, (store: BackendStore) => Promise<FillToken>>> = {
  'a miss load': (store) => take(store),
  'a miss load that expects its tag': async (store) => {
    return (await store.begin(['k'], { tags: [TAG] }))[0]!.token;
  },
  'a refresh of a live entry': async (store) => {
    await set(store, 'k', 'live', [TAG, 'z']);
    return take(store);
  },
  'a bulk load': async (store) => (await store.begin(['j', 'k', 'l']))[1]!.token,
};

describe('RedisBackend on a Cluster', () => {
  let servers: RedisClusterServers;
  let client: Cluster;
  let number = 0;
  let prefix: string;
  let ours: AttachedBackend;
  let theirs: AttachedBackend;
  const opened: AttachedBackend[] = [];
  const open = (): AttachedBackend => {
    const attached = attachedBackend({ client, prefix, commandTimeout: '5s' });
    opened.push(attached);
    return attached;
  };
  const keysOf = async (pattern: string): Promise<string[]> =>
    (await Promise.all(client.nodes('master').map(async (node) => node.keys(pattern)))).flat();

  before(async function () {
    this.timeout(60_000);
    servers = await startRedisCluster();
    client = servers.client();
  });

  after(async () => {
    client.disconnect();
    await servers.stop();
  });

  beforeEach(() => {
    prefix = `cluster${++number}`;
    ours = open();
    theirs = open();
  });

  afterEach(() => closeAll(opened.splice(0).map(({ backend }) => backend)));

  describe('fences', () => {
    for (const [fillName, begin] of Object.entries(FILLS)) {
      for (const [name, invalidate] of Object.entries(INVALIDATIONS)) {
        it(`serve nobody ${fillName} that began before ${name}`, async () => {
          const token = await begin(ours.store);
          await invalidate(theirs);
          expect(await fill(ours.store, token, 'old', [TAG, 'z'])).to.equal('refused');
          expect(await valueOf(theirs.store, 'k')).to.not.equal('old');
        });

        it(`leave nothing of ${fillName} that was stored before ${name}`, async () => {
          const token = await begin(ours.store);
          expect(await fill(ours.store, token, 'old', [TAG, 'z'])).to.equal('stored');
          await invalidate(theirs);
          expect(await valueOf(ours.store, 'k')).to.not.equal('old');
          expect((await ours.store.get('k', { tags: [TAG, 'z'] }))?.value).to.not.equal('old');
          expect((await ours.store.getMany(['k', 'j']))[0]?.value).to.not.equal('old');
        });
      }
    }

    for (const [name, invalidate] of Object.entries(INVALIDATIONS)) {
      it(`void the key of a put that learned its key after ${name}`, async () => {
        const token = await ours.store.watch();
        await invalidate(theirs);
        const write = writeOf('k', 'put', { kind: 'put', token }, { tags: [TAG, 'z'] });
        expect(await ours.store.store([write])).to.deep.equal(['refused']);
        expect(await valueOf(theirs.store, 'k')).to.equal(undefined);
      });
    }

    it('leave no key behind once loads have stored or given their tokens back', async () => {
      const keys = Array.from({ length: 20 }, (_, index) => `k${index}`);
      const tokens = (await ours.store.begin([...keys, ...keys])).map(({ token }) => token);
      const others = (await theirs.store.begin(keys)).map(({ token }) => token);
      for (const token of tokens.slice(20)) await fill(ours.store, token, 1);
      ours.store.release(tokens.slice(0, 20));
      theirs.store.release(others);
      await until(async () => (await keysOf(`{${prefix}:*%~`)).length === 0);
    });

    it('end a lease when its key is deleted, and leave one of before a clear to who comes next', async () => {
      const turn = async ({ store }: AttachedBackend): Promise<FillStart | LoadTurn> =>
        (await store.beginTurns!(['k']))[0]!;
      for (const [name, invalidate] of [
        ['delete', () => ours.store.delete(['k'])],
        ['clear', () => theirs.store.clear()],
      ] as const) {
        const doomed = (await turn(ours)) as FillStart;
        const waiting = (await turn(theirs)) as LoadTurn;
        expect(waiting, name).to.have.property('whenOver');
        await invalidate();
        if (name === 'delete') await waiting.whenOver;
        const start = (await turn(theirs)) as FillStart;
        expect(start, name).to.have.property('token');
        expect(await fill(ours.store, doomed.token, 'old', [])).to.equal('refused');
        expect(await fill(theirs.store, start.token, 'new', [])).to.equal('stored');
        expect(await valueOf(ours.store, 'k')).to.equal('new');
        await theirs.store.delete(['k']);
      }
    });

    it('hold a fill in while other keys, tags and patterns are invalidated', async () => {
      const token = await take(ours.store);
      await theirs.store.delete(['other']);
      await theirs.store.deletePattern(compilePattern('other*'));
      await theirs.backend.invalidateTags({ anyOf: ['other'] });
      await theirs.backend.invalidateTags({ allOf: [TAG, 'other'] });
      expect(await fill(ours.store, token, 'v', [TAG, 'new'])).to.equal('stored');
      expect(await valueOf(theirs.store, 'k')).to.equal('v');
    });

    it('refuse what an evicted fence, generation, marker or log cannot vouch for', async () => {
      const bucket = bucketKey(`${prefix}:1:users`, bucketOf('k'));
      const marker = `${prefix}:~tag:${TAG}`;
      const log = `{${prefix}:~}:tags`;
      for (const keys of [[`${bucket}:k%~`], [bucket], [marker, log]]) {
        const token = await take(ours.store);
        await theirs.backend.invalidateTags({ anyOf: ['unrelated'] });
        for (const key of keys) await client.del(key);
        // What begins now opens a new log, which does not reach back.
        await take(theirs.store, 'another');
        if (keys.length === 2) await theirs.backend.invalidateTags({ anyOf: ['unrelated'] });
        if (keys.length === 2) await client.del(log);
        expect(await fill(ours.store, token, 'old', [TAG]), keys[0]).to.equal('refused');
      }
      await set(ours.store, 'k', 'v', [TAG]);
      await client.del(marker);
      expect(await valueOf(ours.store, 'k'), 'an entry without its marker').to.equal(undefined);
    });

    it('survive many clears, patterns, fills and invalidations at once', async () => {
      const backends = [ours, theirs, open()];
      for (let round = 0; round < 20; round++) {
        await Promise.all(
          backends.map(async ({ store, backend }, index) => {
            const filling = take(store, `k${index}`).then(async (token) =>
              fill(store, token, round, [TAG, 'z']),
            );
            const others = [
              store.clear(),
              store.deletePattern(compilePattern('k*')),
              backend.invalidateTags({ anyOf: [TAG] }),
              backend.invalidateTags({ allOf: [TAG, 'z'] }),
            ];
            await Promise.all([filling, ...others.map(async (other) => other)]);
          }),
        );
        await ours.backend.invalidateTags({ anyOf: [TAG] });
        for (let index = 0; index < 3; index++) {
          expect(await valueOf(theirs.store, `k${index}`)).to.equal(undefined);
        }
        await set(ours.store, 'k', round, [TAG, 'z']);
        expect(await valueOf(theirs.store, 'k')).to.equal(round);
      }
    });
  });

  describe('the making of a marker', () => {
    const marker = (): string => `${prefix}:~tag:${TAG}`;

    /** Stops the client in front of the first script that asks the log, or that confirms a claim. */
    const stopBefore = (sign: string): { reached: Promise<void>; goOn: () => void } => {
      const original = client.callBuffer.bind(client);
      let goOn!: () => void;
      let reach!: () => void;
      const reached = new Promise<void>((resolve) => (reach = resolve));
      const gate = new Promise<void>((resolve) => (goOn = resolve));
      client.callBuffer = ((command: string, ...args: unknown[]) => {
        if (!args.some((arg) => typeof arg === 'string' && arg.startsWith(sign))) {
          return original(command as never, ...(args as never[]));
        }
        client.callBuffer = original as never;
        reach();
        return gate.then(() => original(command as never, ...(args as never[])));
      }) as never;
      return { reached, goOn };
    };

    for (const evicted of [false, true]) {
      const suffix = evicted ? ', and the marker evicted' : '';
      it(`is given up when the tag is invalidated between the log and the claim${suffix}`, async () => {
        const token = await take(ours.store);
        await set(theirs.store, 'older', 1, [TAG]);
        await client.del(marker());
        const { reached, goOn } = stopBefore('?');
        const filling = fill(ours.store, token, 'old', [TAG]);
        await reached;
        goOn();
        // The claim itself carries the mark, too: the next command with it is the confirmation.
        const confirming = stopBefore('?');
        await confirming.reached;
        await theirs.backend.invalidateTags({ anyOf: [TAG] });
        if (evicted) await client.del(marker());
        confirming.goOn();
        expect(await filling).to.equal('refused');
        expect(await valueOf(theirs.store, 'k')).to.equal(undefined);
        expect(await valueOf(theirs.store, 'older')).to.equal(undefined);
      });
    }

    it('may be shared by two fills', async () => {
      const tokens = await Promise.all([take(ours.store, 'a'), take(theirs.store, 'b')]);
      const outcomes = await Promise.all([
        fill(ours.store, tokens[0], 1, [TAG]),
        fill(theirs.store, tokens[1], 2, [TAG]),
      ]);
      expect(outcomes).to.deep.equal(['stored', 'stored']);
      expect(await valueOf(ours.store, 'a')).to.equal(1);
      expect(await valueOf(ours.store, 'b')).to.equal(2);
    });

    it('is no marker before it is done', async () => {
      await set(ours.store, 'k', 'v', [TAG]);
      await client.set(marker(), '?123');
      expect(await valueOf(theirs.store, 'k')).to.equal(undefined);
      expect(await fill(ours.store, await take(ours.store), 'new', [TAG])).to.equal('stored');
      expect(await valueOf(theirs.store, 'k')).to.equal('new');
    });
  });

  describe('the sequence', () => {
    it('clears all caches before an invalidation counts, when it was lost and clocks were set back', async () => {
      await take(ours.store);
      const ahead = (Date.now() + HOUR_MS) * 1000;
      await client.set(`{${prefix}:~}:seq`, String(ahead));
      const other = ours.backend.open({ name: 'other', version: '1' });
      for (const store of [ours.store, other]) {
        await fill(store, await take(store), 'old', [TAG]);
        expect(await valueOf(store, 'k')).to.equal('old');
      }
      const token = await take(ours.store, 'filling');
      await client.set(`${prefix}:~tag:${TAG}`, '1');
      await client.del(`{${prefix}:~}:seq`);
      const fresh = open();
      await fresh.backend.invalidateTags({ anyOf: [TAG] });
      for (const store of [ours.store, other]) {
        expect((await store.get('k', { tags: [TAG] }))?.value).to.equal(undefined);
      }
      expect(await fill(ours.store, token, 'old', [TAG])).to.equal('refused');
      expect(await client.exists(`{${prefix}:~}:lost`)).to.equal(0);
      await set(ours.store, 'k', 'new', [TAG]);
      expect(await valueOf(fresh.store, 'k')).to.equal('new');
    });

    it('catches up with a marker of before, which refuses one fill and not all for ever', async () => {
      const ahead = (Date.now() + HOUR_MS) * 1000;
      await client.set(`${prefix}:~tag:${TAG}`, String(ahead));
      expect(await fill(ours.store, await take(ours.store), 1, [TAG])).to.equal('refused');
      expect(await fill(ours.store, await take(ours.store), 2, [TAG])).to.equal('stored');
      expect(await valueOf(theirs.store, 'k')).to.equal(2);
    });

    it('is lifted by a clear, and by a pattern, over what a bucket has seen already', async () => {
      const bucket = bucketKey(`${prefix}:1:users`, bucketOf('k'));
      const invalidations = ['a clear', 'a delete by pattern'];
      for (const [index, name] of invalidations.entries()) {
        const ahead = (Date.now() + (index + 1) * HOUR_MS) * 1000;
        await take(theirs.store);
        await client.set(bucket, `${ahead} ${ahead}`);
        const token = await take(ours.store);
        await INVALIDATIONS[name]!(open());
        expect(await fill(ours.store, token, 'old'), name).to.equal('refused');
        expect(Number((await client.get(bucket))!.split(' ')[1]), name).to.be.above(ahead);
      }
    });

    it('finds caches that a lost registry has forgotten', async () => {
      const gone = ours.backend.open({ name: 'gone', version: '7' });
      await set(gone, 'k', 'old');
      const foreign = `{${prefix}x:1:users:0}`;
      await client.set(foreign, '1 1');
      await client.del(`{${prefix}:~}:caches`);
      const clearing = open();
      await clearing.backend.clearAll();
      expect(await valueOf(gone, 'k')).to.equal(undefined);
      expect(await client.get(foreign)).to.equal('1 1');
      expect(await client.smembers(`{${prefix}:~}:caches`)).to.include('~complete');
    });
  });

  describe('the bookkeeping', () => {
    /** As many as a log keeps. */
    const MOST = 10_000;
    const names = Array.from({ length: MOST + 1 }, (_, index) => `n${index}`);

    it('is bounded for tags, and what it has dropped refuses older fills and no newer ones', async () => {
      const { store, backend } = ours;
      const log = `{${prefix}:~}:tags`;
      const [older, untagged] = (await store.begin(['older', 'untagged'])).map(
        ({ token }) => token,
      );
      await backend.invalidateTags({ anyOf: ['first'] });
      for (let at = 0; at < names.length; at += 500) {
        await backend.invalidateTags({ anyOf: names.slice(at, at + 500) });
      }
      expect(await client.zcard(log)).to.be.within(MOST / 2 - 1000, MOST);
      expect(await client.zscore(log, '=first'), 'the first tag').to.equal(null);
      expect(await fill(store, older!, 'old', ['first'])).to.equal('refused');
      expect(await fill(store, untagged!, 'new')).to.equal('stored');
      const tags = ['first', names[0]!, names[MOST]!];
      expect(await fill(store, await take(store, 'newer'), 'new', tags)).to.equal('stored');
      expect(await valueOf(theirs.store, 'newer')).to.equal('new');
    });

    it('is bounded for the patterns of a bucket, and refuses what began before', async () => {
      const { store } = ours;
      const [older, other] = (await store.begin(['first', 'other'])).map(({ token }) => token);
      await store.deletePattern(compilePattern('fir*'));
      const log = (await keysOf(`*${prefix}:*%~globs`)).find((each) =>
        each.startsWith(`{${prefix}:1:users:${bucketOf('first')}}`),
      )!;
      const last = (await client.zrange(log, -1, -1, 'WITHSCORES'))[1]!;
      // As ten thousand more would have left it.
      await client.zadd(log, ...names.slice(2).flatMap((name) => [last, `=${name}*`]));
      await store.deletePattern(compilePattern('one more*'));
      await store.deletePattern(compilePattern('and more*'));
      expect(await client.zcard(log)).to.be.within(MOST / 2 - 1, MOST);
      expect(await fill(store, older!, 'old')).to.equal('refused');
      const isSameBucket = bucketOf('other') === bucketOf('first');
      expect(await fill(store, other!, 'new')).to.equal(isSameBucket ? 'refused' : 'stored');
      expect(await fill(store, await take(store, 'first'), 'new')).to.equal('stored');
      expect(await valueOf(theirs.store, 'first')).to.equal('new');
    });

    it('keeps as many rules of a tag as there may be, and with one more hits all its entries', async () => {
      const { store, backend } = ours;
      const marker = `${prefix}:~tag:blue`;
      await set(store, 'blue', 1, ['blue']);
      for (let index = 0; index < MOST_RULES; index++) {
        await backend.invalidateTags({ allOf: ['blue', `c${index}`] });
        await backend.invalidateTags({ allOf: ['blue', 'c0'] });
      }
      expect(await valueOf(theirs.store, 'blue'), 'as many as there may be').to.equal(1);
      const late = (await store.begin(['late'], { tags: ['blue'] }))[0]!.token;
      await backend.invalidateTags({ allOf: ['blue', 'one more'] });
      expect(await valueOf(theirs.store, 'blue'), 'one more').to.equal(undefined);
      expect(await client.get(marker)).to.match(/^\d+$/);
      expect(await fill(store, late, 'old', ['blue']), 'a fill of before').to.equal('refused');
      await set(store, 'blue', 2, ['blue']);
      expect(await valueOf(theirs.store, 'blue')).to.equal(2);
    });
  });

  describe('commands', () => {
    /** How often all masters executed each command that a client sent. */
    const sentDuring = async (work: () => unknown): Promise<number> => {
      const masters = client.nodes('master');
      await Promise.all(masters.map(async (node) => node.config('RESETSTAT')));
      await work();
      const texts = await Promise.all(masters.map(async (node) => node.info('commandstats')));
      return texts
        .flatMap((text) => [...text.matchAll(/^cmdstat_(mget|get|evalsha|eval):calls=(\d+)/gm)])
        .filter(([, name]) => name !== 'get')
        .reduce((sum, [, , calls]) => sum + Number(calls), 0);
    };

    it('are one for a hit, three per bucket at most for a clear, and do not count entries', async () => {
      const keys = Array.from({ length: 2000 }, (_, index) => `k${index}`);
      await ours.store.store(
        keys.map((key) => writeOf(key, key, { kind: 'set' }, { tags: [TAG] })),
      );
      await set(ours.store, 'plain', 1);
      expect(await sentDuring(() => ours.store.get('plain'))).to.equal(1);
      expect(await sentDuring(() => ours.store.get('k1', { tags: [TAG] }))).to.equal(1);
      expect(await sentDuring(() => ours.backend.invalidateTags({ anyOf: [TAG] }))).to.be.at.most(
        2,
      );
      expect(await sentDuring(() => ours.store.clear())).to.be.at.most(BUCKETS + 1);
      expect(await valueOf(ours.store, 'plain')).to.equal(undefined);
    });
  });

  describe('when memory is full', () => {
    const setMemory = async (bytes: string): Promise<unknown> =>
      Promise.all(
        client.nodes('master').map(async (node) => {
          await node.config('SET', 'maxmemory-policy', 'noeviction');
          return node.config('SET', 'maxmemory', bytes);
        }),
      );

    afterEach(() => setMemory('0'));

    for (const name of Object.keys(INVALIDATIONS).filter((each) => !/ set | put /.test(each))) {
      it(`${name} is done, before and behind a fill`, async () => {
        await set(ours.store, 'k', 'old', [TAG, 'z']);
        const token = await take(ours.store);
        await setMemory('1');
        await INVALIDATIONS[name]!(theirs);
        expect(await valueOf(theirs.store, 'k')).to.equal(undefined);
        await setMemory('0');
        expect(await fill(ours.store, token, 'old', [TAG, 'z'])).to.equal('refused');
      });
    }

    for (const tags of [[], [TAG], ['never seen']]) {
      it(`a set and a put that have no room leave nothing, with the tags [${tags}]`, async () => {
        for (const key of ['k', 'j']) await set(ours.store, key, 'old', [TAG]);
        const token = await take(ours.store, 'j');
        await setMemory('1');
        const writes = [
          writeOf('k', 'new', { kind: 'set' }, { tags }),
          writeOf('j', 'new', { kind: 'put', token }, { tags }),
        ];
        for (const outcome of await ours.store.store(writes)) {
          expect(outcome).to.be.instanceOf(CacheBackendError);
        }
        for (const key of ['k', 'j']) {
          expect(await valueOf(theirs.store, key)).to.equal(undefined);
        }
      });
    }
  });

  it('frees what a clear has left behind, and touches nobody else', async () => {
    const forever = { expiresAt: Infinity, retainedUntil: Infinity };
    const foreign = [`other:1:users:k`, `{${prefix}:1:usersx:0}:k`, `{${prefix}x:1:users:0}:k`];
    for (const key of foreign) await client.set(key, 'theirs');
    const keys = Array.from({ length: 300 }, (_, index) => `k${index}`);
    await ours.store.store(keys.map((key) => writeOf(key, key, { kind: 'set' }, forever)));
    await ours.store.clear();
    await ours.store.store([writeOf('live', 1, { kind: 'set' }, forever)]);
    while ((await keysOf(`{${prefix}:1:users:?}:*`)).length > 1) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(await valueOf(ours.store, 'live')).to.equal(1);
    for (const key of foreign) expect(await client.get(key), key).to.equal('theirs');
  });

  it('begins a walk again on a master that is gone', async () => {
    const keys = Array.from({ length: 50 }, (_, index) => `k${index}`);
    await ours.store.store(keys.map((key) => writeOf(key, key)));
    const found = new Set<string>();
    let cursor: string | undefined = '17-127.0.0.1:1';
    do {
      const page = await ours.store.scan({ cursor, count: 10 });
      for (const key of page.keys) found.add(key);
      cursor = page.cursor;
    } while (cursor !== '0');
    expect(found.size).to.equal(50);
  });

  it('refuses a prefix with braces', () => {
    const backend = new RedisBackend({ client, prefix: 'a{b}' });
    expect(() => backend.attach(backendContext()))
      .to.throw(InvalidOptionError)
      .with.property('option', 'RedisBackend.prefix');
  });

  it('fails an invalidation that too few replicas confirm', async () => {
    const waiting = attachedBackend({
      client,
      prefix,
      commandTimeout: '5s',
      wait: { replicas: 1, timeout: '20ms' },
    });
    await set(ours.store, 'k', 1);
    const failure = await Promise.resolve(waiting.store.clear()).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).to.be.instanceOf(CacheBackendError);
    expect(await valueOf(ours.store, 'k')).to.equal(undefined);
    await closeAll([waiting.backend]);
  });
});

describe('a fail-over in a Cluster', () => {
  it('is survived, and what was invalidated before it stays void', async function () {
    this.timeout(90_000);
    const servers = await startRedisCluster({ replicas: 1, nodeTimeoutMs: 1000 });
    const attached = attachedBackend({
      cluster: { nodes: servers.nodes },
      commandTimeout: '1s',
      wait: { replicas: 1, timeout: '500ms' },
    });
    const { store, backend } = attached;
    try {
      const keys = Array.from({ length: 60 }, (_, index) => `k${index}`);
      await until(async () => {
        const outcomes = await store.store(
          keys.map((key) => writeOf(key, 'old', { kind: 'set' }, { tags: [TAG] })),
        );
        return outcomes.every((outcome) => outcome === 'stored');
      });
      const tokens = (await store.begin(keys)).map(({ token }) => token);
      await backend.invalidateTags({ anyOf: [TAG] });
      await servers.masters[0]!.stop();
      await until(async () => {
        const entries = await store.getMany(keys);
        expect(entries.every((entry) => entry === undefined)).to.equal(true);
        return true;
      });
      await until(async () => {
        const outcomes = await store.store(
          tokens.map((token) =>
            writeOf(token.key, 'old', { kind: 'fill', token }, { tags: [TAG] }),
          ),
        );
        expect(outcomes.filter((outcome) => outcome === 'stored')).to.deep.equal([]);
        return outcomes.every((outcome) => outcome === 'refused');
      });
      await until(async () => {
        const renewed = (await store.begin(keys)).map(({ token }) => token);
        const outcomes = await store.store(
          renewed.map((token) =>
            writeOf(token.key, 'new', { kind: 'fill', token }, { tags: [TAG] }),
          ),
        );
        return outcomes.every((outcome) => outcome === 'stored');
      });
      await until(async () => {
        const entries = await store.getMany(keys);
        return entries.every((entry) => entry?.value === 'new');
      });
    } finally {
      await closeAll([backend]);
      await servers.stop();
    }
  });
});

/** Asks until it is so, however often the answer is a failure meanwhile; assertions count. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  const limit = performance.now() + 30_000;
  for (;;) {
    try {
      if (await isSo()) return;
    } catch (error) {
      if (!(error instanceof CacheBackendError) || performance.now() > limit) throw error;
    }
    expect(performance.now()).to.be.below(limit);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
