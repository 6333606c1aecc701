import { expect } from 'chai';
import { settle } from '../../support/gated-source.js';
import { INVALIDATIONS, TAGS } from '../../support/invalidations.js';
import { TimedCache } from '../../support/timed-cache.js';

/** ZiggyCreatures/FusionCache#625: a removal while the factory ran was undone by the factory's result. */
describe('FusionCache#625: a removal during a load holds', () => {
  for (const [name, invalidate] of INVALIDATIONS) {
    it(`keeps out what was loading at ${name}`, async () => {
      const timed = new TimedCache({ ttl: '10s' });
      const reading = timed.read(1, TAGS);
      await timed.source.started(1);
      await invalidate(timed);
      timed.source.finish(1, 'before');
      expect(await reading).to.equal('before');
      expect(await timed.cache.get(1)).to.equal(undefined);
      await timed.manager.close();
    });

    it(`keeps out what went on loading behind a soft timeout at ${name}`, async () => {
      const timed = new TimedCache({ ttl: '10s', staleIfError: '1h', softTimeout: 0 });
      await timed.cache.set(1, 'old', TAGS);
      timed.clock.advance('10s');
      expect(await timed.read(1, TAGS)).to.equal('old');
      await timed.source.started(1);
      await invalidate(timed);
      timed.source.finish(1, 'before');
      await settle();
      expect((await timed.cache.getEntry(1)).status).to.equal('miss');
      await timed.manager.close();
    });
  }
});
