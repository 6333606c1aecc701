import { expect } from 'chai';
import fc from 'fast-check';
import { InvalidationFrontier } from '#internal/testing/consistency/invalidation-frontier.js';
import type { InvalidationRecord } from '#internal/testing/consistency/operation-record.js';

describe(InvalidationFrontier.name, () => {
  it('gives, of those issued after a moment, the one acknowledged first', () => {
    const span = fc.tuple(fc.nat({ max: 100 }), fc.nat({ max: 100 }));
    fc.assert(
      fc.property(fc.array(span, { maxLength: 50 }), fc.nat({ max: 100 }), (spans, moment) => {
        const frontier = new InvalidationFrontier();
        for (const [startedAt, length] of spans) frontier.add(from(startedAt, length), -Infinity);
        const ends = spans
          .filter(([startedAt]) => startedAt > moment)
          .map(([startedAt, length]) => startedAt + length);
        const expected = ends.length === 0 ? undefined : Math.min(...ends);
        expect(frontier.firstIssuedAfter(moment)?.endedAt).to.equal(expected);
      }),
      { numRuns: 1000 },
    );
  });

  it('holds no more than what reads that are under way can need', () => {
    const frontier = new InvalidationFrontier();
    for (let at = 0; at < 10_000; at++) {
      frontier.add(from(at * 10, 5), at * 10 - 100);
      expect(frontier.size).to.be.lessThan(200);
      const oldest = frontier.firstIssuedAfter(-1)!;
      if (at > 10) expect(oldest.endedAt).to.be.lessThan(at * 10 - 100);
    }
  });
});

function from(startedAt: number, length: number): InvalidationRecord {
  return {
    type: 'invalidation',
    kind: 'key',
    process: 0,
    scopes: [],
    startedAt,
    endedAt: startedAt + length,
    isAcknowledged: true,
  };
}
