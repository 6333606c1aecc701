import assert from 'node:assert/strict';
import { isCacheError } from '../errors.js';
import { backendCase, type BackendCase } from './backend-case.js';

/** Everything but `undefined` is a value. */
const VALUES: readonly (readonly [name: string, value: unknown])[] = [
  ['null', null],
  ['0', 0],
  ['an empty text', ''],
  ['false', false],
  ['an empty array', []],
  ['an empty object', {}],
  ['a negative fraction', -1.5],
  ['a text beyond ASCII', 'naïve 日本 🎉 \u0000'],
  ['nested data', { list: [1, [2, { three: null }]], text: 'x'.repeat(5_000) }],
];

/** What goes in comes out, with the record around it. */
export const valueCases: readonly BackendCase[] = [
  ...VALUES.map(([name, value]) =>
    backendCase(`keeps ${name}`, async (session) => {
      const store = session.open();
      await session.set(store, 'k', value);
      const entry = await session.get(store, 'k');
      assert.deepEqual(entry.value, value);
      assert.equal(entry.kind, 'value');
      assert.deepEqual((await store.getMany(['k']))[0]?.value, value);
      assert.deepEqual((await session.start(store, 'k')).entry?.value, value);
    }),
  ),
  backendCase('gives nothing for a key that was never stored', async (session) => {
    const store = session.open();
    assert.equal(await store.get('k'), undefined);
    assert.deepEqual(await store.getMany(['k', 'l']), [undefined, undefined]);
    assert.equal((await session.start(store, 'k')).entry, undefined);
  }),
  backendCase('gives the record back as it was stored', async (session) => {
    const store = session.open();
    const now = session.clock.now();
    await session.set(store, 'k', 'v', {
      tags: ['blue', 'red', 'zebra'],
      expiresAt: now + 60_000,
      retainedUntil: now + 120_000,
      loadCostMs: 12,
    });
    const entry = await session.get(store, 'k');
    assert.deepEqual(entry.tags, ['blue', 'red', 'zebra']);
    assert.equal(entry.loadCostMs, 12);
    assert.ok(entry.source === 'l1' || entry.source === 'l2');
    assert.ok(Number.isSafeInteger(entry.sequence) && entry.sequence >= 0);
    assertNear(entry.createdAt, now, 'createdAt');
    assertNear(entry.expiresAt, now + 60_000, 'expiresAt');
    assertNear(entry.retainedUntil, now + 120_000, 'retainedUntil');
  }),
  backendCase('keeps entries without expiry', async (session) => {
    const store = session.open();
    await session.set(store, 'k', 'v');
    const { expiresAt, retainedUntil } = await session.get(store, 'k');
    assert.equal(expiresAt, Infinity);
    assert.equal(retainedUntil, Infinity);
  }),
  backendCase('tells cached errors from values', async (session) => {
    const store = session.open();
    await session.set(store, 'k', new TypeError('no such user'), { kind: 'error' });
    const entry = await session.get(store, 'k');
    assert.equal(entry.kind, 'error');
    assert.ok(entry.value instanceof Error);
    assert.equal(entry.value.message, 'no such user');
  }),
  backendCase('replaces value, tags and times of a key that is stored again', async (session) => {
    const store = session.open();
    const expiresAt = session.clock.now() + 60_000;
    await session.set(store, 'k', 'old', { tags: ['old'], expiresAt, retainedUntil: expiresAt });
    await session.set(store, 'k', 'new', { tags: ['new'] });
    const entry = await session.get(store, 'k');
    assert.equal(entry.value, 'new');
    assert.deepEqual(entry.tags, ['new']);
    assert.equal(entry.expiresAt, Infinity);
    await session.backend.invalidateTags({ anyOf: ['old'] });
    await session.expect(store, 'k', 'new');
  }),
  backendCase('answers getMany in the order of the keys', async (session) => {
    const store = session.open();
    await session.setAll(store, ['a', 'b', 'c']);
    const entries = await store.getMany(['c', 'missing', 'a', 'c']);
    const values = entries.map((entry) => entry?.value);
    assert.deepEqual(values, ['value of c', undefined, 'value of a', 'value of c']);
  }),
  backendCase('reads the same with and without hints', async (session) => {
    const store = session.open();
    await session.set(store, 'k', 'v', { tags: ['blue'] });
    for (const tags of [[], ['blue'], ['other'], ['blue', 'other']]) {
      assert.equal((await store.get('k', { tags }))?.value, 'v');
      assert.equal((await store.getMany(['k'], { tags, needsTimes: true }))[0]?.value, 'v');
    }
  }),
  backendCase('takes empty lists', async (session) => {
    const store = session.open();
    assert.deepEqual(await store.getMany([]), []);
    assert.deepEqual(await store.begin([]), []);
    assert.deepEqual(await store.store([]), []);
    assert.equal(await store.delete([]), 0);
    store.release([]);
  }),
  backendCase('takes batches of 1,000 keys', async (session) => {
    const store = session.open();
    const keys = Array.from({ length: 1_000 }, (_, index) => `key:${index}`);
    await session.setAll(store, keys);
    const entries = await store.getMany(keys);
    assert.deepEqual(
      entries.map((entry) => entry?.value),
      keys.map((key) => `value of ${key}`),
    );
    const starts = await store.begin(keys);
    assert.deepEqual(
      starts.map(({ token }) => token.key),
      keys,
    );
    store.release(starts.map(({ token }) => token));
    assert.equal(await store.delete(keys), 1_000);
    assert.ok((await store.getMany(keys)).every((entry) => entry === undefined));
  }),
  backendCase(
    'answers a write that cannot become bytes with the error, and stores the others',
    async (session) => {
      const store = session.open();
      const values = ['first', () => 'no data', 'last'];
      const outcomes = await store.store(
        values.map((value, index) => {
          return { key: `k${index}`, entry: session.entry(value), fence: { kind: 'set' } as const };
        }),
      );
      assert.equal(outcomes[0], 'stored');
      assert.ok(isCacheError(outcomes[1], 'ERR_CACHE_SERIALIZATION'));
      assert.equal(outcomes[2], 'stored');
      await session.expect(store, 'k0', 'first');
      await session.expectAbsent(store, 'k1');
      await session.expect(store, 'k2', 'last');
    },
    'bytes',
  ),
];

/** Times are equal up to what a round trip and two clocks may cost. */
export function assertNear(actual: number, expected: number, what: string): void {
  const off = actual - expected;
  assert.ok(Math.abs(off) <= 1_000, `${what} is off by ${off} ms`);
}
