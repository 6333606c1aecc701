import assert from 'node:assert/strict';
import type { BackendStore, FillStart, LoadTurn, ReadHints } from '../cache/backend.js';
import { backendCase, type BackendCase } from './backend-case.js';
import type { BackendSession } from './backend-session.js';
import { ask, expectStart, expectTurn, isStart } from './turn-answers.js';

/** Leases: who may load, who has to wait, and until when. */
export const turnCases: readonly BackendCase[] = [
  backendCase(
    'gives one of many a token, and the others a turn to wait for',
    async (session) => {
      const store = session.open();
      const answers = await Promise.all(Array.from({ length: 50 }, () => ask(store, 'k')));
      const starts = answers.filter(isStart);
      assert.equal(starts.length, 1, 'one token among 50');
      assert.equal(starts[0]!.entry, undefined);
      const turns = answers.filter((answer) => !isStart(answer)) as LoadTurn[];
      assert.equal(await session.fill(store, starts[0]!.token, 'loaded'), 'stored');
      await Promise.all(turns.map(({ whenOver }) => whenOver));
      await session.expect(store, 'k', 'loaded');
    },
    'leases',
  ),
  backendCase(
    'ends a turn when the value is stored, not before',
    async (session) => {
      const store = session.open();
      const start = await expectStart(store, 'k');
      const turn = await expectTurn(store, 'k');
      let isOver = false;
      const over = turn.whenOver.then(() => (isOver = true));
      await session.set(store, 'other', 1);
      await session.expectAbsent(store, 'k');
      assert.equal(isOver, false, 'whether the turn is over before the store');
      assert.equal(await session.fill(store, start.token, 'loaded'), 'stored');
      await over;
      const { entry } = await expectStart(store, 'k');
      assert.equal(entry?.value, 'loaded');
    },
    'leases',
  ),
  backendCase(
    'ends a turn when the token is given back, and gives the next one a token',
    async (session) => {
      const store = session.open();
      store.release([(await expectStart(store, 'k')).token]);
      const { token } = await expectStart(store, 'k');
      const turn = await expectTurn(store, 'k');
      store.release([token]);
      await turn.whenOver;
      const next = await expectStart(store, 'k');
      assert.equal(await session.fill(store, next.token, 'loaded'), 'stored');
      await session.expect(store, 'k', 'loaded');
    },
    'leases',
  ),
  backendCase(
    'ends a turn when the store was refused, so that another one loads',
    async (session) => {
      const store = session.open();
      const { token } = await expectStart(store, 'k');
      const turn = await expectTurn(store, 'k');
      await store.delete(['k']);
      assert.equal(await session.fill(store, token, 'old'), 'refused');
      await turn.whenOver;
      await session.expectAbsent(store, 'k');
      const next = await expectStart(store, 'k');
      assert.equal(await session.fill(store, next.token, 'new'), 'stored');
      await session.expect(store, 'k', 'new');
    },
    'leases',
    'conditional stores',
  ),
  backendCase(
    'gives the entry that is there, without a turn, whoever refreshes it',
    async (session) => {
      const store = session.open();
      await session.set(store, 'k', 'there');
      for (let count = 0; count < 2; count++) {
        assert.equal((await expectStart(store, 'k')).entry?.value, 'there');
      }
      const refreshing = await expectStart(store, 'k', { isRefresh: true });
      assert.equal((await expectStart(store, 'k')).entry?.value, 'there');
      store.release([refreshing.token]);
    },
    'leases',
  ),
  backendCase(
    'asks for a turn to refresh an entry that is there',
    async (session) => {
      const store = session.open();
      await session.set(store, 'k', 'there');
      const { token, entry } = await expectStart(store, 'k', { isRefresh: true });
      assert.equal(entry?.value, 'there');
      const turn = await expectTurn(store, 'k', { isRefresh: true });
      assert.equal(await session.fill(store, token, 'refreshed'), 'stored');
      await turn.whenOver;
      await session.expect(store, 'k', 'refreshed');
    },
    'leases',
  ),
  backendCase(
    'asks for a turn where the entry is void',
    async (session) => {
      const store = session.open();
      const invalidations = [
        () => store.delete(['k']),
        () => store.clear(),
        () => session.backend.invalidateTags({ anyOf: ['blue'] }),
      ];
      for (const invalidate of invalidations) {
        await session.set(store, 'k', 'old', { tags: ['blue'] });
        await invalidate();
        const start = await expectStart(store, 'k');
        assert.equal(start.entry, undefined);
        const turn = await expectTurn(store, 'k');
        store.release([start.token]);
        await turn.whenOver;
      }
    },
    'leases',
  ),
  backendCase(
    'answers many keys in their order, each for itself',
    async (session) => {
      const store = session.open();
      await session.set(store, 'there', 'value');
      const { token } = await expectStart(store, 'held');
      const answers = await store.beginTurns!(['free', 'held', 'there']);
      assert.deepEqual(answers.map(isStart), [true, false, true]);
      const [free, held, there] = answers as readonly [FillStart, LoadTurn, FillStart];
      assert.equal(free.token.key, 'free');
      assert.equal(there.entry?.value, 'value');
      store.release([token]);
      await held.whenOver;
      assert.equal(await session.fill(store, free.token, 'loaded'), 'stored');
      assert.deepEqual(await store.beginTurns!([]), []);
    },
    'leases',
  ),
  backendCase(
    'holds the leases of two caches and two versions apart',
    async (session) => {
      const stores = [session.open('users', '1'), session.open('users', '2'), session.open('b')];
      const starts = await Promise.all(stores.map((store) => expectStart(store, 'k')));
      const turns = await Promise.all(stores.map((store) => expectTurn(store, 'k')));
      stores[1]!.release([starts[1]!.token]);
      await turns[1]!.whenOver;
      await expectTurn(stores[0]!, 'k');
      await expectTurn(stores[2]!, 'k');
    },
    'leases',
  ),
  backendCase(
    'tells all who wait, in each cache for itself, when a result is for nobody else, and only then',
    async (session) => {
      const stores = [session.open('users'), session.open('b')] as const;
      const starts = await Promise.all(stores.map((store) => expectStart(store, 'k')));
      const told = [await expectTurn(stores[0], 'k'), await expectTurn(stores[0], 'k')];
      const untold = await expectTurn(stores[1], 'k');
      stores[0].release([starts[0]!.token], { isUnshared: true });
      stores[1].release([starts[1]!.token], {});
      await Promise.all([...told, untold].map(({ whenOver }) => whenOver));
      assert.deepEqual(
        told.map(({ isUnshared }) => isUnshared),
        [true, true],
      );
      assert.notEqual(untold.isUnshared, true, 'where nothing was said');
      const next = await expectStart(stores[0], 'k');
      const turn = await expectTurn(stores[0], 'k');
      assert.equal(await session.fill(stores[0], next.token, 'loaded'), 'stored');
      await turn.whenOver;
      assert.notEqual(turn.isUnshared, true, 'where the result was stored');
    },
    'leases',
  ),
  backendCase(
    'leaves a cancelled turn pending, and the others be',
    async (session) => {
      const store = session.open();
      const { token } = await expectStart(store, 'k');
      const cancelled = await expectTurn(store, 'k');
      const turn = await expectTurn(store, 'k');
      let isOver = false;
      void cancelled.whenOver.then(() => (isOver = true));
      cancelled.cancel();
      cancelled.cancel();
      store.release([token]);
      await turn.whenOver;
      assert.equal(isOver, false, 'whether the cancelled turn is over');
    },
    'leases',
  ),
  backendCase(
    'takes a token back twice, and after a store, without ending the lease of another',
    async (session) => {
      const store = session.open();
      const { token } = await expectStart(store, 'k');
      store.release([token]);
      const next = await expectStart(store, 'k');
      store.release([token]);
      await expectTurn(store, 'k');
      assert.equal(await session.fill(store, next.token, 'loaded'), 'stored');
      await expectStart(store, 'k', { isRefresh: true });
      store.release([next.token]);
      await expectTurn(store, 'k', { isRefresh: true });
    },
    'leases',
  ),
  backendCase(
    'finds behind a wait what any lookup finds',
    async (session) => {
      // A cache of its own for each: a backend may learn what lookups of a cache need.
      for (const [index, tags] of [undefined, ['a'], ['a', 'b', 'gone']].entries()) {
        const store = session.open(`waits${index}`);
        await fillForLookups(session, store);
        for (const turns of ['first', 'again', 'first'] as const) {
          const hints = tags === undefined ? { turns } : { turns, tags };
          await expectLookups(session, store, hints);
          await expectLookups(session, store, { ...hints, needsTimes: true });
        }
      }
    },
    'leases',
  ),
  backendCase(
    'refuses the token of a lease that lapsed and was taken over',
    async (session) => {
      const store = session.open();
      const lost = await expectStart(store, 'k');
      await session.lapse();
      const next = await expectStart(store, 'k');
      assert.equal(await session.fill(store, lost.token, 'late'), 'refused');
      await session.expectAbsent(store, 'k');
      await expectTurn(store, 'k');
      assert.equal(await session.fill(store, next.token, 'loaded'), 'stored');
      await session.expect(store, 'k', 'loaded');
    },
    'leases',
    'lapse',
    'conditional stores',
  ),
];

const MINUTE_MS = 60_000;
/** What `fillForLookups` leaves to be found. */
const LOOKUPS: Readonly<Record<string, number | undefined>> = {
  absent: undefined,
  void: undefined,
  plain: 1,
  timed: 2,
  kept: 3,
  tagged: 4,
};

async function fillForLookups(session: BackendSession, store: BackendStore): Promise<void> {
  const now = session.clock.now();
  const expiresAt = now + MINUTE_MS;
  await session.set(store, 'plain', 1);
  await session.set(store, 'timed', 2, { expiresAt, retainedUntil: expiresAt });
  await session.set(store, 'kept', 3, {
    expiresAt,
    retainedUntil: now + 10 * MINUTE_MS,
    tags: ['a'],
  });
  await session.set(store, 'tagged', 4, { tags: ['a', 'b'] });
  await session.set(store, 'void', 5, { tags: ['a', 'gone'] });
  await session.backend.invalidateTags({ anyOf: ['gone'] });
}

async function expectLookups(
  { clock }: BackendSession,
  store: BackendStore,
  hints: ReadHints,
): Promise<void> {
  const keys = Object.keys(LOOKUPS);
  const many = await store.getMany(keys, hints);
  for (const [index, key] of keys.entries()) {
    const lookup = `'${key}' with ${JSON.stringify(hints)}`;
    for (const entry of [await store.get(key, hints), many[index]]) {
      assert.equal(entry?.value, LOOKUPS[key], lookup);
      if (entry === undefined) continue;
      const isTimed = key === 'timed' || key === 'kept';
      const ttlMs = entry.expiresAt - clock.now();
      // A moment has passed since it was stored.
      if (isTimed) assert.ok(Math.abs(ttlMs - MINUTE_MS) < MINUTE_MS / 2, `${lookup}: ${ttlMs} ms`);
      else assert.equal(ttlMs, Infinity, lookup);
      if (key === 'kept') assert.ok(entry.retainedUntil > entry.expiresAt + MINUTE_MS, lookup);
    }
  }
}
