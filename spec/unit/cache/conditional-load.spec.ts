import { expect } from 'chai';
import type { LoadContext } from '#internal/cache/load-context.js';
import { CacheConfigurationError } from '#internal/errors.js';
import { settle } from '../../support/gated-source.js';
import { failureOf, TimedCache } from '../../support/timed-cache.js';

describe('A load that knows the stale value', () => {
  let timed: TimedCache;
  beforeEach(() => {
    timed = new TimedCache({ ttl: '10s', staleIfError: '1m' });
  });
  afterEach(() => timed.manager.close());

  it('sees it with its age and tags, and stores it anew when it still holds', async () => {
    await timed.cache.set(1, 'old', { tags: ['found'] });
    timed.clock.advance('15s');
    let seen: LoadContext['stale'];
    const value = await timed.cache.getOrSet(1, async (context) => {
      seen = context.stale;
      return context.notModified<string>();
    });
    expect(value).to.equal('old');
    expect(seen).to.deep.equal({ value: 'old', ageMs: 15_000, tags: ['found'] });
    const entry = await timed.cache.getEntry(1);
    expect([entry.status, entry.ageMs, entry.ttlMs, entry.tags]).to.deep.equal([
      'hit',
      0,
      10_000,
      ['found'],
    ]);
    await timed.manager.invalidateTags('found');
    expect(await timed.cache.get(1)).to.equal(undefined);
  });

  it('stores nothing that was invalidated since the load began, and gives it to no later read', async () => {
    await timed.expired('old');
    let go!: () => void;
    const gate = new Promise<void>((resolve) => (go = resolve));
    let isRunning!: () => void;
    const running = new Promise<void>((resolve) => (isRunning = resolve));
    const reading = timed.cache.getOrSet(1, async (context) => {
      isRunning();
      await gate;
      return context.notModified<string>();
    });
    await running;
    await timed.cache.delete(1);
    const later = timed.read();
    await timed.source.started(1);
    go();
    timed.source.finish(1, 'new');
    expect(await reading).to.equal('old');
    expect(await later).to.equal('new');
    expect(await timed.cache.get(1)).to.equal('new');
  });

  it('does not see what was invalidated between its lookup and its token', async () => {
    await timed.expired('old');
    const begin = timed.backend.hold('begin');
    let seen: unknown = 'not asked';
    const reading = timed.cache.getOrSet(1, async ({ stale }) => {
      seen = stale;
      return 'new';
    });
    await begin.arrived();
    await timed.backend.open({ name: 'a', version: 'v1' }).delete(['1']);
    begin.release();
    expect(await reading).to.equal('new');
    expect(seen).to.equal(undefined);
  });

  it('fails, when it says so of nothing', async () => {
    const error = await failureOf(timed.cache.getOrSet(1, async (load) => load.notModified()));
    expect(error).to.be.instanceOf(CacheConfigurationError);
    expect((error as Error).message).to.include('has no stale value');
  });

  it('sees the fresh value of an entry that is refreshed ahead', async () => {
    const ahead = new TimedCache({ ttl: '10s', refreshAhead: 0.5 });
    await ahead.cache.set(1, 'old');
    ahead.clock.advance('6s');
    await ahead.cache.getOrSet(1, async (context) => context.notModified<string>());
    await settle();
    expect(await ahead.cache.ttl(1)).to.equal(10_000);
    expect(await ahead.cache.get(1)).to.equal('old');
    await ahead.manager.close();
  });
});
