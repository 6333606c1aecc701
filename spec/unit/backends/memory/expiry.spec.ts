import { expect } from 'chai';
import fc from 'fast-check';
import { ExpiryQueue, type ExpiringNode } from '#internal/backends/memory/expiry.js';

const node = (retainedUntil: number): ExpiringNode => ({ retainedUntil, expiryIndex: -1 });

function drain(queue: ExpiryQueue<ExpiringNode>): number[] {
  const times: number[] = [];
  for (let next = queue.peek(); next !== undefined; next = queue.peek()) {
    times.push(next.retainedUntil);
    queue.remove(next);
  }
  return times;
}

describe(ExpiryQueue.name, () => {
  describe('#add', () => {
    it('takes no entry that never expires', () => {
      const queue = new ExpiryQueue();
      const never = node(Infinity);
      queue.add(never);
      expect(queue.size).to.equal(0);
      expect(never.expiryIndex).to.equal(-1);
      queue.remove(never);
      expect(queue.size).to.equal(0);
    });
  });

  describe('#remove', () => {
    it('does nothing, when the entry has gone already', () => {
      const queue = new ExpiryQueue();
      const [first, second] = [node(1), node(2)];
      queue.add(first);
      queue.add(second);
      queue.remove(first);
      queue.remove(first);
      expect(first.expiryIndex).to.equal(-1);
      expect(queue.peek()).to.equal(second);
      expect(queue.size).to.equal(1);
    });
  });

  it('gives the earliest first, whatever comes and goes', () => {
    const step = fc.record({ time: fc.nat(50), removes: fc.boolean(), which: fc.nat(100) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
        const queue = new ExpiryQueue();
        const inside: ExpiringNode[] = [];
        for (const { time, removes, which } of steps) {
          if (removes && inside.length > 0) {
            const [gone] = inside.splice(which % inside.length, 1);
            queue.remove(gone!);
          } else {
            inside.push(node(time));
            queue.add(inside.at(-1)!);
          }
          const earliest = Math.min(...inside.map(({ retainedUntil }) => retainedUntil));
          expect(queue.peek()?.retainedUntil ?? Infinity).to.equal(earliest);
          expect(queue.size).to.equal(inside.length);
        }
        const times = inside.map(({ retainedUntil }) => retainedUntil).sort((a, b) => a - b);
        expect(drain(queue)).to.deep.equal(times);
      }),
    );
  });
});
