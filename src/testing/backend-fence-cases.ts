import assert from 'node:assert/strict';
import type { EntryWrite } from '../cache/backend.js';
import { backendCase, type BackendCase } from './backend-case.js';
import { startsWith } from './backend-session.js';

/** Tokens: who may store, and who may not. What invalidates them is in `backend-invalidation-cases.ts`. */
export const fenceCases: readonly BackendCase[] = [
  backendCase('stores a fill whose token holds', async (session) => {
    const store = session.open();
    const { token, entry } = await session.start(store, 'k');
    assert.equal(entry, undefined);
    assert.equal(token.key, 'k');
    assert.equal(await session.fill(store, token, 'loaded'), 'stored');
    await session.expect(store, 'k', 'loaded');
  }),
  backendCase('stamps an entry with the sequence of its token', async (session) => {
    const store = session.open();
    await session.backend.invalidateTags({ anyOf: ['blue'] });
    const token = await session.begin(store, 'k');
    assert.equal(await session.fill(store, token, 'loaded'), 'stored');
    assert.equal((await session.get(store, 'k')).sequence, token.sequence);
  }),
  backendCase('gives the entry that has appeared meanwhile, with the token', async (session) => {
    const store = session.open();
    await session.set(store, 'there', 'value');
    const starts = await store.begin(['missing', 'there']);
    assert.deepEqual(
      starts.map(({ token }) => token.key),
      ['missing', 'there'],
    );
    assert.deepEqual(
      starts.map(({ entry }) => entry?.value),
      [undefined, 'value'],
    );
    assert.equal(await session.fill(store, starts[1]!.token, 'refreshed'), 'stored');
    await session.expect(store, 'there', 'refreshed');
  }),
  backendCase('lets all loaders of one key store, the last one last', async (session) => {
    const store = session.open();
    const first = await session.begin(store, 'k');
    const second = await session.begin(store, 'k');
    assert.equal(await session.fill(store, second, 'second'), 'stored');
    await session.expect(store, 'k', 'second');
    assert.equal(await session.fill(store, first, 'first'), 'stored');
    await session.expect(store, 'k', 'first');
  }),
  backendCase(
    'proves by the claim of a later token that an earlier one holds, and only then',
    async (session) => {
      const { backend } = session;
      const store = session.open();
      const voids: readonly (() => unknown)[] = [
        () => store.delete(['k']),
        () => store.clear(),
        () => backend.invalidateTags({ anyOf: ['blue'] }),
        () => backend.clearAll(),
        () => session.set(store, 'k', 'set'),
        ...(backend.capabilities.canScan ? [() => store.deletePattern(startsWith('k'))] : []),
      ];
      for (const [index, makeVoid] of voids.entries()) {
        const earlier = await session.begin(store, 'k');
        if (earlier.claim === undefined) return;
        const between = await session.begin(store, 'k');
        assert.equal(between.claim, earlier.claim);
        assert.equal(between.sequence, earlier.sequence);
        await makeVoid();
        const later = await session.begin(store, 'k');
        const isProved = later.claim === earlier.claim && later.sequence === earlier.sequence;
        assert.equal(isProved, false, `after invalidation ${index}`);
      }
    },
    'conditional stores',
  ),
  backendCase('gives tokens to 100 loaders at once', async (session) => {
    const store = session.open();
    const starts = await Promise.all(Array.from({ length: 100 }, () => session.start(store, 'k')));
    assert.ok(starts.every(({ token, entry }) => token.key === 'k' && entry === undefined));
    const tokens = starts.map(({ token }) => token);
    const outcomes = await Promise.all(
      tokens.map((token, index) => session.fill(store, token, index)),
    );
    assert.deepEqual(new Set(outcomes), new Set(['stored']));
    assert.equal(typeof (await session.get(store, 'k')).value, 'number');
  }),
  backendCase(
    'refuses all 100 loaders when the key was deleted meanwhile',
    async (session) => {
      const store = session.open();
      const starts = await Promise.all(
        Array.from({ length: 100 }, () => session.start(store, 'k')),
      );
      await store.delete(['k']);
      const outcomes = await Promise.all(
        starts.map(({ token }) => session.fill(store, token, 'old')),
      );
      assert.deepEqual(new Set(outcomes), new Set(['refused']));
      await session.expectAbsent(store, 'k');
    },
    'conditional stores',
  ),
  backendCase(
    'refuses a fill whose token was given back',
    async (session) => {
      const store = session.open();
      const token = await session.begin(store, 'k');
      store.release([token]);
      assert.equal(await session.fill(store, token, 'late'), 'refused');
      await session.expectAbsent(store, 'k');
    },
    'conditional stores',
    'release',
  ),
  backendCase('begins anew after a token was given back', async (session) => {
    const store = session.open();
    store.release([await session.begin(store, 'k')]);
    const token = await session.begin(store, 'k');
    assert.equal(await session.fill(store, token, 'loaded'), 'stored');
    await session.expect(store, 'k', 'loaded');
  }),
  backendCase('takes tokens back twice, after a store, and after a delete', async (session) => {
    const store = session.open();
    const starts = await store.begin(['a', 'b', 'c']);
    const [first, second, third] = starts.map(({ token }) => token);
    store.release([first!]);
    store.release([first!]);
    assert.equal(await session.fill(store, second!, 'loaded'), 'stored');
    await store.delete(['c']);
    store.release([first!, second!, third!, await store.watch()]);
    await session.expect(store, 'b', 'loaded');
  }),
  backendCase(
    'refuses a fill with the token of another key, cache or version',
    async (session) => {
      const store = session.open('users', '1');
      const entry = session.entry('stray');
      const others = [
        await session.begin(session.open('users', '2'), 'k'),
        await session.begin(session.open('orders', '1'), 'k'),
      ];
      for (const token of others) {
        const write: EntryWrite = { key: 'k', entry, fence: { kind: 'fill', token } };
        assert.deepEqual(await store.store([write]), ['refused']);
      }
      await session.expectAbsent(store, 'k');
    },
    'conditional stores',
  ),
  backendCase('stores a put whose token holds', async (session) => {
    const store = session.open();
    await session.set(store, 'k', 'old');
    const token = await session.begin(store, 'k');
    assert.equal(await session.put(store, 'k', token, 'new'), 'stored');
    await session.expect(store, 'k', 'new');
  }),
  backendCase(
    'voids the key when two puts overlap',
    async (session) => {
      const store = session.open();
      const first = await session.begin(store, 'k');
      const second = await session.begin(store, 'k');
      assert.equal(await session.put(store, 'k', first, 'first'), 'stored');
      assert.equal(await session.put(store, 'k', second, 'second'), 'refused');
      await session.expectAbsent(store, 'k');
    },
    'conditional stores',
  ),
  backendCase('stores a put under the key that its result tells', async (session) => {
    const store = session.open();
    const token = await store.watch();
    await store.delete(['other']);
    await session.set(store, 'another', 1);
    assert.equal(await session.put(store, 'k', token, 'put'), 'stored');
    await session.expect(store, 'k', 'put');
  }),
  backendCase('does not mind fills when it puts what its result tells', async (session) => {
    const store = session.open();
    const token = await store.watch();
    assert.equal(await session.fill(store, await session.begin(store, 'k'), 'loaded'), 'stored');
    assert.equal(await session.put(store, 'k', token, 'put'), 'stored');
    await session.expect(store, 'k', 'put');
  }),
  backendCase(
    'leaves the tokens of other keys alone',
    async (session) => {
      const store = session.open();
      await session.set(store, 'gone', 1);
      const token = await session.begin(store, 'k');
      await store.delete(['gone', 'other']);
      await session.set(store, 'other', 1);
      await session.put(store, 'put', await session.begin(store, 'put'), 1);
      if (session.backend.capabilities.canScan) await store.deletePattern(startsWith('oth'));
      assert.equal(await session.fill(store, token, 'loaded'), 'stored');
    },
    'conditional stores',
  ),
  backendCase('leaves the tokens of other caches alone', async (session) => {
    const store = session.open('users', '1');
    const token = await session.begin(store, 'k');
    for (const other of [session.open('users', '2'), session.open('orders', '1')]) {
      await session.set(other, 'k', 1);
      await other.delete(['k']);
      await other.clear();
    }
    assert.equal(await session.fill(store, token, 'loaded'), 'stored');
    await session.expect(store, 'k', 'loaded');
  }),
  backendCase(
    'answers writes in their order, each by its own fence',
    async (session) => {
      const store = session.open();
      const [held, lost] = (await store.begin(['held', 'lost'])).map(({ token }) => token);
      await store.delete(['lost']);
      const outcomes = await store.store([
        { key: 'lost', entry: session.entry(1), fence: { kind: 'fill', token: lost! } },
        { key: 'held', entry: session.entry(2), fence: { kind: 'fill', token: held! } },
        { key: 'set', entry: session.entry(3), fence: { kind: 'set' } },
      ]);
      assert.deepEqual(outcomes, ['refused', 'stored', 'stored']);
      await session.expectAbsent(store, 'lost');
      await session.expect(store, 'held', 2);
      await session.expect(store, 'set', 3);
    },
    'conditional stores',
  ),
  backendCase(
    'never serves what began before the last delete, however calls interleave',
    async (session) => {
      const store = session.open();
      for (let round = 0; round < 20; round++) {
        const before = await session.begin(store, 'k');
        const [, deleted] = await Promise.all([
          session.fill(store, before, `old ${round}`),
          store.delete(['k']),
        ]);
        assert.ok(deleted === 0 || deleted === 1);
        await session.expectAbsent(store, 'k');
      }
    },
    'conditional stores',
  ),
];
