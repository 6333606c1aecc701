import { expect } from 'chai';
import { settle } from '../../support/gated-source.js';
import { INVALIDATIONS, TAGS } from '../../support/invalidations.js';
import { failureOf, TimedCache } from '../../support/timed-cache.js';

/** ZiggyCreatures/FusionCache#648: what was cleared came back as a stale value, when the load failed. */
describe('FusionCache#648: stale never resurrects', () => {
  for (const [name, invalidate] of INVALIDATIONS) {
    for (const moment of ['before its expiry', 'after its expiry'] as const) {
      it(`serves nothing after ${name} ${moment}, on whichever ground`, async () => {
        const timed = new TimedCache({
          ttl: '10s',
          staleWhileRevalidate: '1h',
          staleIfError: '1h',
          softTimeout: 0,
        });
        await timed.cache.set(1, 'old', TAGS);
        if (moment === 'after its expiry') timed.clock.advance('10s');
        await invalidate(timed);
        timed.clock.advance('10s');
        const error = new RangeError('down');
        const reading = failureOf(timed.read());
        await timed.source.started(1);
        await settle();
        timed.source.fail(1, error);
        expect(await reading).to.equal(error);
        expect(await timed.cache.get(1)).to.equal(undefined);
        expect(await timed.cache.has(1)).to.equal(false);
        expect((await timed.cache.getEntry(1)).status).to.equal('miss');
        expect(timed.manager.statistics().stales).to.equal(0);
        await timed.manager.close();
      });
    }
  }
});
