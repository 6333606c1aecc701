import { expect } from 'chai';
import { MAX_RULES } from '#internal/backends/memory/tag-marker.js';
import { MAX_UNUSED_MARKERS, TagRegistry } from '#internal/backends/memory/tag-registry.js';

function permutations(items: readonly string[]): string[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item) =>
    permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
  );
}

describe(TagRegistry.name, () => {
  let tags: TagRegistry;

  beforeEach(() => {
    tags = new TagRegistry();
  });

  /** Whether an entry with these tags, stored at this sequence, is void. */
  const isVoid = (own: readonly string[], sequence: number): boolean => !tags.admits(own, sequence);

  describe('#invalidate', () => {
    it('takes the next number, unless no tags are given', () => {
      tags.invalidate({ anyOf: [] });
      tags.invalidate({ allOf: [] });
      expect(tags.sequence).to.equal(0);
      tags.invalidate({ anyOf: ['a', 'b'] });
      tags.invalidate({ allOf: ['a', 'b'] });
      expect(tags.sequence).to.equal(2);
    });

    it('voids what was loaded before it, and nothing loaded after it', () => {
      tags.invalidate({ anyOf: ['a'] });
      expect(isVoid(['a'], 0)).to.equal(true);
      expect(isVoid(['b', 'a'], 0)).to.equal(true);
      expect(isVoid(['b'], 0)).to.equal(false);
      expect(isVoid(['a'], 1)).to.equal(false);
    });

    it('remembers several all-of invalidations of one tag', () => {
      tags.invalidate({ allOf: ['a', 'b'] });
      tags.invalidate({ allOf: ['c', 'a'] });
      expect(isVoid(['a', 'b'], 0)).to.equal(true);
      expect(isVoid(['a', 'b'], 1)).to.equal(false);
      expect(isVoid(['a', 'c'], 1)).to.equal(true);
      expect(isVoid(['a', 'c'], 2)).to.equal(false);
      expect(isVoid(['a'], 0)).to.equal(false);
      expect(isVoid(['b', 'c'], 0)).to.equal(false);
    });

    it('keeps one rule for one set of tags, in whichever order they come', () => {
      tags.hold(['a', 'b', 'c', 'd']);
      // 'a' is the rarest tag, so that all rules stand there.
      tags.hold(['b', 'c', 'd']);
      const orders = permutations(['a', 'b', 'c', 'd']);
      expect(orders).to.have.length.greaterThan(MAX_RULES);
      for (const order of orders) tags.invalidate({ allOf: [...order, order[0]!] });
      for (const tag of 'abcd') expect(isVoid([tag], 0)).to.equal(false);
      expect(isVoid(['a', 'b', 'c', 'd'], tags.sequence - 1)).to.equal(true);
      expect(isVoid(['a', 'b', 'c', 'd'], tags.sequence)).to.equal(false);
    });

    it('hits more than asked for, when there are too many rules, and never less', () => {
      const others = Array.from({ length: MAX_RULES + 1 }, (_, index) => `other${index}`);
      // Each of the others is carried more often than 'a', so that all rules stand at 'a'.
      for (const other of others) for (const each of [1, 2]) tags.hold([other, `${each}`]);
      tags.hold(['a']);
      for (const other of others) tags.invalidate({ allOf: ['a', other] });
      expect(isVoid(['a'], 0), 'the oldest rule hits all older entries of the tag').to.equal(true);
      expect(isVoid(['a'], 1), 'the other rules hit only their own').to.equal(false);
      expect(isVoid(['a', 'other0'], 0)).to.equal(true);
      expect(isVoid(['a', 'other1'], 1)).to.equal(true);
      expect(isVoid(['a', others.at(-1)!], MAX_RULES)).to.equal(true);
      expect(isVoid(['a', others.at(-1)!], MAX_RULES + 1)).to.equal(false);
    });

    it('never takes an any-of invalidation back, when there are too many rules', () => {
      tags.invalidate({ allOf: ['a', 'z'] });
      tags.invalidate({ anyOf: ['a'] });
      for (let index = 0; index < MAX_RULES; index++) {
        tags.hold([`other${index}`]);
        tags.invalidate({ allOf: ['a', `other${index}`] });
      }
      expect(isVoid(['a'], 1)).to.equal(true);
    });

    it('drops rules that an any-of invalidation makes superfluous', () => {
      tags.invalidate({ allOf: ['a', 'b'] });
      tags.invalidate({ anyOf: ['a', 'b'] });
      expect(isVoid(['a', 'b'], 1)).to.equal(true);
      expect(isVoid(['a', 'b'], 2)).to.equal(false);
    });
  });

  describe('#release', () => {
    it('drops a marker that was never invalidated with its last entry', () => {
      const first = tags.hold(['a', 'b']);
      const second = tags.hold(['a']);
      expect(tags.size).to.equal(2);
      tags.release(first);
      expect(tags.size).to.equal(1);
      tags.release(second);
      expect(tags.size).to.equal(0);
    });

    it('keeps a marker that was invalidated, for the sake of fills under way', () => {
      const held = tags.hold(['a']);
      tags.invalidate({ anyOf: ['a'] });
      tags.release(held);
      expect(isVoid(['a'], 0)).to.equal(true);
      expect(tags.size).to.equal(1);
    });

    it('takes entries without tags', () => {
      expect(tags.hold([])).to.equal(undefined);
      tags.release(undefined);
      expect(tags.size).to.equal(0);
    });
  });

  describe('the floor', () => {
    const overflow = (): void => {
      for (let index = 0; index <= MAX_UNUSED_MARKERS; index++) {
        tags.invalidate({ anyOf: [`t${index}`] });
      }
    };

    it('bounds the markers that no entry carries', () => {
      overflow();
      expect(tags.size).to.equal(MAX_UNUSED_MARKERS);
    });

    it('refuses older fills with a tag without a marker, whatever tag it is', () => {
      overflow();
      expect(isVoid(['t0'], 0)).to.equal(true);
      expect(isVoid(['unknown'], 0)).to.equal(true);
      expect(isVoid(['unknown'], 1)).to.equal(false);
      expect(isVoid([], 0)).to.equal(false);
    });

    it('stands in every marker that is made later', () => {
      overflow();
      const { sequence } = tags;
      expect(isVoid(['t0'], sequence)).to.equal(false);
      tags.hold(['t0']);
      expect(isVoid(['t0'], 0), 'an entry with the tag must not revive older fills').to.equal(true);
      expect(isVoid(['t0'], sequence)).to.equal(false);
    });

    it('spares markers that entries carry', () => {
      tags.hold(['held']);
      tags.invalidate({ anyOf: ['held'] });
      overflow();
      expect(isVoid(['held'], 1)).to.equal(false);
      expect(isVoid(['held'], 0)).to.equal(true);
    });

    it('drops at once what it covers', () => {
      const held = tags.hold(['old']);
      tags.invalidate({ anyOf: ['old'] });
      overflow();
      overflow();
      const before = tags.size;
      tags.release(held);
      expect(tags.size).to.equal(before - 1);
      expect(isVoid(['old'], 0)).to.equal(true);
    });

    it('drops first what was invalidated longest ago', () => {
      overflow();
      tags.invalidate({ anyOf: ['t1'] });
      tags.invalidate({ anyOf: ['one more'] });
      // t2 is the oldest now, so the floor is its number.
      expect(isVoid(['unknown'], 2)).to.equal(true);
      expect(isVoid(['unknown'], 3)).to.equal(false);
    });
  });
});
