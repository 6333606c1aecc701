import { expect } from 'chai';
import type { FillToken, TagSelection } from '#internal/cache/backend.js';
import { compilePattern } from '#internal/cache/key-pattern.js';
import type { FaultyOperation } from '#internal/testing/faulty-backend.js';
import { settle, type TieredNode, TieredNodes } from '../../../support/tiered-nodes.js';

/*
 * Every kind of invalidation against every way of filling the own tier, in every order of their steps: issue, execution
 * in the shared store, its answer, and the delivery of the message. The origin changes when the invalidation is issued;
 * once it is acknowledged and delivered, nobody may see what was loaded before that.
 */

type Step = () => unknown;

const TAGS = { tags: ['blue', 'red'] };

/** What is going on, for one order of steps. */
interface Scene {
  readonly filler: TieredNode;
  readonly invalidator: TieredNode;
  origin: string;
  /** What the writes that the scene began are to end with. */
  readonly pending: Promise<unknown>[];
}

interface Side {
  readonly name: string;
  readonly steps: (scene: Scene) => readonly Step[];
}

/** The steps of one call: it is issued, executed by the shared store, answered. */
function stepsOf(
  scene: Scene,
  node: TieredNode,
  operation: FaultyOperation,
  call: () => unknown,
): readonly Step[] {
  let release = { execute: (): void => undefined, answer: (): void => undefined };
  return [
    () => {
      const request = node.l2.request.hold(operation);
      const response = node.l2.hold(operation, 'response');
      release = { execute: () => request.release(), answer: () => response.release() };
      scene.pending.push(Promise.resolve(call()));
    },
    () => release.execute(),
    () => release.answer(),
  ];
}

const invalidation = (
  name: string,
  operation: FaultyOperation,
  call: (node: TieredNode) => unknown,
): Side => ({
  name,
  steps: (scene) => [
    ...stepsOf(scene, scene.invalidator, operation, () => {
      scene.origin = 'new';
      return call(scene.invalidator);
    }),
    () => scene.filler.bus.release(),
  ],
});

const byTags = (selection: TagSelection) => (node: TieredNode) =>
  node.backend.invalidateTags(selection);

const INVALIDATIONS: readonly Side[] = [
  invalidation('delete', 'delete', (node) => node.store.delete(['k'])),
  invalidation('delete of many', 'delete', (node) => node.store.delete(['j', 'k', 'l'])),
  invalidation('pattern', 'deletePattern', (node) =>
    node.store.deletePattern(compilePattern('k*')),
  ),
  invalidation('clear', 'clear', (node) => node.store.clear()),
  invalidation('clear of all caches', 'clearAll', (node) => node.backend.clearAll()),
  invalidation('any of tags', 'invalidateTags', byTags({ anyOf: ['blue', 'green'] })),
  invalidation('all of tags', 'invalidateTags', byTags({ allOf: ['blue', 'red'] })),
  invalidation('set', 'store', (node) => node.set('k', 'new', TAGS)),
];

/** A load, whose value is what the origin says when the token is there. */
const fill = (name: string, keys: readonly string[], isBeginHeld: boolean): Side => ({
  name,
  steps: (scene) => {
    let tokens: readonly FillToken[] = [];
    let loaded = '';
    const taken = async (): Promise<void> => {
      tokens = (await scene.filler.store.begin(keys)).map(({ token }) => token);
      loaded = scene.origin;
    };
    const begin = isBeginHeld ? stepsOf(scene, scene.filler, 'begin', taken) : [taken];
    const store = stepsOf(scene, scene.filler, 'store', () =>
      scene.filler.store.store(
        tokens.map((token) => ({
          key: token.key,
          entry: scene.filler.entry(loaded, TAGS),
          fence: { kind: 'fill', token },
        })),
      ),
    );
    return [...begin, ...store];
  },
});

/** A read of what the shared store has from before. */
const copy = (
  name: string,
  operation: FaultyOperation,
  read: (node: TieredNode) => unknown,
): Side => ({
  name,
  steps: (scene) => stepsOf(scene, scene.filler, operation, () => read(scene.filler)),
});

/** A put, of what the origin says when it is called. */
const put = (name: string, begin: (node: TieredNode) => Promise<FillToken>): Side => ({
  name,
  steps: (scene) => {
    let token: FillToken | undefined;
    let value = '';
    return [
      async () => {
        token = await begin(scene.filler);
        value = scene.origin;
      },
      ...stepsOf(scene, scene.filler, 'store', () =>
        scene.filler.write('k', value, { kind: 'put', token: token! }, TAGS),
      ),
    ];
  },
});

const FILLS: readonly Side[] = [
  fill('a load', ['k'], true),
  fill('a load of many', ['j', 'k'], false),
  copy('a copy', 'get', (node) => node.store.get('k')),
  copy('a copy of many', 'getMany', (node) => node.store.getMany(['j', 'k'])),
  put('a put', (node) => node.begin('k')),
  put('a put whose key its result tells', async (node) => node.store.watch()),
];

/** All ways to merge two sequences. */
function* merges(left: readonly Step[], right: readonly Step[]): Generator<Order> {
  if (left.length === 0 || right.length === 0) {
    yield [...left.map(() => 0 as const), ...right.map(() => 1 as const)];
    return;
  }
  for (const rest of merges(left.slice(1), right)) yield [0, ...rest];
  for (const rest of merges(left, right.slice(1))) yield [1, ...rest];
}

/** Which of two sides takes the next step, from the first to the last. */
type Order = readonly (0 | 1)[];

async function play(
  filling: Side,
  invalidating: Side,
  order: Order,
  where: 'elsewhere' | 'here',
): Promise<readonly unknown[]> {
  const nodes = new TieredNodes(2);
  try {
    const [filler, other] = nodes.nodes as [TieredNode, TieredNode];
    const invalidator = where === 'here' ? filler : other;
    await settle();
    // Only copies find something in the shared store; a load would not begin otherwise.
    if (filling.name.startsWith('a copy')) {
      await other.set('k', 'old', TAGS);
      await other.set('j', 'old', TAGS);
      await settle();
    }
    filler.bus.hold();
    const scene: Scene = { filler, invalidator, origin: 'old', pending: [] };
    const sides: readonly [Step[], Step[]] = [
      [...filling.steps(scene)],
      [...invalidating.steps(scene)],
    ];
    for (const side of order) {
      sides[side].shift()!();
      await settle();
    }
    await Promise.all(scene.pending);
    await settle();
    return [await filler.get('k'), await filler.get('k'), await other.get('k')];
  } finally {
    await nodes.close();
  }
}

describe('A tiered cache under every order of an invalidation and a fill', () => {
  for (const where of ['elsewhere', 'here'] as const) {
    for (const invalidating of INVALIDATIONS) {
      for (const filling of FILLS) {
        it(`shows nothing old after ${invalidating.name} ${where} against ${filling.name}`, async () => {
          const scene = {} as Scene;
          const orders = merges(filling.steps(scene), invalidating.steps(scene));
          let count = 0;
          for (const order of orders) {
            const seen = await play(filling, invalidating, order, where);
            expect(seen, `order ${order.join('')}`).not.to.include('old');
            count += 1;
          }
          expect(count).to.be.at.least(35);
        });
      }
    }
  }
});
