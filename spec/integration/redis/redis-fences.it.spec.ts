import { expect } from 'chai';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import type { BackendStore, FillToken } from '#internal/cache/backend.js';
import { compilePattern } from '#internal/cache/key-pattern.js';
import {
  attachedBackend,
  closeAll,
  valueOf,
  writeOf,
  type AttachedBackend,
} from '../../support/redis-backend-fixture.js';
import { RedisRemote } from '../../support/redis-remote.js';
import { RedisServer } from '../../support/redis-server.js';

const TAG = 'user:1';

/** Every way to make what is under `k` void, as done by another connection. */
const INVALIDATIONS: Readonly<Record<string, (other: AttachedBackend) => Promise<unknown>>> = {
  'a delete of the key': async ({ store }) => store.delete(['k']),
  'a delete of many keys': async ({ store }) => store.delete(['a', 'k', 'z']),
  'a delete by pattern': async ({ store }) => store.deletePattern(compilePattern('k*')),
  'a clear': async ({ store }) => store.clear(),
  'a clear of all caches': async ({ backend }) => backend.clearAll(),
  'an invalidation of its tag': async ({ backend }) => backend.invalidateTags({ anyOf: [TAG] }),
  'a set of the key': async ({ store }) => store.store([writeOf('k', 'newer')]),
  'a put of the key': async ({ store }) => {
    const token = await take(store);
    return store.store([writeOf('k', 'newer', { kind: 'put', token })]);
  },
};

/** Every way to begin the storing of an older value. */
const FILLS: Readonly<Record<string, (store: BackendStore) => Promise<FillToken>>> = {
  'a miss load': take,
  'a miss load that expects its tag': async (store) => {
    return (await store.begin(['k'], { tags: [TAG] }))[0]!.token;
  },
  'a refresh of a live entry': async (store) => {
    await store.store([writeOf('k', 'live', { kind: 'set' }, { tags: [TAG] })]);
    return take(store);
  },
  'a bulk load': async (store) => (await store.begin(['j', 'k', 'l']))[1]!.token,
};

async function take(store: BackendStore): Promise<FillToken> {
  return (await store.begin(['k']))[0]!.token;
}

describe('fences in Redis', () => {
  let server: RedisServer;
  let ours: AttachedBackend;
  let theirs: AttachedBackend;
  let number = 0;

  before(async () => {
    server = await RedisServer.start();
  });

  after(() => server.stop());

  beforeEach(async () => {
    const options = { url: server.url, prefix: `fences${++number}`, commandTimeout: '5s' } as const;
    ours = attachedBackend(options);
    theirs = attachedBackend(options);
    // So that no first set has to learn the generation.
    await Promise.all([take(ours.store), take(theirs.store)]);
    await ours.store.delete(['k']);
  });

  afterEach(() => closeAll([ours.backend, theirs.backend]));

  for (const [fill, begin] of Object.entries(FILLS)) {
    for (const [invalidation, invalidate] of Object.entries(INVALIDATIONS)) {
      it(`refuse ${fill} that began before ${invalidation}`, async () => {
        const token = await begin(ours.store);
        await invalidate(theirs);
        const write = writeOf('k', 'old', { kind: 'fill', token }, { tags: [TAG] });
        expect(await ours.store.store([write])).to.deep.equal(['refused']);
        expect(await valueOf(theirs.store, 'k')).to.not.equal('old');
      });

      it(`leave nothing of ${fill} that was stored before ${invalidation}`, async () => {
        const token = await begin(ours.store);
        const write = writeOf('k', 'old', { kind: 'fill', token }, { tags: [TAG] });
        expect(await ours.store.store([write])).to.deep.equal(['stored']);
        await invalidate(theirs);
        expect(await valueOf(ours.store, 'k')).to.not.equal('old');
        expect((await ours.store.get('k', { tags: [TAG] }))?.value).to.not.equal('old');
        expect((await ours.store.getMany(['k']))[0]?.value).to.not.equal('old');
      });
    }
  }

  for (const [invalidation, invalidate] of Object.entries(INVALIDATIONS)) {
    it(`void the key of a put that began before ${invalidation}`, async () => {
      const token = await take(ours.store);
      await invalidate(theirs);
      const write = writeOf('k', 'put', { kind: 'put', token }, { tags: [TAG] });
      expect(await ours.store.store([write])).to.deep.equal(['refused']);
      expect(await valueOf(theirs.store, 'k')).to.equal(undefined);
    });

    it(`void the key of a put that learned its key after ${invalidation}`, async () => {
      const token = await ours.store.watch();
      await invalidate(theirs);
      const write = writeOf('k', 'put', { kind: 'put', token }, { tags: [TAG] });
      expect(await ours.store.store([write])).to.deep.equal(['refused']);
      expect(await valueOf(theirs.store, 'k')).to.equal(undefined);
    });
  }

  it('hold a fill in while other keys, tags and patterns are invalidated', async () => {
    const token = await take(ours.store);
    await theirs.store.delete(['other']);
    await theirs.store.deletePattern(compilePattern('other*'));
    await theirs.backend.invalidateTags({ anyOf: ['other'] });
    const write = writeOf('k', 'v', { kind: 'fill', token }, { tags: [TAG, 'new'] });
    expect(await ours.store.store([write])).to.deep.equal(['stored']);
    expect(await valueOf(theirs.store, 'k')).to.equal('v');
  });

  it('let all loads of a key store that share its token, and a refresh outlive its entry', async () => {
    const short = { expiresAt: Date.now() + 20, retainedUntil: Date.now() + 20 };
    await ours.store.store([writeOf('k', 'short', { kind: 'set' }, short)]);
    const first = await take(ours.store);
    const second = await take(theirs.store);
    await waitUntil(async () => (await ours.store.get('k')) === undefined);
    expect(await ours.store.store([writeOf('k', 1, { kind: 'fill', token: first })])).to.deep.equal(
      ['stored'],
    );
    expect(
      await theirs.store.store([writeOf('k', 2, { kind: 'fill', token: second })]),
    ).to.deep.equal(['stored']);
    expect(await valueOf(ours.store, 'k')).to.equal(2);
  });

  it('leave no key behind once a load has stored or given its token back', async () => {
    const client = server.client();
    try {
      const stored = await take(ours.store);
      await ours.store.store([writeOf('k', 1, { kind: 'fill', token: stored })]);
      ours.store.release([(await ours.store.begin(['gone']))[0]!.token]);
      // The answer to a later command says that the earlier one was executed.
      await ours.backend.ping();
      expect(await client.keys(`fences${number}:*%~`)).to.deep.equal([]);
    } finally {
      client.disconnect();
    }
  });

  it('refuse what an evicted fence, generation, marker or log cannot vouch for', async () => {
    const client = server.client();
    try {
      const fills: [string, string[]][] = [
        ['the fence', [`fences${number}:1:users:k%~`]],
        ['the generation', [`fences${number}:1:users`]],
        ['marker and log', [`fences${number}:~tag:${TAG}`, `fences${number}:~tags`]],
      ];
      for (const [lost, keys] of fills) {
        const token = await take(ours.store);
        await theirs.backend.invalidateTags({ anyOf: ['unrelated'] });
        await client.del(...keys);
        const write = writeOf('k', 'old', { kind: 'fill', token }, { tags: [TAG] });
        expect(await ours.store.store([write]), lost).to.deep.equal(['refused']);
      }
      await ours.store.store([writeOf('k', 'v', { kind: 'set' }, { tags: [TAG] })]);
      await client.del(`fences${number}:~tag:${TAG}`);
      expect(await valueOf(ours.store, 'k'), 'an entry without its marker').to.equal(undefined);
    } finally {
      client.disconnect();
    }
  });

  it('survive a lost sequence', async () => {
    const client = server.client();
    try {
      await ours.store.store([writeOf('k', 'old', { kind: 'set' }, { tags: [TAG] })]);
      await client.del(`fences${number}:~seq`);
      await theirs.backend.invalidateTags({ anyOf: [TAG] });
      expect(await valueOf(ours.store, 'k')).to.equal(undefined);
      const [outcome] = await ours.store.store([
        writeOf('k', 'new', { kind: 'set' }, { tags: [TAG] }),
      ]);
      expect(outcome).to.equal('stored');
      expect(await valueOf(theirs.store, 'k')).to.equal('new');
    } finally {
      client.disconnect();
    }
  });

  it('do not let a repeated set undo what was issued after it', async () => {
    await theirs.store.clear();
    // The first attempt learns that the generation has moved; before the second the key is deleted.
    const setting = ours.store.store([writeOf('k', 'old')]);
    const deleting = ours.store.delete(['k']);
    expect(await setting).to.deep.equal(['refused']);
    await deleting;
    expect(await valueOf(ours.store, 'k')).to.equal(undefined);
  });

  describe('over two processes', () => {
    let remote: RedisRemote;

    beforeEach(() => {
      remote = new RedisRemote(server.url);
    });

    afterEach(() => remote.close());

    it('refuse what the other process invalidated, and store what it did not', async () => {
      const [here] = [attachedBackend({ url: server.url, commandTimeout: '5s' })];
      try {
        for (const request of [
          { action: 'delete', key: 'k' },
          { action: 'clear' },
          { action: 'tags', tags: [TAG] },
          { action: 'set', key: 'k', value: 'newer' },
        ] as const) {
          const token = await take(here.store);
          await remote.perform(request);
          const write = writeOf('k', 'old', { kind: 'fill', token }, { tags: [TAG] });
          expect(await here.store.store([write]), request.action).to.deep.equal(['refused']);
        }
        for (const invalidate of Object.values(INVALIDATIONS)) {
          await remote.perform({ action: 'begin', key: 'k' });
          await invalidate(here);
          const fill = { action: 'fill', key: 'k', value: 'old', tags: [TAG] } as const;
          expect(await remote.perform(fill)).to.equal('refused');
        }
        await here.store.delete(['k']);
        await remote.perform({ action: 'begin', key: 'k' });
        expect(await remote.perform({ action: 'fill', key: 'k', value: 'new' })).to.equal('stored');
        expect(await valueOf(here.store, 'k')).to.equal('new');
      } finally {
        await closeAll([here.backend]);
      }
    });
  });
});

/** Asks until it is so; for what only the server's clock brings about. */
async function waitUntil(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve));
}
