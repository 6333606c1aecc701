import { expect } from 'chai';
import { TimedCache } from '../../support/timed-cache.js';

/**
 * HybridCache of .NET: a value whose tag was invalidated while it was loading was stamped anew with the present time, as
 * if both had happened at once, and stored as fresh.
 */
describe('HybridCache: a value is never stamped younger than its load', () => {
  let timed: TimedCache;
  beforeEach(() => {
    timed = new TimedCache({ ttl: '10s' });
  });
  afterEach(() => timed.manager.close());

  it('keeps out a value with a tag that was known before', async () => {
    const reading = timed.read(1, { tags: ['t'] });
    await timed.source.started(1);
    await timed.manager.invalidateTags('t');
    timed.source.finish(1, 'before');
    await reading;
    expect(await timed.cache.get(1)).to.equal(undefined);
  });

  it('keeps out a value with a tag that only the load knew, in the same millisecond', async () => {
    const reading = timed.cache.getOrSet(1, async (context) => {
      const value = (await timed.source.load()) as string;
      context.tags.add('t');
      return value;
    });
    await timed.source.started(1);
    await timed.manager.invalidateTags('t');
    timed.source.finish(1, 'before');
    expect(await reading).to.equal('before');
    expect(await timed.cache.get(1)).to.equal(undefined);
  });

  it('gives it to nobody who came after the invalidation, and lets others share their loads', async () => {
    const read = (key: number): Promise<unknown> =>
      timed.cache.getOrSet(key, async (context) => {
        const value = (await timed.source.load()) as string;
        if (key === 1) context.tags.add('t');
        return value;
      });
    const first = [read(1), read(2)];
    await timed.source.started(2);
    await timed.manager.invalidateTags('t');
    const later = [read(1), read(2)];
    timed.source.finish(1, 'before');
    timed.source.finish(2, 'untouched');
    expect(await Promise.all(first)).to.deep.equal(['before', 'untouched']);
    await timed.source.started(3);
    timed.source.finish(3, 'after');
    expect(await Promise.all(later)).to.deep.equal(['after', 'untouched']);
    expect(timed.source.count).to.equal(3);
  });

  it('gives it to nobody who came after, when it is not stored at all', async () => {
    const first = timed.read(1, { ttl: 0 });
    await timed.source.started(1);
    await timed.manager.invalidateTags('t');
    const later = timed.read(1, { ttl: 0 });
    timed.source.finish(1, 'before');
    expect(await first).to.equal('before');
    await timed.source.started(2);
    timed.source.finish(2, 'after');
    expect(await later).to.equal('after');
  });

  it('keeps one load per key under a flood of invalidations of other tags', async () => {
    const first = timed.read(1, { tags: ['mine'] });
    await timed.source.started(1);
    const others: Promise<unknown>[] = [];
    for (let number = 0; number < 100; number++) {
      await timed.manager.invalidateTags(`other:${number}`);
      others.push(timed.read(1, { tags: ['mine'] }));
    }
    timed.source.finish(1, 'value');
    expect(new Set(await Promise.all([first, ...others]))).to.deep.equal(new Set(['value']));
    expect(timed.source.count).to.equal(1);
  });
});
