import assert from 'node:assert/strict';
import { backendCase, type BackendCase } from './backend-case.js';
import { startsWith } from './backend-session.js';

const numbered = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}:${String(index).padStart(4, '0')}`);

/** Walks over keys, page by page. */
export const scanCases: readonly BackendCase[] = [
  backendCase(
    'lists nothing in an empty cache',
    async (session) => {
      const page = await session.open().scan({ count: 10 });
      assert.deepEqual(page.keys, []);
      assert.deepEqual(await session.keys(session.open()), []);
    },
    'scanning',
  ),
  backendCase(
    'lists every key of the cache, and no other',
    async (session) => {
      const store = session.open('users', '1');
      const keys = numbered('user', 137);
      await session.setAll(store, keys);
      await session.setAll(session.open('users', '2'), ['user:other version']);
      await session.setAll(session.open('orders', '1'), ['user:other cache']);
      for (const count of [1, 10, 137, 1_000]) {
        assert.deepEqual(await session.keys(store, undefined, count), keys);
      }
    },
    'scanning',
  ),
  backendCase(
    'outlines keys as reads tell of them, large or not, if it outlines any',
    async (session) => {
      const store = session.open();
      if (store.outlines === undefined) return;
      const now = session.clock.now();
      const times = { createdAt: now, expiresAt: now + 60_000, retainedUntil: now + 90_000 };
      await session.set(store, 'large', 'x'.repeat(100_000), times);
      await session.set(store, 'small', 'x', times);
      await session.set(store, 'endless', 'x');
      await session.set(store, 'gone', 'x');
      await store.delete(['gone']);
      const keys = ['small', 'gone', 'large', 'endless', 'never'];
      const [small, gone, large, endless, never] = await store.outlines(keys);
      assert.deepEqual([gone, never], [undefined, undefined]);
      assert.equal(endless?.expiresAt, Infinity);
      for (const [key, outline, least, most] of [
        ['small', small, 1, 100],
        ['large', large, 100_000, 101_000],
      ] as const) {
        assert.ok(outline !== undefined, `there is an outline of '${key}'`);
        const { expiresAt } = await session.get(store, key);
        assert.ok(Math.abs(outline.expiresAt - expiresAt) < 1_000, `when '${key}' goes stale`);
        const size = outline.sizeBytes ?? String(outline.value).length;
        assert.ok(size >= least && size <= most, `the size of '${key}' is ${size}`);
      }
      assert.deepEqual(await store.outlines([]), []);
    },
    'scanning',
  ),
  backendCase(
    'lists the keys that match',
    async (session) => {
      const store = session.open();
      const wanted = numbered('user', 40);
      await session.setAll(store, [...wanted, ...numbered('order', 40), 'a*b', 'aXb']);
      assert.deepEqual(await session.keys(store, startsWith('user:')), wanted);
      assert.deepEqual(await session.keys(store, startsWith('a*', 'a\\**')), ['a*b']);
      assert.deepEqual(await session.keys(store, startsWith('nobody')), []);
    },
    'scanning',
  ),
  backendCase(
    'gives keys as they were stored',
    async (session) => {
      const store = session.open();
      const keys = ['a*b', 'a b', 'a:b', 'a\\b', '{a}', 'a%3Ab', 'à🎉'].sort();
      await session.setAll(store, keys);
      assert.deepEqual(await session.keys(store), keys);
    },
    'scanning',
  ),
  backendCase(
    'lists live keys only',
    async (session) => {
      const store = session.open();
      await session.setAll(store, ['deleted', 'there']);
      await session.set(store, 'void', 1, { tags: ['blue'] });
      await store.delete(['deleted']);
      await session.backend.invalidateTags({ anyOf: ['blue'] });
      assert.deepEqual(await session.keys(store), ['there']);
      await store.clear();
      assert.deepEqual(await session.keys(store), []);
    },
    'scanning',
  ),
  backendCase(
    'lists every key that is there all the time, while others come and go',
    async (session) => {
      const store = session.open();
      const stable = numbered('stable', 100);
      const passing = numbered('passing', 100);
      await session.setAll(store, [...passing.slice(0, 50), ...stable, ...passing.slice(50)]);
      const seen = new Set<string>();
      let cursor: string | undefined;
      let pages = 0;
      do {
        const page = await store.scan({ cursor, count: 10 });
        for (const key of page.keys) seen.add(key);
        cursor = page.cursor;
        await session.set(store, stable[(pages * 37) % 100]!, 'written again');
        await store.delete(passing.slice(pages, pages + 2));
        await session.set(store, `later:${pages}`, 1);
        pages += 1;
        assert.ok(pages < 10_000, 'the walk ends');
      } while (cursor !== '0');
      assert.deepEqual(
        stable.filter((key) => !seen.has(key)),
        [],
      );
    },
    'scanning',
  ),
  backendCase(
    'lets several walks go on side by side',
    async (session) => {
      const store = session.open();
      const keys = numbered('user', 60);
      await session.setAll(store, keys);
      const walks = await Promise.all(
        Array.from({ length: 12 }, (_, index) => session.keys(store, undefined, index + 1)),
      );
      for (const walk of walks) assert.deepEqual(walk, keys);
    },
    'scanning',
  ),
];
