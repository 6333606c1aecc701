import { expect } from 'chai';
import fc from 'fast-check';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import type { Cache } from '#internal/cache/cache.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import type { CacheDefinition } from '#internal/cache/cache-handle.js';
import { judge as freshnessOf } from '#internal/cache/freshness.js';
import { currentLoad } from '#internal/cache/load-context.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { isCacheError } from '#internal/errors.js';
import { FaultyBackend } from '#internal/testing/faulty-backend.js';
import { ManualClock } from '#internal/testing/manual-clock.js';
import { LeasingCluster } from '../support/leasing-cluster.js';
import { SharedFaultyBackend } from '../support/shared-faulty-backend.js';
import { TransactionSession } from '../support/transaction-session.js';

/*
 * Options of time, outages, transactions and several nodes together, in random order: loads are begun and ended one by
 * one, and anything may happen in between. Judged: P1 for every value that comes out of a read; that nothing older than
 * its windows is served; that every call settles, with an error only where its load failed or it asked for failures;
 * that no work is left behind.
 */

/** How many runs; the ordinary suite is content with fewer. */
const RUNS = Number(process.env['TIME_RUNS'] ?? 1_500);

const KEYS = [1, 2] as const;
const TAG = 'blue';
type Key = (typeof KEYS)[number];
type Texts = Cache<readonly [number], string | undefined>;

type Step =
  | {
      readonly kind: 'read' | 'refresh' | 'many' | 'leave';
      readonly node: number;
      readonly key: Key;
      readonly isInside: boolean;
    }
  | {
      readonly kind:
        'get' | 'delete' | 'set' | 'pattern' | 'tags' | 'clear' | 'clearAll' | 'expire';
      readonly node: number;
      readonly key: Key;
      readonly isInside: boolean;
    }
  | { readonly kind: 'begin' | 'commit' | 'roll back'; readonly node: number }
  | { readonly kind: 'end'; readonly which: number; readonly how: Ending }
  | { readonly kind: 'pass'; readonly ms: number }
  | {
      readonly kind: 'fail';
      readonly node: number;
      readonly what: 'begin' | 'store' | 'get' | 'all';
    }
  | { readonly kind: 'heal' | 'switch'; readonly node: number };

/** How a load ends: with a value, tagged or not, that is stored or not; with nothing; with an error. */
type Ending = 'value' | 'tagged' | 'unstored' | 'undefined' | 'error';

const node = fc.nat({ max: 1 });
const key = fc.constantFrom(...KEYS);
const isInside = fc.boolean();
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('read', 'read', 'read', 'refresh', 'many', 'leave'),
      node,
      key,
      isInside,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        ...([
          'get',
          'get',
          'delete',
          'set',
          'pattern',
          'tags',
          'clear',
          'clearAll',
          'expire',
        ] as const),
      ),
      node,
      key,
      isInside,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      which: fc.nat({ max: 3 }),
      how: fc.constantFrom<Ending>('value', 'value', 'tagged', 'unstored', 'undefined', 'error'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.constantFrom(1, 400, 1_000, 5_000, 20_000),
    }),
  },
  fc.record({ kind: fc.constantFrom('begin', 'commit', 'roll back'), node }),
  fc.record({
    kind: fc.constant('fail' as const),
    node,
    what: fc.constantFrom('begin', 'store', 'get', 'all'),
  }),
  fc.record({ kind: fc.constantFrom('heal', 'heal', 'switch'), node }),
);

const definition = fc.record({
  ttl: fc.constant('1s'),
  staleWhileRevalidate: fc.constantFrom(0, '2s'),
  staleIfError: fc.constantFrom(0, '10s'),
  staleThrottle: fc.constantFrom(0, '3s'),
  refreshAhead: fc.constantFrom(false as const, 0.4, 'xfetch' as const),
  softTimeout: fc.constantFrom(Infinity, 0),
  hardTimeout: fc.constant(Infinity),
}) as fc.Arbitrary<CacheDefinition>;

const settings = fc.record({
  definition,
  world: fc.constantFrom('memory', 'shared', 'leases'),
  steps: fc.array(step, { minLength: 4, maxLength: 40 }),
});

interface Written {
  readonly value: string;
  readonly key: Key;
  readonly at: number;
  isTagged: boolean;
  /** The transaction that put it. */
  readonly session: TransactionSession | undefined;
  /** By the clock; when its load ended. */
  storedAt: number;
}

interface Voiding {
  /** Whom it binds: all, or while it is deferred only its own node. */
  readonly node: number;
  readonly issuedAt: number;
  ackedAt: number;
  isDeferred: boolean;
  readonly hits: (written: Written) => boolean;
}

interface Load {
  readonly keys: readonly Key[];
  readonly written: readonly Written[];
  end(how: Ending): void;
}

const REFUSED = Symbol('refused');
/** What a store that is out of reach cannot do; what it is asked to store meanwhile is refused above it. */
const ALL = [
  ...(['get', 'getMany', 'begin', 'beginTurns', 'delete', 'deletePattern'] as const),
  ...(['clear', 'invalidateTags', 'clearAll'] as const),
];

class Failed extends Error {}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
}

class Run {
  readonly clock = new ManualClock();
  readonly nodes: {
    readonly manager: CacheManager;
    readonly cache: Texts;
    readonly backend: FaultyBackend;
  }[];
  readonly cluster: LeasingCluster | undefined;
  readonly isShared: boolean;
  readonly #values = new Map<string, Written>();
  readonly #voidings: Voiding[] = [];
  readonly #loads: Load[] = [];
  readonly #open = new Set<string>();
  readonly #sessions = new Map<number, TransactionSession>();
  readonly #definition: CacheDefinition;
  readonly #faults: Error[] = [];
  #managers = 0;
  #order = 0;
  #calls = 0;
  reads = 0;

  constructor({ definition: given, world }: { definition: CacheDefinition; world: string }) {
    const stale = Number(given.staleWhileRevalidate !== 0 || given.staleIfError !== 0);
    const own = stale === 1 ? given : { ...given, softTimeout: Infinity };
    this.#definition = { ...own, ...(world === 'leases' && { sync: 'cluster' as const }) };
    this.isShared = world !== 'memory';
    this.cluster = world === 'leases' ? new LeasingCluster(this.clock) : undefined;
    const backends =
      this.cluster !== undefined
        ? [this.cluster.node(), this.cluster.node()]
        : [
            world === 'memory'
              ? new FaultyBackend(new MemoryBackend({ sweepInterval: Infinity }))
              : new SharedFaultyBackend(new MemoryBackend({ sweepInterval: Infinity })),
          ];
    this.nodes = backends.map((backend) => {
      const manager = new CacheManager({ backend, clock: this.clock, logger: silentLogger });
      const at = this.#managers++;
      // Which of those that are under way it was is not told; it binds its own node only.
      manager.on('deferred', () => {
        for (const each of this.#voidings) {
          if (each.node === at && each.ackedAt === Infinity) each.isDeferred = true;
        }
      });
      return { manager, cache: manager.cache('a', this.#definition) as Texts, backend };
    });
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const each of steps) {
      await this.#step(each);
      await turns();
      if (this.#faults.length > 0) throw this.#faults[0]!;
    }
    await this.#finish();
    if (this.#faults.length > 0) throw this.#faults[0]!;
  }

  async #finish(): Promise<void> {
    for (const { backend, manager } of this.nodes) {
      backend.heal();
      manager.enabled = true;
    }
    for (const [at] of this.#sessions) await this.#end(at, true);
    for (let round = 0; round < 40 && (this.#loads.length > 0 || this.#open.size > 0); round++) {
      while (this.#loads.length > 0) this.#loads.shift()!.end('value');
      await turns();
    }
    expect([...this.#open], 'calls that do not settle').to.deep.equal([]);
    for (const { manager } of this.nodes) {
      expect(manager.core('a').ownFlights.size, 'flights left behind').to.equal(0);
    }
    expect(this.cluster?.leases ?? 0, 'leases left behind').to.equal(0);
    await Promise.all(this.nodes.map(({ manager }) => manager.close({ timeout: 0 })));
  }

  async #step(each: Step): Promise<void> {
    switch (each.kind) {
      case 'end':
        this.#loads.splice(each.which % Math.max(1, this.#loads.length), 1)[0]?.end(each.how);
        return;
      case 'pass':
        this.clock.advance(each.ms);
        return;
      default:
    }
    const at = each.node % this.nodes.length;
    const { backend, manager } = this.nodes[at]!;
    switch (each.kind) {
      case 'begin':
        if (!this.#sessions.has(at)) this.#sessions.set(at, new TransactionSession(manager));
        return;
      case 'commit':
      case 'roll back':
        await this.#end(at, each.kind === 'commit');
        return;
      case 'fail':
        // A store that is not shared does not fail to invalidate; a double of leases ends none when it fails to store.
        if (each.what === 'all') {
          if (this.isShared) for (const one of ALL) backend.fail(one);
        } else if (each.what !== 'store' || this.cluster === undefined) backend.fail(each.what);
        return;
      case 'heal':
        backend.heal();
        return;
      case 'switch':
        manager.enabled = !manager.enabled;
        return;
      default:
        await this.#call(each, at);
    }
  }

  #pendingVoidings = new Map<number, Voiding[]>();

  async #end(at: number, isSuccess: boolean): Promise<void> {
    const session = this.#sessions.get(at);
    if (session === undefined) return;
    this.#sessions.delete(at);
    const own = this.#pendingVoidings.get(at) ?? [];
    this.#pendingVoidings.delete(at);
    if (isSuccess) await session.commit();
    else await session.fail();
    // They bind from here on; what was put inside is judged as of its put.
    for (const voiding of own) voiding.ackedAt = ++this.#order;
  }

  async #call(each: Extract<Step, { readonly key: Key }>, at: number): Promise<void> {
    const { cache, manager } = this.nodes[at]!;
    const session = each.isInside ? this.#sessions.get(at) : undefined;
    const name = `${++this.#calls}: ${each.kind} of ${each.key} on ${at}${session === undefined ? '' : ' inside'}`;
    const { key: k } = each;
    const isIn = session !== undefined;
    const load = (): Promise<string | undefined> => this.#load([k]).then((all) => all.get(k));
    const voids = (hits: Voiding['hits'], work: () => Promise<unknown>): (() => Promise<void>) => {
      return async () => {
        const voiding: Voiding = {
          node: at,
          issuedAt: ++this.#order,
          ackedAt: Infinity,
          isDeferred: false,
          hits,
        };
        this.#voidings.push(voiding);
        if (isIn) {
          const pending = this.#pendingVoidings.get(at) ?? [];
          this.#pendingVoidings.set(at, pending);
          pending.push(voiding);
        }
        const isDone = (await work()) !== REFUSED;
        if (!isIn && isDone) voiding.ackedAt = ++this.#order;
      };
    };
    let work: () => Promise<void>;
    switch (each.kind) {
      case 'read':
      case 'refresh':
      case 'leave': {
        const controller = each.kind === 'leave' ? new AbortController() : undefined;
        const options = { refresh: each.kind === 'refresh', signal: controller?.signal };
        work = async () => {
          const startedAt = ++this.#order;
          const pending = this.#pendingVoidings.get(at);
          if (controller !== undefined) setImmediate(() => controller.abort(new Failed('left')));
          const value = await cache.getOrSet(k, load, options);
          this.#judge(name, at, k, value, startedAt, session, pending);
        };
        break;
      }
      case 'many':
        work = async () => {
          const startedAt = ++this.#order;
          const pending = this.#pendingVoidings.get(at);
          const values = await cache.getOrSetMany([1, 2], (keys) => this.#load(keys as Key[]));
          for (const [one, value] of values) {
            this.#judge(name, at, one as Key, value, startedAt, session, pending);
          }
        };
        break;
      case 'get':
        work = async () => {
          const startedAt = ++this.#order;
          const pending = this.#pendingVoidings.get(at);
          this.#judge(name, at, k, await cache.get(k), startedAt, session, pending);
        };
        break;
      case 'set': {
        work = async () => {
          const written = this.#write(k, session);
          written.storedAt = this.clock.now();
          await voids(
            (other) => other.key === k && other !== written && other.at < written.at,
            // One that came too late has left the key to what came before it.
            async () => (await cache.set(k, written.value, { tags: [TAG] })) || REFUSED,
          )();
        };
        break;
      }
      case 'delete':
        work = voids(
          (other) => other.key === k,
          () => cache.delete(k),
        );
        break;
      case 'expire':
        work = voids(
          (other) => other.key === k,
          () => cache.expire(k, 0),
        );
        break;
      case 'pattern':
        work = voids(
          () => true,
          () => cache.deletePattern('*'),
        );
        break;
      case 'tags':
        work = voids(
          ({ isTagged }) => isTagged,
          () => manager.invalidateTags(TAG),
        );
        break;
      case 'clear':
        work = voids(
          () => true,
          () => cache.clear(),
        );
        break;
      case 'clearAll':
        work = voids(
          () => true,
          () => manager.clearAll(),
        );
        break;
      default:
        throw new RangeError('no such step');
    }
    this.#open.add(name);
    let running!: Promise<void>;
    // Inside, nothing is waited for: the transaction may end before it.
    if (session === undefined) running = work();
    else await session.run(async () => void (running = work()));
    running
      .catch((error: unknown) => {
        // Nothing but the load's own failure reaches a caller, the cache's never.
        if (error instanceof Failed && !isCacheError(error)) return;
        this.#faults.push(error as Error);
      })
      .finally(() => this.#open.delete(name));
  }

  #write(k: Key, session?: TransactionSession): Written {
    const at = ++this.#order;
    const written = { value: `v${at}`, key: k, at, session, isTagged: true, storedAt: Infinity };
    this.#values.set(written.value, written);
    return written;
  }

  /** A load of keys: its values are as old as its begin. It ends when a step says so. */
  #load(keys: readonly Key[]): Promise<Map<Key, string | undefined>> {
    const written = keys.map((each) => {
      const one = this.#write(each);
      one.isTagged = false;
      return one;
    });
    const context = currentLoad();
    return new Promise((resolve, reject) => {
      this.#loads.push({
        keys,
        written,
        end: (how) => {
          if (how === 'error') return reject(new Failed('down'));
          if (how === 'unstored') context?.doNotStore();
          if (how === 'tagged') context?.tags.add(TAG);
          for (const each of written) {
            each.storedAt = this.clock.now();
            each.isTagged = how === 'tagged';
          }
          const isAbsent = how === 'undefined';
          return resolve(new Map(isAbsent ? [] : written.map((each) => [each.key, each.value])));
        },
      });
    });
  }

  #judge(
    name: string,
    at: number,
    k: Key,
    value: string | undefined,
    startedAt: number,
    // As of the start: the transaction may have ended while the call was under way.
    session: TransactionSession | undefined,
    pending: readonly Voiding[] | undefined,
  ): void {
    if (value === undefined) return;
    this.reads++;
    const fail = (why: string): void => {
      this.#faults.push(new Error(`${name} gave ${value}: ${why}`));
    };
    const written = this.#values.get(value);
    if (written?.key !== k) return fail('nobody wrote that');
    for (const voiding of this.#voidings) {
      const isSeen =
        voiding.ackedAt < startedAt ||
        (session !== undefined &&
          voiding.node === at &&
          voiding.issuedAt < startedAt &&
          pending?.includes(voiding) === true);
      const isBinding = !voiding.isDeferred || voiding.node === at;
      if (!isSeen || !isBinding || !voiding.hits(written)) continue;
      // What a transaction has put is its own still, whatever others do.
      const isOwn = session !== undefined && written.session === session;
      if (isOwn && pending?.includes(voiding) !== true) continue;
      if (written.at < voiding.issuedAt) return fail(`it was void since ${voiding.issuedAt}`);
    }
    // A batch may wait for some of its keys with others in its hands.
    if (written.storedAt === Infinity || name.includes('many')) return;
    const entry = { expiresAt: written.storedAt + 1_000, kind: 'value' };
    const times = {
      staleWhileRevalidateMs: this.#definition.staleWhileRevalidate === 0 ? 0 : 2_000,
      staleIfErrorMs: this.#definition.staleIfError === 0 ? 0 : 10_000,
    };
    // Time passes only between steps, and a read of the store takes none.
    const isOld = freshnessOf(entry as never, this.clock.now(), times as never) === 'gone';
    if (isOld) fail('it is too old');
  }
}

describe('Options of time, outages, transactions and nodes together', function () {
  this.timeout(Math.max(60_000, RUNS * 40));
  const rejections: unknown[] = [];
  const note = (error: unknown): void => void rejections.push(error);
  before(() => process.on('unhandledRejection', note));
  after(() => process.off('unhandledRejection', note));

  it('keep P1 and every window, and let every call settle', async () => {
    let reads = 0;
    await fc.assert(
      fc.asyncProperty(settings, async ({ steps, ...given }) => {
        const run = new Run(given);
        await run.run(steps);
        reads += run.reads;
        expect(rejections).to.deep.equal([]);
      }),
      {
        numRuns: RUNS,
        ...(process.env['TIME_SEED'] && { seed: Number(process.env['TIME_SEED']) }),
      },
    );
    expect(reads).to.be.above(RUNS);
  });
});
