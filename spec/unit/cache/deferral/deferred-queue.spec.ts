import { expect } from 'chai';
import { beforeEach, describe, it } from 'mocha';
import type {
  DeferralPlace,
  DeferredInvalidation,
} from '#internal/cache/deferral/deferred-invalidation.js';
import {
  DeferredQueue,
  MOST_DEFERRED,
  MOST_DEFERRED_KEYS,
  MOST_DEFERRED_PATTERNS,
} from '#internal/cache/deferral/deferred-queue.js';
import { compilePattern } from '#internal/cache/key-pattern.js';

const placeOf = (name: string): DeferralPlace => ({
  space: { name, version: 'v1' },
  store: undefined as never,
});
const users = placeOf('users');
const orders = placeOf('orders');

/** An invalidation as a short text. */
function textOf(invalidation: DeferredInvalidation): string {
  switch (invalidation.kind) {
    case 'keys':
      return `${invalidation.place.space.name}: ${invalidation.keys.join(' ')}`;
    case 'pattern':
      return `${invalidation.place.space.name}: ${invalidation.pattern.glob}`;
    case 'cache':
      return `${invalidation.place.space.name}: clear`;
    case 'tags':
      return `tags: ${JSON.stringify(invalidation.selection)}`;
    case 'all':
      return 'all';
  }
}

describe(DeferredQueue.name, () => {
  let queue: DeferredQueue;
  const keys = (place: DeferralPlace, ...names: string[]): void =>
    queue.add({ kind: 'keys', place, keys: names });
  const pattern = (place: DeferralPlace, glob: string): void =>
    queue.add({ kind: 'pattern', place, pattern: compilePattern(glob) });
  const tags = (...anyOf: string[]): void => queue.add({ kind: 'tags', selection: { anyOf } });
  /** Takes everything out, as texts. */
  const drained = (): string[] => {
    const texts: string[] = [];
    for (let next = queue.take(); next !== undefined; next = queue.take()) {
      texts.push(textOf(next));
      queue.done();
    }
    expect(queue.isEmpty).to.equal(true);
    expect(queue.size).to.equal(0);
    return texts;
  };

  beforeEach(() => (queue = new DeferredQueue()));

  it('gives what was added in the order of its first issue', () => {
    keys(users, 'a');
    pattern(orders, '1*');
    tags('t');
    queue.add({ kind: 'cache', place: orders });
    keys(users, 'b');
    tags('u', 't');
    queue.add({ kind: 'tags', selection: { allOf: ['y', 'x'] } });
    queue.add({ kind: 'tags', selection: { allOf: ['x', 'y'] } });
    expect(queue.size).to.equal(2 + 2 + 1 + 1);
    expect(drained()).to.deep.equal([
      'users: a b',
      'tags: {"anyOf":["t","u"]}',
      'orders: clear',
      'tags: {"allOf":["y","x"]}',
    ]);
  });

  it('keeps what failed as the first', () => {
    keys(users, 'a');
    keys(orders, 'b');
    expect(textOf(queue.take()!)).to.equal('users: a');
    queue.back();
    keys(users, 'c');
    expect(drained()).to.deep.equal(['users: a c', 'orders: b']);
  });

  it('gives many keys and tags in parts', () => {
    const names = Array.from({ length: 2500 }, (_, index) => `k${index}`);
    keys(users, ...names);
    tags(...names);
    const parts = drained();
    expect(parts).to.have.length(6);
    expect(parts.slice(0, 3).join(' ').replaceAll('users: ', '')).to.equal(names.join(' '));
  });

  it('lets a larger invalidation stand for those that it includes', () => {
    keys(users, 'a');
    keys(orders, 'a');
    pattern(users, 'b*');
    queue.add({ kind: 'cache', place: users });
    keys(users, 'c');
    pattern(users, 'd*');
    expect(queue.size).to.equal(2);
    tags('t');
    queue.add({ kind: 'all' });
    keys(users, 'e');
    tags('u');
    queue.add({ kind: 'cache', place: orders });
    expect(queue.size).to.equal(1);
    expect(drained()).to.deep.equal(['all']);
  });

  describe('while something is being replayed', () => {
    it('keeps keys that are issued again, and only those', () => {
      keys(users, 'a', 'b');
      queue.take();
      keys(users, 'b', 'c');
      queue.done();
      expect(drained()).to.deep.equal(['users: b c']);
    });

    for (const [name, add] of [
      ['a pattern', () => pattern(users, 'a*')],
      ['a clear', () => queue.add({ kind: 'cache', place: users })],
      ['all tags of several', () => queue.add({ kind: 'tags', selection: { allOf: ['x', 'y'] } })],
      ['everything', () => queue.add({ kind: 'all' })],
    ] as const) {
      it(`keeps ${name} that is issued again`, () => {
        add();
        queue.take();
        add();
        queue.done();
        expect(queue.isEmpty).to.equal(false);
        expect(drained()).to.have.length(1);
      });

      it(`does not let ${name} stand for what is issued meanwhile`, () => {
        add();
        queue.take();
        keys(users, 'a');
        queue.done();
        expect(drained()).to.deep.equal(['users: a']);
      });
    }

    it('forgets what a larger one has taken in', () => {
      keys(users, 'a');
      queue.take();
      queue.add({ kind: 'cache', place: users });
      queue.done();
      expect(drained()).to.deep.equal(['users: clear']);
      keys(users, 'a');
      queue.take();
      queue.add({ kind: 'all' });
      queue.back();
      expect(drained()).to.deep.equal(['all']);
    });
  });

  describe('is bounded', () => {
    it('clears a cache instead of deleting too many of its keys', () => {
      for (let key = 0; key < MOST_DEFERRED_KEYS; key++) keys(users, `k${key}`);
      expect(queue.size).to.equal(MOST_DEFERRED_KEYS);
      keys(orders, 'a');
      keys(users, 'one more');
      expect(queue.size).to.equal(2);
      expect(drained()).to.deep.equal(['orders: a', 'users: clear']);
    });

    it('takes a single call with too many keys as well', () => {
      keys(users, ...Array.from({ length: 3 * MOST_DEFERRED_KEYS }, (_, index) => `k${index}`));
      expect(drained()).to.deep.equal(['users: clear']);
    });

    it('clears a cache instead of deleting too many patterns', () => {
      for (let index = 0; index <= MOST_DEFERRED_PATTERNS; index++) pattern(users, `p${index}*`);
      expect(drained()).to.deep.equal(['users: clear']);
    });

    it('clears everything instead of keeping too much in all', () => {
      for (let tag = 0; tag < MOST_DEFERRED; tag++) tags(`t${tag}`);
      expect(queue.size).to.equal(MOST_DEFERRED);
      keys(users, 'a');
      expect(drained()).to.deep.equal(['all']);
    });
  });
});
