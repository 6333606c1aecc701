import assert from 'node:assert/strict';
import { backendCase, type BackendCase } from './backend-case.js';
import { startsWith } from './backend-session.js';

/** Key texts that stores with a syntax of their own might misread. */
const ODD_KEYS: readonly string[] = [
  'a*b',
  'a?b',
  'a[b]',
  'a[^b]',
  'a\\b',
  'a\\*b',
  'aXb',
  'a:b',
  'a::b',
  '{a}b',
  'a b',
  'a%20b',
  'a\nb',
  'a\u0000b',
  'à🎉',
  'a,b',
  '__proto__',
  'constructor',
  'x'.repeat(1_000),
];

/** Keys and caches never collide, and deletes hit what they name. */
export const keyCases: readonly BackendCase[] = [
  backendCase('keeps apart keys with any characters', async (session) => {
    const store = session.open();
    await session.setAll(store, ODD_KEYS);
    for (const key of ODD_KEYS) await session.expect(store, key, `value of ${key}`);
    for (const [index, key] of ODD_KEYS.entries()) {
      assert.equal(await store.delete([key]), 1, `live entries under '${key}'`);
      await session.expectAbsent(store, key);
      const rest = ODD_KEYS.slice(index + 1);
      const values = (await store.getMany(rest)).map((entry) => entry?.value);
      assert.deepEqual(
        values,
        rest.map((other) => `value of ${other}`),
      );
    }
  }),
  backendCase('counts live entries when deleting', async (session) => {
    const store = session.open();
    await session.setAll(store, ['a', 'b', 'c']);
    assert.equal(await store.delete(['a', 'missing', 'b']), 2);
    assert.equal(await store.delete(['a', 'b', 'c', 'c']), 1);
    assert.equal(await store.delete(['c']), 0);
  }),
  backendCase('does not count what a tag has made void', async (session) => {
    const store = session.open();
    await session.setAll(store, ['a', 'b'], { tags: ['blue'] });
    await session.set(store, 'c', 1);
    await session.backend.invalidateTags({ anyOf: ['blue'] });
    assert.equal(await store.delete(['a', 'b', 'c']), 1);
  }),
  backendCase(
    'deletes by pattern, and counts live entries',
    async (session) => {
      const store = session.open();
      await session.setAll(store, ['user:1', 'user:2', 'user', 'order:1']);
      await session.set(store, 'user:3', 1, { tags: ['blue'] });
      await session.backend.invalidateTags({ anyOf: ['blue'] });
      assert.equal(await store.deletePattern(startsWith('user:')), 2);
      assert.equal(await store.deletePattern(startsWith('user:')), 0);
      await session.expectAbsent(store, 'user:1', 'user:2', 'user:3');
      await session.expect(store, 'user', 'value of user');
      await session.expect(store, 'order:1', 'value of order:1');
    },
    'scanning',
  ),
  backendCase(
    'takes escaped glob characters as they are',
    async (session) => {
      const store = session.open();
      await session.setAll(store, ['a*b1', 'a*b2', 'aXb1', 'ab']);
      assert.equal(await store.deletePattern(startsWith('a*b', 'a\\*b*')), 2);
      await session.expect(store, 'aXb1', 'value of aXb1');
      await session.expect(store, 'ab', 'value of ab');
    },
    'scanning',
  ),
  backendCase('gives the same entries for the same space', async (session) => {
    await session.set(session.open('users', '1'), 'k', 'v');
    await session.expect(session.open('users', '1'), 'k', 'v');
  }),
  backendCase('keeps caches and versions apart', async (session) => {
    const spaces = [
      ['users', '1'],
      ['users', '2'],
      ['orders', '1'],
      ['users:1', ''],
      ['users', ''],
      ['users*', '1'],
      ['{users}', '1'],
    ] as const;
    const stores = spaces.map(([name, version]) => session.open(name, version));
    for (const [index, store] of stores.entries()) await session.set(store, 'k', index);
    for (const [index, store] of stores.entries()) await session.expect(store, 'k', index);
    assert.equal(await stores[0]!.delete(['k']), 1);
    await session.expectAbsent(stores[0]!, 'k');
    for (const [index, store] of stores.entries()) {
      if (index > 0) await session.expect(store, 'k', index);
    }
  }),
  backendCase('does not mistake a part of the name for a part of the key', async (session) => {
    const short = session.open('a', '1');
    const long = session.open('a:b', '1');
    await session.set(short, 'b:c', 'short');
    await session.set(long, 'c', 'long');
    await session.expect(short, 'b:c', 'short');
    await session.expect(long, 'c', 'long');
    await session.expectAbsent(short, 'c');
    await session.expectAbsent(long, 'b:c');
  }),
  backendCase('clears one cache, in one version', async (session) => {
    const cleared = session.open('users', '1');
    const others = [
      session.open('users', '2'),
      session.open('orders', '1'),
      session.open('users:1'),
    ];
    for (const store of [cleared, ...others]) await session.setAll(store, ['a', 'b']);
    await cleared.clear();
    await session.expectAbsent(cleared, 'a', 'b');
    for (const store of others) await session.expect(store, 'a', 'value of a');
    await session.set(cleared, 'a', 'again');
    await session.expect(cleared, 'a', 'again');
    await session.expectAbsent(cleared, 'b');
  }),
  backendCase('clears all caches', async (session) => {
    const stores = [session.open('users', '1'), session.open('users', '2'), session.open('orders')];
    for (const store of stores) await session.setAll(store, ['a', 'b']);
    await session.backend.clearAll();
    for (const store of stores) await session.expectAbsent(store, 'a', 'b');
    await session.set(stores[0]!, 'a', 'again');
    await session.expect(stores[0]!, 'a', 'again');
  }),
  backendCase('clears what is empty, again and again', async (session) => {
    const store = session.open();
    await store.clear();
    await store.clear();
    await session.backend.clearAll();
    await session.set(store, 'k', 'v');
    await session.expect(store, 'k', 'v');
  }),
];
