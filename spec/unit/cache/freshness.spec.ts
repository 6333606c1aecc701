import { expect } from 'chai';
import fc from 'fast-check';
import type { CacheEntry } from '#internal/cache/entry.js';
import { dueForRefresh, judge, slideMs } from '#internal/cache/freshness.js';
import { PLAIN_TIMES, resolveTimes, type TimeChoice } from '#internal/cache/time-settings.js';
import { randomFrom } from '../../support/scheduler/random.js';

const times = (choice: TimeChoice) => resolveTimes('a', choice, PLAIN_TIMES);
const entry = (overrides: Partial<CacheEntry> = {}): CacheEntry => ({
  value: 'value',
  kind: 'value',
  tags: [],
  sequence: 0,
  createdAt: 0,
  expiresAt: 1_000,
  retainedUntil: 1_000,
  loadCostMs: 10,
  ...overrides,
});

describe('judge', () => {
  const both = times({ staleWhileRevalidate: 100, staleIfError: 300 });
  const verdicts: readonly [now: number, string][] = [
    [0, 'fresh'],
    [999, 'fresh'],
    [1_000, 'stale'],
    [1_099, 'stale'],
    [1_100, 'fallback'],
    [1_299, 'fallback'],
    [1_300, 'gone'],
  ];
  for (const [now, verdict] of verdicts) {
    it(`says ${verdict} at ${now} ms`, () => {
      expect(judge(entry(), now, both)).to.equal(verdict);
    });
  }

  it('lets nothing expired be served without an option, and no error ever', () => {
    expect(judge(entry(), 1_000, PLAIN_TIMES)).to.equal('gone');
    expect(judge(entry({ kind: 'error' }), 999, both)).to.equal('fresh');
    expect(judge(entry({ kind: 'error' }), 1_000, both)).to.equal('gone');
    expect(judge(entry({ expiresAt: Infinity }), 1e15, both)).to.equal('fresh');
  });
});

describe('dueForRefresh', () => {
  const never = (): number => {
    throw new Error('asked for chance');
  };

  it('is due after the fraction of the ttl, and asks no chance', () => {
    const ahead = times({ refreshAhead: 0.8 });
    expect(dueForRefresh(entry(), 799, ahead, never)).to.equal(undefined);
    const isDue = dueForRefresh(entry(), 800, ahead, never)!;
    expect(isDue(entry(), 800)).to.equal(true);
    expect(isDue(entry({ createdAt: 800, expiresAt: 1_800 }), 900)).to.equal(false);
  });

  it('is never due without an end, for an error, or when it is off', () => {
    const ahead = times({ refreshAhead: 'xfetch' });
    const certain = (): number => 1 - Number.EPSILON;
    expect(dueForRefresh(entry({ expiresAt: Infinity }), 1e9, ahead, certain)).to.equal(undefined);
    expect(dueForRefresh(entry({ kind: 'error' }), 999, ahead, certain)).to.equal(undefined);
    expect(dueForRefresh(entry(), 999, PLAIN_TIMES, certain)).to.equal(undefined);
    expect(dueForRefresh(entry(), 1, ahead, () => 0)).to.equal(undefined);
    expect(dueForRefresh(entry({ loadCostMs: 0 }), 999, ahead, certain)).to.equal(undefined);
  });

  it("draws once, so that 'xfetch' does not hold for an entry that was renewed meanwhile", () => {
    let draws = 0;
    const random = (): number => {
      draws++;
      return 0.9;
    };
    const isDue = dueForRefresh(entry(), 990, times({ refreshAhead: 'xfetch' }), random)!;
    expect(isDue(entry({ createdAt: 990, expiresAt: 1_990 }), 991)).to.equal(false);
    expect(draws).to.equal(1);
  });

  it("refreshes by 'xfetch' with the probability exp(-time left / cost)", () => {
    const ahead = times({ refreshAhead: 'xfetch' });
    const property = fc.property(
      fc.integer({ min: 1, max: 500 }),
      fc.integer({ min: 1, max: 999 }),
      fc.nat(),
      (loadCostMs, leftMs, seed) => {
        const random = randomFrom(seed);
        const trials = 4_000;
        let due = 0;
        for (let trial = 0; trial < trials; trial++) {
          const found = entry({ loadCostMs });
          if (dueForRefresh(found, 1_000 - leftMs, ahead, random) !== undefined) due++;
        }
        const expected = Math.exp(-leftMs / loadCostMs);
        // Six standard deviations, and a little for the rarest cases.
        const slack = 6 * Math.sqrt((expected * (1 - expected)) / trials) + 0.002;
        expect(due / trials).to.be.closeTo(expected, slack);
      },
    );
    fc.assert(property, { numRuns: 60, seed: 20_261_121 });
  });
});

describe('slideMs', () => {
  const sliding = entry({ expiresAt: 10_000, retainedUntil: 1_000 });

  it('tells the store once a tenth of the idle time has passed', () => {
    expect(slideMs(sliding, 0, 1_000)).to.equal(undefined);
    expect(slideMs(sliding, 99, 1_000)).to.equal(undefined);
    expect(slideMs(sliding, 100, 1_000)).to.equal(1_000);
  });

  it('does not go beyond the ttl', () => {
    const late = entry({ expiresAt: 1_100, retainedUntil: 1_000 });
    expect(slideMs(late, 900, 1_000)).to.equal(200);
  });

  it('leaves entries alone that do not slide', () => {
    expect(slideMs(entry(), 999, 1_000)).to.equal(undefined);
    expect(slideMs(entry({ retainedUntil: 2_000 }), 999, 1_000)).to.equal(undefined);
    expect(slideMs(sliding, 999, Infinity)).to.equal(undefined);
  });
});
