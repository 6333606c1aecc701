import { expect } from 'chai';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { FaultyBackend } from '#internal/testing/faulty-backend.js';
import { settle } from '../../support/gated-source.js';
import { TimedCache } from '../../support/timed-cache.js';

describe('refreshAhead', () => {
  it('loads once in the background at a hit after its fraction, and serves the fresh value', async () => {
    const timed = new TimedCache({ ttl: '10s', refreshAhead: 0.8 });
    await timed.cache.set(1, 'old');
    timed.clock.advance(7_999);
    await timed.read();
    await settle();
    expect(timed.source.count).to.equal(0);
    timed.clock.advance(1);
    expect(await Promise.all([timed.read(), timed.read()])).to.deep.equal(['old', 'old']);
    await timed.source.started(1);
    timed.source.finish(1, 'new');
    await settle();
    expect(await timed.cache.get(1)).to.equal('new');
    expect(await timed.cache.ttl(1)).to.equal(10_000);
    expect(timed.manager.statistics().misses).to.equal(0);
    await timed.manager.close();
  });

  it("refreshes by chance under 'xfetch': the dearer and the later, the likelier", async () => {
    const timed = new TimedCache(
      { ttl: '10s', refreshAhead: 'xfetch' },
      { random: () => 1 - Math.exp(-2) },
    );
    const store = timed.backend.open({ name: 'a', version: 'v1' });
    const now = timed.clock.now();
    const entry = { value: 'old', kind: 'value' as const, tags: [], createdAt: now };
    const times = { expiresAt: now + 10_000, retainedUntil: now + 10_000, loadCostMs: 1_000 };
    await timed.cache.get(1);
    await store.store([{ key: '1', entry: { ...entry, ...times }, fence: { kind: 'set' } }]);
    timed.clock.advance(7_999);
    await timed.read();
    await settle();
    expect(timed.source.count).to.equal(0);
    timed.clock.advance(1.5);
    expect(await timed.read()).to.equal('old');
    await timed.source.started(1);
    await timed.manager.close();
  });

  it('drops a refresh whose entry was invalidated meanwhile', async () => {
    const timed = new TimedCache({ ttl: '10s', refreshAhead: 0.5 });
    await timed.cache.set(1, 'old');
    timed.clock.advance('6s');
    await timed.read();
    await timed.source.started(1);
    await timed.cache.delete(1);
    timed.source.finish(1, 'refreshed');
    await settle();
    expect(await timed.cache.get(1)).to.equal(undefined);
    await timed.manager.close();
  });

  it('does not load what has been renewed before the refresh has its token', async () => {
    const timed = new TimedCache({ ttl: '10s', refreshAhead: 0.5 });
    await timed.cache.set(1, 'old');
    timed.clock.advance('6s');
    const begin = timed.backend.hold('begin');
    await timed.read();
    await begin.arrived();
    await timed.cache.set(1, 'put');
    begin.release();
    await settle();
    expect(timed.source.count).to.equal(0);
    expect(await timed.read()).to.equal('put');
    await timed.manager.close();
  });

  it('leaves the entry as it is when it fails, for the throttle, and tells of it', async () => {
    const timed = new TimedCache({ ttl: '10s', refreshAhead: 0.5, staleThrottle: '1s' });
    await timed.cache.set(1, 'old');
    timed.clock.advance('6s');
    await timed.read();
    await timed.source.started(1);
    const error = new RangeError('down');
    timed.source.fail(1, error);
    await settle();
    expect(await timed.read()).to.equal('old');
    await settle();
    expect([timed.source.count, timed.errors]).to.deep.equal([1, [error]]);
    timed.clock.advance('1s');
    await timed.read();
    await timed.source.started(2);
    await timed.manager.close();
  });

  it('keeps nothing in a full store that nobody but the refresh has used', async () => {
    const backend = new FaultyBackend(
      new MemoryBackend({ maxEntries: 2, sweepInterval: Infinity }),
    );
    const timed = new TimedCache({ ttl: '10s', refreshAhead: 0.5 }, { backend });
    await timed.cache.set(1, 'old');
    timed.clock.advance('6s');
    await timed.read();
    await timed.source.started(1);
    await timed.cache.set(2, 'two');
    timed.source.finish(1, 'new');
    await settle();
    await timed.cache.set(3, 'three');
    expect(await timed.cache.has(1)).to.equal(false);
    expect(await timed.cache.has(2)).to.equal(true);
    await timed.manager.close();
  });
});
