import assert from 'node:assert/strict';
import type { BackendStore } from '../cache/backend.js';
import type { MaybePromise } from '../cache/maybe-promise.js';
import { backendCase, type BackendCase, type BackendNeed } from './backend-case.js';
import { startsWith, type BackendSession } from './backend-session.js';

/** The key that every invalidation below hits, and the tags of its entry. */
const KEY = 'user:1';
const TAGS = ['blue', 'red'];

interface Invalidation {
  readonly name: string;
  readonly needs?: readonly BackendNeed[];
  /** What is under the key afterwards. */
  readonly leaves?: string;
  readonly apply: (session: BackendSession, store: BackendStore) => MaybePromise<unknown>;
}

const INVALIDATIONS: readonly Invalidation[] = [
  { name: 'a delete of the key', apply: (_, store) => store.delete([KEY]) },
  { name: 'a delete of many keys', apply: (_, store) => store.delete(['a', KEY, 'b']) },
  {
    name: 'a delete by pattern',
    needs: ['scanning'],
    apply: (_, store) => store.deletePattern(startsWith('user:')),
  },
  { name: 'a clear of the cache', apply: (_, store) => store.clear() },
  { name: 'a clear of all caches', apply: ({ backend }) => backend.clearAll() },
  {
    name: 'an invalidation of one of its tags',
    apply: ({ backend }) => backend.invalidateTags({ anyOf: ['red'] }),
  },
  {
    name: 'an invalidation of any of several tags',
    apply: ({ backend }) => backend.invalidateTags({ anyOf: ['green', 'blue', 'yellow'] }),
  },
  {
    name: 'an invalidation of all of its tags',
    needs: ['allOf'],
    apply: ({ backend }) => backend.invalidateTags({ allOf: ['red', 'blue'] }),
  },
  {
    name: 'a set of the key',
    leaves: 'newer',
    apply: (session, store) => session.set(store, KEY, 'newer', { tags: TAGS }),
  },
  {
    name: 'a put of the key by another',
    needs: ['conditional stores'],
    leaves: 'newer',
    apply: async (session, store) => {
      const token = await session.begin(store, KEY);
      assert.equal(await session.put(store, KEY, token, 'newer', { tags: TAGS }), 'stored');
    },
  },
];

/**
 * Every kind of invalidation against every kind of store: what began before is refused, what begins afterwards is
 * stored.
 */
export const invalidationCases: readonly BackendCase[] = INVALIDATIONS.flatMap(casesOf);

function casesOf({ name, needs = [], leaves, apply }: Invalidation): BackendCase[] {
  const tags = TAGS;
  const cases = [
    backendCase(
      `refuses a fill that began before ${name}`,
      async (session) => {
        const store = session.open();
        const token = await session.begin(store, KEY);
        await apply(session, store);
        assert.equal(await session.fill(store, token, 'old', { tags }), 'refused');
        await session.expect(store, KEY, leaves);
      },
      'conditional stores',
      ...needs,
    ),
    backendCase(
      `refuses a fill that began, with its tags known, before ${name}`,
      async (session) => {
        const store = session.open();
        const token = await session.begin(store, KEY, { tags });
        await apply(session, store);
        assert.equal(await session.fill(store, token, 'old', { tags }), 'refused');
        await session.expect(store, KEY, leaves);
      },
      'conditional stores',
      ...needs,
    ),
    backendCase(
      `refuses a refresh that began before ${name}`,
      async (session) => {
        const store = session.open();
        await session.set(store, KEY, 'first', { tags });
        const { token, entry } = await session.start(store, KEY);
        assert.equal(entry?.value, 'first');
        await apply(session, store);
        assert.equal(await session.fill(store, token, 'old', { tags }), 'refused');
        await session.expect(store, KEY, leaves);
      },
      'conditional stores',
      ...needs,
    ),
    backendCase(
      `refuses a put that began before ${name}, and voids the key`,
      async (session) => {
        const store = session.open();
        const token = await session.begin(store, KEY);
        await apply(session, store);
        assert.equal(await session.put(store, KEY, token, 'old', { tags }), 'refused');
        await session.expectAbsent(store, KEY);
      },
      'conditional stores',
      ...needs,
    ),
    backendCase(
      `refuses a put whose key was not known before ${name}, and voids the key`,
      async (session) => {
        const store = session.open();
        const token = await store.watch();
        await apply(session, store);
        assert.equal(await session.put(store, KEY, token, 'old', { tags }), 'refused');
        await session.expectAbsent(store, KEY);
      },
      'conditional stores',
      ...needs,
    ),
    backendCase(
      `stores a fill, a put and a set that began after ${name}`,
      async (session) => {
        const store = session.open();
        await session.set(store, KEY, 'first', { tags });
        await apply(session, store);
        const loading = await session.begin(store, KEY);
        assert.equal(await session.fill(store, loading, 'filled', { tags }), 'stored');
        await session.expect(store, KEY, 'filled');
        const putting = await session.begin(store, KEY);
        assert.equal(await session.put(store, KEY, putting, 'put', { tags }), 'stored');
        await session.expect(store, KEY, 'put');
        await session.set(store, KEY, 'set', { tags });
        await session.expect(store, KEY, 'set');
      },
      ...needs,
    ),
  ];
  if (leaves !== undefined) return cases;
  return [
    ...cases,
    backendCase(
      `serves nobody an entry stored before ${name}`,
      async (session) => {
        const store = session.open();
        await session.set(store, KEY, 'old', { tags });
        await apply(session, store);
        await session.expectAbsent(store, KEY);
        assert.deepEqual(await store.getMany([KEY], { tags }), [undefined]);
        assert.equal((await session.start(store, KEY)).entry, undefined);
        assert.equal(await store.expire(KEY, 60_000, 60_000), false);
        assert.equal(await store.delete([KEY]), 0);
      },
      ...needs,
    ),
  ];
}
