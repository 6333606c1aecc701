import { expect } from 'chai';
import { INVALIDATIONS, TAGS } from '../../support/invalidations.js';
import { TimedCache } from '../../support/timed-cache.js';

/** google/guava#1881: an invalidation during a load did not reach it, and later readers got its value. */
describe('Guava#1881: an invalidation reaches what is loading', () => {
  for (const [name, invalidate] of INVALIDATIONS) {
    it(`lets a reader after ${name} load anew, whichever load ends first`, async () => {
      for (const order of [
        [1, 2],
        [2, 1],
      ] as const) {
        const timed = new TimedCache({ ttl: '10s' });
        const early = timed.read(1, TAGS);
        await timed.source.started(1);
        await invalidate(timed);
        const late = timed.read(1, TAGS);
        // Which loads a tag hits is known at their end: then the reader waits for the first one to end.
        const isByTag = name.startsWith('invalidateTags');
        if (isByTag) timed.source.finish(1, 'before');
        await timed.source.started(2);
        for (const number of order) {
          if (number === 2) timed.source.finish(2, 'after');
          else if (!isByTag) timed.source.finish(1, 'before');
        }
        expect(await Promise.all([early, late])).to.deep.equal(['before', 'after']);
        expect(await timed.cache.get(1)).to.equal('after');
        await timed.manager.close();
      }
    });
  }
});
