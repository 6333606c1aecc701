import { expect } from 'chai';
import type { CacheDefinition } from '#internal/cache/cache-handle.js';
import { settle } from '../../support/gated-source.js';
import { INVALIDATIONS, TAGS } from '../../support/invalidations.js';
import { TimedCache } from '../../support/timed-cache.js';

const GROUNDS: readonly (readonly [string, CacheDefinition, number])[] = [
  ['a refresh ahead', { refreshAhead: 0.5 }, 6_000],
  ['a refresh behind a stale value', { staleWhileRevalidate: '1h' }, 11_000],
];

/** ZiggyCreatures/FusionCache#628: a background load took its time stamp at its end, and outlived an invalidation. */
describe('FusionCache#628: a background load is as old as its beginning', () => {
  for (const [ground, definition, afterMs] of GROUNDS) {
    for (const [name, invalidate] of INVALIDATIONS) {
      it(`stores nothing from ${ground} that ${name} has overtaken`, async () => {
        const timed = new TimedCache({ ttl: '10s', ...definition });
        await timed.cache.set(1, 'old', TAGS);
        timed.clock.advance(afterMs);
        expect(await timed.read(1, TAGS)).to.equal('old');
        await timed.source.started(1);
        await invalidate(timed);
        timed.source.finish(1, 'before');
        await settle();
        expect(await timed.cache.get(1)).to.equal(undefined);
        const reading = timed.read(1, TAGS);
        await timed.source.started(2);
        timed.source.finish(2, 'after');
        expect(await reading).to.equal('after');
        await timed.manager.close();
      });
    }
  }
});
