import { expect } from 'chai';
import fc from 'fast-check';
import type { EvictionNode } from '#internal/backends/memory/eviction-policy.js';
import { LruPolicy } from '#internal/backends/memory/lru-policy.js';

class Node implements EvictionNode<Node> {
  readonly sizeBytes = 0;
  policyPrevious: Node | undefined = undefined;
  policyNext: Node | undefined = undefined;
  policyState = 0;

  constructor(readonly key: string) {}
}

/** Evicts all, and gives the keys in that order. */
function drain(policy: LruPolicy<Node>): string[] {
  const keys: string[] = [];
  for (let node = policy.victim(); node !== undefined; node = policy.victim()) {
    keys.push(node.key);
    policy.onRemove(node);
  }
  return keys;
}

describe(LruPolicy.name, () => {
  const make = (keys: string): { policy: LruPolicy<Node>; nodes: Record<string, Node> } => {
    const policy = new LruPolicy<Node>();
    const nodes: Record<string, Node> = {};
    for (const key of keys) policy.onInsert((nodes[key] = new Node(key)));
    return { policy, nodes };
  };

  describe('#victim', () => {
    it('returns nothing, when there is no entry', () => {
      expect(new LruPolicy<Node>().victim()).to.equal(undefined);
    });

    it('returns the oldest entry, when none was used', () => {
      expect(drain(make('abc').policy)).to.deep.equal(['a', 'b', 'c']);
    });
  });

  describe('#onHit', () => {
    for (const [hit, order] of [
      ['a', 'bca'],
      ['b', 'acb'],
      ['c', 'abc'],
    ] as const) {
      it(`makes '${hit}' of three the last to go`, () => {
        const { policy, nodes } = make('abc');
        policy.onHit(nodes[hit]!);
        expect(drain(policy).join('')).to.equal(order);
      });
    }

    it('keeps a single entry', () => {
      const { policy, nodes } = make('a');
      policy.onHit(nodes['a']!);
      expect(drain(policy)).to.deep.equal(['a']);
    });
  });

  describe('#onUpdate', () => {
    it('keeps the place, for a refresh is no use', () => {
      const { policy, nodes } = make('abc');
      policy.onUpdate(nodes['a']!, new Node('A'));
      expect(drain(policy)).to.deep.equal(['A', 'b', 'c']);
    });
  });

  describe('#onRemove', () => {
    it('clears the links, so that a reader who holds the entry holds no other', () => {
      const { policy, nodes } = make('abc');
      policy.onRemove(nodes['b']!);
      expect(nodes['b']!.policyPrevious).to.equal(undefined);
      expect(nodes['b']!.policyNext).to.equal(undefined);
      expect(drain(policy)).to.deep.equal(['a', 'c']);
    });
  });

  it('keeps the order of a plain list, under any calls', () => {
    const call = fc.record({ kind: fc.constantFrom('use', 'update', 'remove'), key: fc.nat(7) });
    fc.assert(
      fc.property(fc.array(call), (calls) => {
        const policy = new LruPolicy<Node>();
        let expected: Node[] = [];
        for (const { kind, key } of calls) {
          const name = String(key);
          const found = expected.find((node) => node.key === name);
          const place = found === undefined ? -1 : expected.indexOf(found);
          expected = expected.filter((node) => node !== found);
          if (found === undefined) {
            expected.push(new Node(name));
            policy.onInsert(expected.at(-1)!);
          } else if (kind === 'use') {
            expected.push(found);
            policy.onHit(found);
          } else if (kind === 'update') {
            expected.splice(place, 0, new Node(name));
            policy.onUpdate(found, expected[place]!);
          } else {
            policy.onRemove(found);
          }
          expect(policy.victim()).to.equal(expected[0]);
        }
        expect(drain(policy)).to.deep.equal(expected.map((node) => node.key));
      }),
    );
  });
});
