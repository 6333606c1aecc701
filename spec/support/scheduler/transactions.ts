import { TAGS } from './keys.js';
import type { Actor, OperationRow } from './operation.js';
import type { Invalidation, Issued } from './origin.js';

const every = (): boolean => true;
const tagged = (_: string, tags: readonly string[]): boolean => tags.includes(TAGS[0]!);
const own =
  ({ key }: Actor) =>
  (hit: string): boolean =>
    hit === key;

/** What a transaction fails with, on purpose. */
class Rollback extends Error {
  override readonly name = 'Rollback';
}

/**
 * What is done in transactions. It binds others from the end of a transaction on, and what was put is seen by nobody
 * else before; after a failure, never.
 */
export const TRANSACTIONS: readonly OperationRow[] = [
  {
    name: 'getOrSet in a transaction',
    kind: 'fill',
    run: (actor) =>
      actor.manager.transaction(async () => {
        const load = async (): Promise<number> =>
          // What was loaded inside may be what nobody else is to know yet, and stays there.
          (await actor.load(undefined, TAGS, { isWithheld: true }))[0]!;
        await actor.read(() => actor.cache.getOrSet(actor.key, load, { tags: TAGS }));
        await actor.pause('the transaction ends');
        await actor.read(() => actor.cache.get(actor.key));
      }),
  },
  evicting('delete', own, ({ cache, key }) => cache.delete(key)),
  evicting(
    'clear',
    () => every,
    ({ cache }) => cache.clear(),
  ),
  evicting(
    'invalidateTags',
    () => tagged,
    ({ cache }) => cache.invalidateTags(TAGS[0]!),
  ),
  putting('put', own, async () => undefined),
  putting(
    'clear and put',
    () => every,
    ({ cache }) => cache.clear(),
  ),
  {
    name: 'a transaction that throws',
    kind: 'void',
    run: async (actor): Promise<void> => {
      let issued: Invalidation | undefined;
      const work = actor.manager.transaction(async () => {
        await actor.cache.delete(actor.key);
        await put(actor);
        await actor.pause('the transaction fails');
        // What it had done may have been done all the same, so its invalidations bind others.
        issued = actor.issue(own(actor));
        throw new Rollback('on purpose');
      });
      await work.catch((error: unknown) => {
        if (!(error instanceof Rollback)) throw error;
      });
      actor.acknowledge(issued!);
    },
  },
];

/** A transaction that ends well. `work` gives what issues its invalidation when it does. */
function committed(
  name: string,
  work: (actor: Actor) => Promise<() => Invalidation>,
): OperationRow {
  return {
    name: `${name} in a transaction`,
    kind: 'void',
    run: async (actor): Promise<void> => {
      const issued = await actor.manager.transaction(async () => {
        const issue = await work(actor);
        await actor.pause('the transaction ends');
        return issue();
      });
      // A put that came too late has voided its key.
      actor.acknowledge(issued);
    },
  };
}

function evicting(
  name: string,
  hits: (actor: Actor) => Invalidation['hits'],
  work: (actor: Actor) => Promise<unknown>,
): OperationRow {
  return committed(name, async (actor) => {
    await work(actor);
    return () => actor.issue(hits(actor));
  });
}

function putting(
  name: string,
  hits: (actor: Actor) => Invalidation['hits'],
  before: (actor: Actor) => Promise<unknown>,
): OperationRow {
  return committed(name, async (actor) => {
    await before(actor);
    const value = await put(actor);
    return () => {
      actor.publish(value);
      return actor.issue(hits(actor), new Set([value.id]));
    };
  });
}

/** Nothing expires in less. In milliseconds. */
const SHORT_MS = 1_000;

/** Sets a value that the transaction sees at once. */
async function put(actor: Actor): Promise<Issued> {
  const sinceMs = actor.time.now();
  const value = actor.withhold(TAGS);
  await actor.cache.set(actor.key, value.id, { tags: TAGS });
  actor.settle(value);
  const seen = await actor.cache.get(actor.key);
  const isOld = actor.time.now() - sinceMs >= SHORT_MS;
  if (seen === value.id || (isOld && seen === undefined)) return value;
  throw new Error(`the transaction put ${value.id}, and sees ${String(seen)}`);
}
