import assert from 'node:assert/strict';
import { backendCase, type BackendCase } from './backend-case.js';

const ODD_TAGS: readonly string[] = ['a b', 'a:b', '{a}', 'a*', 'à🎉', 'a,b', '__proto__', 'a\\b'];

/** Which entries an invalidation by tag hits, and which it does not. */
export const tagCases: readonly BackendCase[] = [
  backendCase('hits the entries of every cache and version that carry the tag', async (session) => {
    const stores = [session.open('users', '1'), session.open('users', '2'), session.open('orders')];
    for (const store of stores) {
      await session.set(store, 'tagged', 1, { tags: ['blue', 'red'] });
      await session.set(store, 'other', 2, { tags: ['green'] });
      await session.set(store, 'plain', 3);
    }
    await session.backend.invalidateTags({ anyOf: ['red'] });
    for (const store of stores) {
      await session.expectAbsent(store, 'tagged');
      await session.expect(store, 'other', 2);
      await session.expect(store, 'plain', 3);
    }
  }),
  backendCase('hits an entry by each of its tags', async (session) => {
    const store = session.open();
    for (const tag of ['blue', 'green', 'red']) {
      await session.set(store, 'k', tag, { tags: ['blue', 'green', 'red'] });
      await session.expect(store, 'k', tag);
      await session.backend.invalidateTags({ anyOf: [tag] });
      await session.expectAbsent(store, 'k');
    }
  }),
  backendCase('hits again what was stored after an earlier invalidation', async (session) => {
    const store = session.open();
    for (let round = 0; round < 5; round++) {
      await session.set(store, 'k', round, { tags: ['blue'] });
      await session.expect(store, 'k', round);
      await session.backend.invalidateTags({ anyOf: ['blue'] });
      await session.expectAbsent(store, 'k');
    }
  }),
  backendCase('keeps apart tags with any characters', async (session) => {
    const store = session.open();
    for (const tag of ODD_TAGS) await session.set(store, tag, tag, { tags: [tag] });
    for (const [index, tag] of ODD_TAGS.entries()) {
      await session.backend.invalidateTags({ anyOf: [tag] });
      await session.expectAbsent(store, tag);
      for (const other of ODD_TAGS.slice(index + 1)) await session.expect(store, other, other);
    }
  }),
  backendCase('takes tags that no entry carries, and no tags at all', async (session) => {
    const store = session.open();
    await session.set(store, 'k', 'v', { tags: ['blue'] });
    await session.backend.invalidateTags({ anyOf: ['never used'] });
    await session.backend.invalidateTags({ anyOf: [] });
    await session.expect(store, 'k', 'v');
  }),
  backendCase(
    'refuses a fill with a tag that was invalidated before any entry carried it',
    async (session) => {
      const store = session.open();
      const token = await session.begin(store, 'k');
      await session.backend.invalidateTags({ anyOf: ['new'] });
      assert.equal(await session.fill(store, token, 'old', { tags: ['new'] }), 'refused');
      await session.expectAbsent(store, 'k');
    },
    'conditional stores',
  ),
  backendCase(
    'does not refuse a fill for the sake of tags that it does not carry',
    async (session) => {
      const store = session.open();
      await session.set(store, 'other', 1, { tags: ['blue'] });
      const tokens = (await store.begin(['a', 'b'])).map(({ token }) => token);
      await session.backend.invalidateTags({ anyOf: ['blue'] });
      assert.equal(await session.fill(store, tokens[0]!, 'a', { tags: ['red'] }), 'stored');
      assert.equal(await session.fill(store, tokens[1]!, 'b'), 'stored');
      await session.expect(store, 'a', 'a');
      await session.expect(store, 'b', 'b');
    },
  ),
  backendCase(
    'refuses by a tag whose entries have all gone meanwhile',
    async (session) => {
      const store = session.open();
      await session.set(store, 'other', 1, { tags: ['blue'] });
      const token = await session.begin(store, 'k');
      await session.backend.invalidateTags({ anyOf: ['blue'] });
      await store.delete(['other']);
      assert.equal(await session.fill(store, token, 'old', { tags: ['blue'] }), 'refused');
    },
    'conditional stores',
  ),
  backendCase(
    // There, each member set the expiry of what a tag is kept in anew: a short-lived one shortened it for all.
    'cashews: a tag outlives its short-lived entries, as long as it has longer-lived ones',
    async (session) => {
      const store = session.open();
      const lasting = (ms: number): { expiresAt: number; retainedUntil: number } => {
        const end = session.clock.now() + ms;
        return { expiresAt: end, retainedUntil: end };
      };
      const tags = ['blue', 'red'];
      await session.set(store, 'long', 1, { ...lasting(600_000), tags });
      await session.set(store, 'shortened', 4, { ...lasting(600_000), tags });
      await store.expire('shortened', 2_000, 2_000);
      await session.set(store, 'short', 2, { ...lasting(2_000), tags });
      const token = await session.begin(store, 'filled');
      assert.equal(await session.fill(store, token, 3, { ...lasting(2_000), tags }), 'stored');
      await session.advance(30_000);
      await session.expectAbsent(store, 'short', 'filled', 'shortened');
      await session.expect(store, 'long', 1);
      await session.backend.invalidateTags({ anyOf: ['blue'] });
      await session.expectAbsent(store, 'long');
    },
    'time',
  ),
  backendCase(
    'hits by all of several tags only what carries them all',
    async (session) => {
      const store = session.open();
      await session.set(store, 'both', 1, { tags: ['blue', 'red'] });
      await session.set(store, 'more', 2, { tags: ['blue', 'green', 'red'] });
      await session.set(store, 'blue', 3, { tags: ['blue'] });
      await session.set(store, 'red', 4, { tags: ['red'] });
      await session.backend.invalidateTags({ allOf: ['blue', 'red'] });
      await session.expectAbsent(store, 'both', 'more');
      await session.expect(store, 'blue', 3);
      await session.expect(store, 'red', 4);
      await session.set(store, 'both', 5, { tags: ['blue', 'red'] });
      await session.expect(store, 'both', 5);
    },
    'allOf',
  ),
  backendCase(
    'takes a single tag, a doubled one, and none, for all of them',
    async (session) => {
      const store = session.open();
      await session.set(store, 'blue', 1, { tags: ['blue'] });
      await session.set(store, 'red', 2, { tags: ['red'] });
      await session.backend.invalidateTags({ allOf: [] });
      await session.expect(store, 'blue', 1);
      await session.backend.invalidateTags({ allOf: ['blue'] });
      await session.expectAbsent(store, 'blue');
      await session.expect(store, 'red', 2);
      await session.backend.invalidateTags({ allOf: ['red', 'red'] });
      await session.expectAbsent(store, 'red');
    },
    'allOf',
  ),
  backendCase(
    'refuses by all of several tags only the fills that carry them all',
    async (session) => {
      const store = session.open();
      const tokens = (await store.begin(['both', 'blue', 'none'])).map(({ token }) => token);
      await session.backend.invalidateTags({ allOf: ['blue', 'red'] });
      const both = await session.fill(store, tokens[0]!, 1, { tags: ['blue', 'red'] });
      assert.equal(both, 'refused');
      assert.equal(await session.fill(store, tokens[1]!, 2, { tags: ['blue'] }), 'stored');
      assert.equal(await session.fill(store, tokens[2]!, 3), 'stored');
    },
    'conditional stores',
    'allOf',
  ),
];
