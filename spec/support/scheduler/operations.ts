import { cacheable, cacheEvict, cachePut, currentLoad } from 'cachewell';
import { KEYS, TAGS } from './keys.js';
import type { LoadKind } from './one-load.js';
import type { Actor, OperationRow } from './operation.js';
import { settle } from './schedule.js';
import { TRANSACTIONS } from './transactions.js';
import { nodeState } from './world.js';

const PREFIX = 'a';
const every = (): boolean => true;
const own =
  ({ key }: Actor) =>
  (hit: string): boolean =>
    hit === key;
const tagged = (_: string, tags: readonly string[]): boolean => tags.includes(TAGS[0]!);
const KEY = (key: string): string => key;
const cache = 'users';

/** Ways of filling: all of them reads, too. */
const FILLS: readonly OperationRow[] = [
  fill('getOrSet', (actor) =>
    actor.cache.getOrSet(actor.key, async () => (await actor.load())[0]!),
  ),
  fill('getOrSet with tags', (actor) =>
    actor.cache.getOrSet(actor.key, async () => (await actor.load(undefined, TAGS))[0]!, {
      tags: TAGS,
    }),
  ),
  fill('getOrSet with tags that the load adds', (actor) =>
    actor.cache.getOrSet(actor.key, async (context) => {
      const [value] = await actor.load(undefined, TAGS);
      context.tags.add(...TAGS);
      return value!;
    }),
  ),
  fill(
    'getOrSet with refresh',
    (actor) =>
      actor.cache.getOrSet(actor.key, async () => (await actor.load())[0]!, { refresh: true }),
    'forced',
  ),
  fill(
    'getOrSet without sharing',
    (actor) =>
      actor.cache.getOrSet(actor.key, async () => (await actor.load(undefined, TAGS))[0]!, {
        sync: false,
        tags: TAGS,
      }),
    'own',
  ),
  fill('@Cacheable', (actor) =>
    cacheable(async (_key: string) => (await actor.load())[0]!, {
      cache,
      key: KEY,
      manager: actor.manager,
    })(actor.key),
  ),
  fill('@Cacheable with tagsOf', (actor) =>
    cacheable(async (_key: string) => (await actor.load(undefined, TAGS))[0]!, {
      cache,
      key: KEY,
      tagsOf: (_value: number) => TAGS,
      manager: actor.manager,
    })(actor.key),
  ),
  {
    name: 'getOrSetMany',
    kind: 'fill',
    loads: 'shared',
    run: (actor) =>
      actor.read(
        () =>
          actor.cache.getOrSetMany(
            KEYS,
            async (missing) => {
              const values = await actor.load(missing, TAGS);
              return new Map(missing.map((key, index) => [key, values[index]!]));
            },
            { tags: TAGS },
          ),
        (values) => values,
      ),
  },
  {
    name: 'getOrSetMany with tags that the load adds',
    kind: 'fill',
    loads: 'shared',
    run: (actor) =>
      actor.read(
        () =>
          actor.cache.getOrSetMany(KEYS, async (missing, context) => {
            const values = await actor.load(missing, TAGS);
            context.tags.add(...TAGS);
            return new Map(missing.map((key, index) => [key, values[index]!]));
          }),
        (values) => values,
      ),
  },
  bulk('@Cacheable with each', []),
  bulk('@Cacheable with each and tagsOf', TAGS),
  {
    name: 'warm',
    kind: 'fill',
    // Loads what is there already, too.
    loads: 'forced',
    run: (actor) =>
      actor.cache.warm([[actor.key, async () => (await actor.load(undefined, TAGS))[0]!]], {
        tags: TAGS,
      }),
  },
  {
    name: 'warm with tags that the load adds',
    kind: 'fill',
    loads: 'forced',
    run: (actor) =>
      actor.cache.warm([
        [
          actor.key,
          async () => {
            const context = currentLoad()!;
            const [value] = await actor.load(undefined, TAGS);
            context.tags.add(...TAGS);
            return value!;
          },
        ],
      ]),
  },
];

/** Ways of invalidating. */
const VOIDS: readonly OperationRow[] = [
  invalidation('delete', own, ({ cache: users, key }) => users.delete(key)),
  invalidation(
    'deleteMany',
    () => every,
    ({ cache: users }) => users.deleteMany(KEYS),
  ),
  invalidation(
    'deletePattern',
    () => every,
    ({ cache: users }) => users.deletePattern(`${PREFIX}*`),
  ),
  invalidation('deletePattern of one key', own, ({ cache: users, key }) =>
    users.deletePattern(`*${key.slice(1)}`),
  ),
  invalidation(
    'invalidateTags',
    () => tagged,
    ({ cache: users }) => users.invalidateTags(TAGS[0]!, 'red'),
  ),
  invalidation(
    'invalidateTags, all of them',
    () => tagged,
    ({ manager }) => manager.invalidateTags({ all: TAGS }),
  ),
  invalidation(
    'clear',
    () => every,
    ({ cache: users }) => users.clear(),
  ),
  invalidation(
    'clearAll',
    () => every,
    ({ manager }) => manager.clearAll(),
  ),
  invalidation('expire at once', own, ({ cache: users, key }) => users.expire(key, 0)),
  {
    name: 'set',
    kind: 'void',
    run: (actor) => actor.set([actor.key], ([id]) => actor.cache.set(actor.key, id!)),
  },
  {
    name: 'setMany',
    kind: 'void',
    run: (actor) =>
      actor.set(KEYS, async (ids) => {
        const stored = await actor.cache.setMany(KEYS.map((key, index) => [key, ids[index]!]));
        return stored === KEYS.length;
      }),
  },
  writing('@CachePut', own, true, (actor, method) =>
    cachePut(async (_key: string) => method(), { cache, key: KEY, manager: actor.manager }),
  ),
  writing('@CachePut with keyOf', own, true, (actor, method) =>
    cachePut(async (_key: string) => method(), {
      cache,
      keyOf: (_value: number) => actor.key,
      manager: actor.manager,
    }),
  ),
  writing('@CacheEvict', own, false, (actor, method) =>
    cacheEvict(async (_key: string) => method(), { cache, key: KEY, manager: actor.manager }),
  ),
  writing(
    '@CacheEvict with allEntries',
    () => every,
    false,
    (actor, method) =>
      cacheEvict(async (_key: string) => method(), {
        cache,
        allEntries: true,
        manager: actor.manager,
      }),
  ),
  writing(
    '@CacheEvict with tags',
    () => tagged,
    false,
    (actor, method) =>
      cacheEvict(async (_key: string) => method(), { cache, tags: TAGS, manager: actor.manager }),
  ),
  writing(
    '@CacheEvict with a pattern',
    () => every,
    false,
    (actor, method) =>
      cacheEvict(async (_key: string) => method(), {
        cache,
        pattern: `${PREFIX}*`,
        manager: actor.manager,
      }),
  ),
  {
    name: '@CacheEvict beforeInvocation',
    kind: 'void',
    run: async (actor) => {
      const issued = actor.issue(own(actor));
      const evict = cacheEvict(
        async (_key: string) => {
          actor.acknowledge(issued);
          await actor.pause('the method ends');
        },
        { cache, key: KEY, beforeInvocation: true, manager: actor.manager },
      );
      await evict(actor.key);
    },
  },
];

/** Reads that load nothing, and what only seems to change an entry. */
const READS: readonly OperationRow[] = [
  { name: 'get', kind: 'read', run: (actor) => actor.read(() => actor.cache.get(actor.key)) },
  {
    name: 'getMany',
    kind: 'read',
    run: (actor) =>
      actor.read(
        () => actor.cache.getMany(KEYS),
        (values) => values,
      ),
  },
  {
    name: 'getEntry',
    kind: 'read',
    run: (actor) =>
      actor.read(
        () => actor.cache.getEntry(actor.key),
        ({ value }) => [[actor.key, value]],
      ),
  },
  { name: 'expire later', kind: 'read', run: (actor) => actor.cache.expire(actor.key, '2h') },
];

/** What happens to a store by itself. */
const MISHAPS: readonly OperationRow[] = [
  {
    name: 'a key is lost',
    kind: 'world',
    losesData: true,
    run: async ({ world, schedule }) => {
      schedule.touch('store', 'write');
      const random = Number(`0.${schedule.trace.length * 7919}`);
      schedule.note(`lost: ${world.lose?.(random) ?? 'nothing'}`);
    },
  },
  {
    name: 'the scripts are forgotten',
    kind: 'world',
    // A store whose script was unknown is not tried again where something may have come between.
    losesData: true,
    run: async ({ world, schedule }) => {
      schedule.touch('store', 'write');
      world.forgetScripts?.();
    },
  },
  ...[20, 70_000].map((ms): OperationRow => ({
    name: `${ms} ms pass`,
    kind: 'world',
    run: ({ time, schedule, world }) => {
      // Timers of every process, and what expires in the store.
      for (const { index } of world.nodes) schedule.touch(nodeState(index), 'write');
      schedule.touch('store', 'write');
      return time.pass(ms, settle);
    },
  })),
];

/** Another form of an operation that is here, too. */
const VARIANTS = new Set([
  '@CachePut with keyOf',
  'getOrSet',
  '@Cacheable',
  '@Cacheable with tagsOf',
  '@Cacheable with each',
  '@Cacheable with each and tagsOf',
  'getOrSet in a transaction',
  'deletePattern of one key',
  'setMany',
  '@CacheEvict',
  '@CacheEvict with allEntries',
  '@CacheEvict with tags',
  '@CacheEvict with a pattern',
  '@CacheEvict beforeInvocation',
]);
const PUTS = new Set([
  'set',
  'setMany',
  '@CachePut',
  '@CachePut with keyOf',
  'put in a transaction',
  'clear and put in a transaction',
]);
const BY_TAG = new Set([
  'getOrSet with tags that the load adds',
  '@Cacheable with tagsOf',
  'getOrSetMany with tags that the load adds',
  '@Cacheable with each and tagsOf',
  'warm with tags that the load adds',
  'invalidateTags',
  'invalidateTags, all of them',
  'invalidateTags in a transaction',
  '@CacheEvict with tags',
]);
const REPRESENTATIVES = new Set([
  'getOrSet with tags',
  'getOrSetMany',
  'delete',
  'deletePattern',
  'invalidateTags',
  '@CachePut',
]);

/** Every operation that schedules are made of. */
export const OPERATIONS: readonly OperationRow[] = [
  ...FILLS,
  ...VOIDS,
  ...TRANSACTIONS.map((row) => ({ ...row, isTransaction: true })),
  ...READS,
  ...MISHAPS,
].map((row) => ({
  ...row,
  isVariant: VARIANTS.has(row.name),
  isRepresentative: REPRESENTATIVES.has(row.name),
  isPut: PUTS.has(row.name),
  isByTag: BY_TAG.has(row.name),
}));

export function operationsOf(
  kind: OperationRow['kind'],
  among: readonly OperationRow[] = OPERATIONS,
): readonly OperationRow[] {
  return among.filter((row) => row.kind === kind);
}

/** Rows that came after the seeds of {@link EARLIER_OPERATIONS}. */
const LATER = new Set([
  'getOrSetMany with tags that the load adds',
  '@Cacheable with each and tagsOf',
  'warm with tags that the load adds',
]);

/**
 * What random schedules were made of on 2026-11-22, in the same order. A seed means something else with every row that is
 * added, so what a seed has found then is run again with these.
 */
export const EARLIER_OPERATIONS: readonly OperationRow[] = OPERATIONS.filter(
  ({ name }) => !LATER.has(name),
);

/** A call of a method with `each`: its `this`. */
interface BulkCall {
  readonly actor: Actor;
  /** What its results have, and nobody knows before. */
  readonly tags: readonly string[];
}
type BulkFunction = (this: BulkCall, keys: readonly string[]) => Promise<number[]>;

/** One function for each manager, for two without keys would answer for each other. */
const bulks = new WeakMap<Actor['manager'], BulkFunction>();

function bulkOf({ manager }: Actor): BulkFunction {
  let found = bulks.get(manager);
  if (found === undefined) {
    const load: BulkFunction = async function (keys) {
      return this.actor.load(keys, this.tags);
    };
    found = cacheable(load, {
      cache,
      each: { arg: 0 },
      tagsOf(this: BulkCall) {
        return this.tags;
      },
      manager,
    }) as BulkFunction;
    bulks.set(manager, found);
  }
  return found;
}

function bulk(name: string, tags: readonly string[]): OperationRow {
  return {
    name,
    kind: 'fill',
    // Where a process has called the method for nothing yet, it asks for one id whatever is cached: for the form.
    loads: 'forced',
    run: (actor) =>
      actor.read(
        () => bulkOf(actor).call({ actor, tags }, KEYS),
        (values) => KEYS.map((key, index) => [key, values[index]] as const),
      ),
  };
}

function fill(
  name: string,
  work: (actor: Actor) => Promise<number>,
  loads: LoadKind = 'shared',
): OperationRow {
  return { name, kind: 'fill', loads, run: (actor) => actor.read(() => work(actor)) };
}

function invalidation(
  name: string,
  hits: (actor: Actor) => (key: string, tags: readonly string[]) => boolean,
  work: (actor: Actor) => Promise<unknown>,
): OperationRow {
  return { name, kind: 'void', run: (actor) => actor.invalidate(hits(actor), () => work(actor)) };
}

function writing(
  name: string,
  hits: (actor: Actor) => (key: string, tags: readonly string[]) => boolean,
  isPut: boolean,
  decorate: (actor: Actor, method: () => Promise<number>) => (key: string) => Promise<unknown>,
): OperationRow {
  return {
    name,
    kind: 'void',
    run: (actor) => actor.write(hits(actor), (method) => decorate(actor, method)(actor.key), isPut),
  };
}
