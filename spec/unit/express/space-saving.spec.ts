import { expect } from 'chai';
import fc from 'fast-check';
import { HotKeys } from '#internal/express/admin/dashboard/hot-keys.js';
import { SpaceSaving } from '#internal/express/admin/dashboard/space-saving.js';

describe(SpaceSaving.name, () => {
  it('counts exactly while there is a counter for each', () => {
    const top = new SpaceSaving<string>(3);
    for (const item of ['a', 'b', 'a', 'c', 'a', 'b']) top.add(item);
    expect(top.top(2)).to.deep.equal([
      { item: 'a', count: 3, overestimate: 0 },
      { item: 'b', count: 2, overestimate: 0 },
    ]);
  });

  it('gives a newcomer the counter of the least frequent', () => {
    const top = new SpaceSaving<string>(2);
    for (const item of ['a', 'a', 'a', 'b', 'c']) top.add(item);
    expect(top.top(9)).to.deep.equal([
      { item: 'a', count: 3, overestimate: 0 },
      { item: 'c', count: 2, overestimate: 1 },
    ]);
  });

  it('keeps the bounds of its paper, whatever the stream', () => {
    const streams = fc.array(fc.oneof(fc.nat(3), fc.nat(60)), { maxLength: 400 });
    fc.assert(
      fc.property(streams, fc.integer({ min: 1, max: 12 }), (stream, capacity) => {
        const top = new SpaceSaving<number>(capacity);
        const truth = new Map<number, number>();
        for (const item of stream) {
          top.add(item);
          truth.set(item, (truth.get(item) ?? 0) + 1);
        }
        const counted = top.top(capacity);
        expect(top.size).to.equal(Math.min(capacity, truth.size));
        expect(counted.reduce((sum, { count }) => sum + count, 0)).to.equal(stream.length);
        for (const { item, count, overestimate } of counted) {
          const real = truth.get(item) ?? 0;
          expect(count).to.be.at.least(real);
          expect(count - overestimate).to.be.at.most(real);
          expect(overestimate).to.be.at.most(stream.length / capacity);
        }
        const present = new Set(counted.map(({ item }) => item));
        for (const [item, real] of truth) {
          if (real > stream.length / capacity) expect(present).to.include(item);
        }
      }),
    );
  });
});

describe(HotKeys.name, () => {
  it('forgets what was read two windows ago', () => {
    const hot = new HotKeys();
    hot.add('a', 'old');
    hot.turn();
    hot.add('a', 'new');
    hot.add('a', 'new');
    expect(hot.top(5)).to.deep.equal([
      { cache: 'a', key: 'new', reads: 2 },
      { cache: 'a', key: 'old', reads: 1 },
    ]);
    hot.turn();
    hot.add('a', 'new');
    expect(hot.top(5)).to.deep.equal([{ cache: 'a', key: 'new', reads: 3 }]);
    expect(hot.top(0)).to.deep.equal([]);
  });

  it('keeps equal keys of different caches apart, whatever the caches are called', () => {
    const hot = new HotKeys();
    hot.add('b', 'key');
    hot.add('b\0c', 'key');
    expect(hot.top(5)).to.have.deep.members([
      { cache: 'b', key: 'key', reads: 1 },
      { cache: 'b\0c', key: 'key', reads: 1 },
    ]);
  });
});
