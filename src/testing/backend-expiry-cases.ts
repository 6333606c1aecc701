import assert from 'node:assert/strict';
import { backendCase, type BackendCase } from './backend-case.js';
import { startsWith, type BackendSession } from './backend-session.js';
import { assertNear } from './backend-value-cases.js';

const within = (session: BackendSession, ttlMs: number, retainMs: number = ttlMs) => {
  const now = session.clock.now();
  return { createdAt: now, expiresAt: now + ttlMs, retainedUntil: now + retainMs };
};

/** Two expiries: the logical one is only kept, the physical one makes an entry absent. */
export const expiryCases: readonly BackendCase[] = [
  backendCase('sets both expiries of a live entry', async (session) => {
    const store = session.open();
    await session.set(store, 'k', 'v', { tags: ['blue'], loadCostMs: 5 });
    assert.equal(await store.expire('k', 60_000, 90_000), true);
    const now = session.clock.now();
    const entry = await session.get(store, 'k');
    assertNear(entry.expiresAt, now + 60_000, 'expiresAt');
    assertNear(entry.retainedUntil, now + 90_000, 'retainedUntil');
    assert.equal(entry.value, 'v');
    assert.deepEqual(entry.tags, ['blue']);
    assert.equal(entry.loadCostMs, 5);
  }),
  backendCase('takes expiries away again', async (session) => {
    const store = session.open();
    await session.set(store, 'k', 'v', within(session, 60_000));
    assert.equal(await store.expire('k', Infinity, Infinity), true);
    const entry = await session.get(store, 'k');
    assert.equal(entry.expiresAt, Infinity);
    assert.equal(entry.retainedUntil, Infinity);
  }),
  backendCase('sets no expiry where there is no entry', async (session) => {
    const store = session.open();
    assert.equal(await store.expire('k', 60_000, 60_000), false);
    await session.set(store, 'k', 'v');
    await store.delete(['k']);
    assert.equal(await store.expire('k', 60_000, 60_000), false);
    await session.expectAbsent(store, 'k');
  }),
  backendCase('still hits by tag an entry whose expiry was set', async (session) => {
    const store = session.open();
    await session.set(store, 'k', 'v', { tags: ['blue'] });
    await store.expire('k', 60_000, 60_000);
    await session.backend.invalidateTags({ anyOf: ['blue'] });
    await session.expectAbsent(store, 'k');
  }),
  backendCase(
    'forgets an entry when it expires physically',
    async (session) => {
      const store = session.open();
      await session.set(store, 'k', 'v', within(session, 2_000));
      await session.set(store, 'other', 'v', within(session, 60_000));
      await session.expect(store, 'k', 'v');
      await session.advance(2_500);
      await session.expectAbsent(store, 'k');
      assert.deepEqual(await store.getMany(['k']), [undefined]);
      assert.equal((await session.start(store, 'k')).entry, undefined);
      assert.equal(await store.expire('k', 60_000, 60_000), false);
      await session.expect(store, 'other', 'v');
    },
    'time',
  ),
  backendCase(
    'keeps a stale entry until it expires physically',
    async (session) => {
      const store = session.open();
      await session.set(store, 'k', 'v', within(session, 1_000, 60_000));
      await session.advance(2_000);
      const entry = await session.get(store, 'k');
      assert.equal(entry.value, 'v');
      assert.ok(entry.expiresAt <= session.clock.now(), 'the entry is stale');
      assert.ok(entry.retainedUntil > session.clock.now(), 'and retained');
    },
    'time',
  ),
  backendCase(
    'does not count or list what has expired',
    async (session) => {
      const store = session.open();
      await session.setAll(store, ['a', 'b', 'c'], within(session, 1_000));
      await session.set(store, 'd', 1);
      await session.advance(1_500);
      if (session.backend.capabilities.canScan) {
        assert.deepEqual(await session.keys(store), ['d']);
        assert.equal(await store.deletePattern(startsWith('a')), 0);
      }
      assert.equal(await store.delete(['b', 'c', 'd']), 1);
    },
    'time',
  ),
  backendCase(
    'counts from the last store or expire',
    async (session) => {
      const store = session.open();
      await session.setAll(store, ['longer', 'rewritten', 'shorter'], within(session, 2_000));
      assert.equal(await store.expire('longer', 60_000, 60_000), true);
      assert.equal(await store.expire('shorter', 500, 500), true);
      await session.set(store, 'rewritten', 'again', within(session, 60_000));
      await session.advance(1_000);
      await session.expectAbsent(store, 'shorter');
      await session.advance(2_000);
      await session.expect(store, 'longer', 'value of longer');
      await session.expect(store, 'rewritten', 'again');
    },
    'time',
  ),
  backendCase(
    'stores anew under a key that has expired',
    async (session) => {
      const store = session.open();
      await session.set(store, 'k', 'old', within(session, 1_000));
      await session.advance(1_500);
      const token = await session.begin(store, 'k');
      assert.equal(await session.fill(store, token, 'new', within(session, 60_000)), 'stored');
      await session.expect(store, 'k', 'new');
    },
    'time',
  ),
  backendCase(
    'keeps an entry that is touched, and forgets one that is not',
    async (session) => {
      const store = session.open();
      await session.setAll(store, ['touched', 'left'], within(session, 600_000, 2_000));
      await session.advance(1_000);
      store.touch('touched', 60_000);
      await session.expect(store, 'touched', 'value of touched');
      await session.advance(1_500);
      await session.expectAbsent(store, 'left');
      await session.expect(store, 'touched', 'value of touched');
      assert.deepEqual(await store.getMany(['left']), [undefined]);
    },
    'time',
  ),
  backendCase(
    'forgets a touched entry, too, once nobody touches it any more',
    async (session) => {
      const store = session.open();
      await session.set(store, 'k', 'v', within(session, 600_000, 60_000));
      store.touch('k', 2_000);
      await session.expect(store, 'k', 'v');
      await session.advance(2_500);
      await session.expectAbsent(store, 'k');
      store.touch('k', 60_000);
      await session.expectAbsent(store, 'k');
    },
    'time',
  ),
  backendCase(
    'moves with a touch how long an entry is kept, and nothing else',
    async (session) => {
      const store = session.open();
      await session.set(store, 'k', 'v', { tags: ['blue'], ...within(session, 60_000, 2_000) });
      const expiresAt = session.clock.now() + 60_000;
      for (const retainMs of [10_000, 3_000, 60_000]) {
        store.touch('k', retainMs);
        const touched = await session.get(store, 'k');
        assertNear(touched.expiresAt, expiresAt, 'expiresAt');
        assertNear(touched.retainedUntil, session.clock.now() + retainMs, 'retainedUntil');
        assert.equal(touched.value, 'v');
        assert.deepEqual(touched.tags, ['blue']);
      }
      await session.backend.invalidateTags({ anyOf: ['blue'] });
      await session.expectAbsent(store, 'k');
    },
    'time',
  ),
  backendCase(
    'never keeps a touched entry fresh beyond its logical expiry',
    async (session) => {
      const store = session.open();
      await session.set(store, 'k', 'v', within(session, 3_000, 1_500));
      await session.advance(1_000);
      store.touch('k', 2_500);
      await session.expect(store, 'k', 'v');
      await session.advance(2_300);
      const entry = await store.get('k', { needsTimes: true });
      assert.ok(
        entry === undefined || entry.expiresAt <= session.clock.now(),
        'the entry is gone or stale',
      );
    },
    'time',
  ),
  backendCase('does nothing with a touch where there is no entry', async (session) => {
    const store = session.open();
    store.touch('k', 60_000);
    await session.expectAbsent(store, 'k');
    await session.set(store, 'k', 'void');
    await store.delete(['k']);
    // A touch is no write: neither does it bring back what was deleted, nor void a load that is under way.
    const token = await session.begin(store, 'k');
    store.touch('k', 60_000);
    await session.expectAbsent(store, 'k');
    assert.equal(await session.fill(store, token, 'loaded'), 'stored');
    await session.expect(store, 'k', 'loaded');
  }),
];
