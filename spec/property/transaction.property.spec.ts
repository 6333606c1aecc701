import { expect } from 'chai';
import fc from 'fast-check';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import type { Cache } from '#internal/cache/cache.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { SharedFaultyBackend } from '../support/shared-faulty-backend.js';
import { TransactionSession } from '../support/transaction-session.js';

/** Where a step is done: in one of two transactions, or in none. */
type Place = 0 | 1 | 'outside';

type Step =
  | { readonly kind: 'begin' | 'commit' | 'fail'; readonly place: 0 | 1 }
  | { readonly kind: 'get' | 'load' | 'delete'; readonly place: Place; readonly key: number }
  | {
      readonly kind: 'set';
      readonly place: Place;
      readonly key: number;
      readonly tags: readonly string[];
    }
  | { readonly kind: 'tags'; readonly place: Place; readonly tags: readonly string[] }
  | { readonly kind: 'pattern' | 'clear' | 'clearAll'; readonly place: Place };

const place = fc.constantFrom<Place>(0, 1, 'outside');
const key = fc.constantFrom(1, 2, 3);
const tags = fc.uniqueArray(fc.constantFrom('a', 'b'), { maxLength: 2 });

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('begin', 'commit', 'fail'),
    place: fc.constantFrom<0 | 1>(0, 1),
  }),
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('get', 'load'), place, key }) },
  fc.record({ kind: fc.constant('delete' as const), place, key }),
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('set' as const), place, key, tags }) },
  fc.record({ kind: fc.constant('tags' as const), place, tags }),
  fc.record({ kind: fc.constantFrom('pattern', 'clear', 'clearAll'), place }),
);

/** A value, by which it can be told what became of it. */
interface Written {
  readonly value: string;
  readonly key: number;
  readonly tags: readonly string[];
  /** In which run of a transaction it was made; `undefined` = outside. */
  readonly run: number | undefined;
  readonly isLoad: boolean;
  readonly at: number;
}

/** An invalidation, as it binds from `issuedAt` on; for others from when the transaction ended. */
interface Eviction {
  readonly run: number | undefined;
  readonly at: number;
  readonly hits: (written: Written) => boolean;
}

/**
 * What reads may give. It knows nothing of how the cache works: every value has a history, and a read is wrong when
 * the history forbids it.
 */
class Judge {
  readonly #values = new Map<string, Written>();
  readonly #evictions: Eviction[] = [];
  readonly #ends = new Map<number, { readonly at: number; readonly isSuccess: boolean }>();
  #now = 0;

  write(key: number, tags: readonly string[], run: number | undefined, isLoad: boolean): string {
    const at = ++this.#now;
    const value = `${isLoad ? 'load' : 'put'} ${at} of ${run ?? 'outside'}`;
    this.#values.set(value, { value, key, tags, run, isLoad, at });
    // A put takes the place of every other value; a load of none.
    if (!isLoad) {
      this.evict(run, (written) => written.key === key && written.value !== value);
    }
    return value;
  }

  evict(run: number | undefined, hits: Eviction['hits']): void {
    this.#evictions.push({ run, at: ++this.#now, hits });
  }

  end(run: number, isSuccess: boolean): void {
    this.#ends.set(run, { at: ++this.#now, isSuccess });
  }

  /** @throws when a read of a key in a run, or outside, must not give a value */
  check(key: number, run: number | undefined, value: string | undefined): void {
    if (value === undefined) return;
    const written = this.#values.get(value);
    const where = `a read of ${key} in ${run ?? 'outside'} gave '${value}'`;
    expect(written, `${where}, which nobody wrote`).to.not.equal(undefined);
    const { run: maker, isLoad, at } = written!;
    expect(written!.key, `${where}, of another key`).to.equal(key);
    if (maker !== run && maker !== undefined) {
      const end = this.#ends.get(maker);
      expect(end?.isSuccess, `${where}, which is not committed`).to.equal(true);
      expect(isLoad, `${where}, which was loaded inside another transaction`).to.equal(false);
    }
    for (const eviction of this.#evictions) {
      if (!eviction.hits(written!)) continue;
      const end = eviction.run === undefined ? undefined : this.#ends.get(eviction.run);
      const isSeen = eviction.run === run || eviction.run === undefined || end !== undefined;
      if (!isSeen) continue;
      // Inside its own run an eviction binds at once; others meet it when the run has ended. A put that its
      // transaction made earlier than the eviction of somebody else is its own still.
      const isOwnPut = maker === run && run !== undefined && !isLoad && eviction.run !== run;
      if (isOwnPut) continue;
      const boundAt = eviction.run === run ? eviction.at : (end?.at ?? eviction.at);
      const isOfOneRun = eviction.run === maker && maker !== undefined;
      const isLater = isOfOneRun ? eviction.at > at : boundAt > at;
      expect(isLater, `${where}, which was evicted later`).to.equal(false);
    }
  }
}

/** Does the steps on a real cache, and lets the judge look at every read. Gives how many reads found something. */
async function play(steps: readonly Step[], isShared: boolean): Promise<number> {
  const memory = new MemoryBackend();
  const backend = isShared ? new SharedFaultyBackend(memory) : memory;
  const manager = new CacheManager({ backend, logger: silentLogger });
  const cache: Cache<readonly [number], string> = manager.cache('a');
  const judge = new Judge();
  const sessions = new Map<Place, { readonly session: TransactionSession; readonly run: number }>();
  let runs = 0;
  let hits = 0;

  const end = async (at: 0 | 1, isSuccess: boolean): Promise<void> => {
    const open = sessions.get(at);
    if (open === undefined) return;
    sessions.delete(at);
    if (isSuccess) await open.session.commit();
    else await open.session.fail();
    judge.end(open.run, isSuccess);
  };

  const act = async (each: Step, run: number | undefined): Promise<void> => {
    switch (each.kind) {
      case 'get': {
        const value = await cache.get(each.key);
        if (value !== undefined) hits++;
        judge.check(each.key, run, value);
        return;
      }
      case 'load': {
        const value = await cache.getOrSet(
          each.key,
          async () => judge.write(each.key, ['a'], run, true),
          { tags: ['a'] },
        );
        judge.check(each.key, run, value);
        expect(await cache.get(each.key), 'right behind its load').to.equal(value);
        return;
      }
      case 'set': {
        const value = judge.write(each.key, each.tags, run, false);
        await cache.set(each.key, value, { tags: each.tags });
        expect(await cache.get(each.key), 'right behind its put').to.equal(value);
        return;
      }
      case 'delete':
        judge.evict(run, ({ key }) => key === each.key);
        await cache.delete(each.key);
        return;
      case 'tags':
        judge.evict(run, ({ tags }) => tags.some((tag) => each.tags.includes(tag)));
        await cache.invalidateTags(...each.tags);
        return;
      case 'pattern':
        judge.evict(run, ({ key }) => key === 1);
        await cache.deletePattern('1');
        return;
      case 'clear':
        judge.evict(run, () => true);
        await cache.clear();
        return;
      case 'clearAll':
        judge.evict(run, () => true);
        await manager.clearAll();
        return;
      default:
        throw new Error(`'${each.kind}' is no step of a cache`);
    }
  };

  for (const each of steps) {
    if (each.kind === 'begin') {
      if (sessions.has(each.place)) continue;
      sessions.set(each.place, { session: new TransactionSession(manager), run: ++runs });
    } else if (each.kind === 'commit' || each.kind === 'fail') {
      await end(each.place, each.kind === 'commit');
    } else {
      const open = sessions.get(each.place);
      if (open === undefined) await act(each, undefined);
      else await open.session.run(() => act(each, open.run));
    }
    for (const key of [1, 2, 3]) judge.check(key, undefined, await cache.get(key));
  }
  for (const at of [0, 1] as const) await end(at, true);
  for (const key of [1, 2, 3]) judge.check(key, undefined, await cache.get(key));
  expect(memory.info()['loading'], 'tokens that were not given back').to.equal(0);
  await manager.close();
  return hits;
}

describe('transactions, as a property', function () {
  this.timeout(120_000);

  for (const isShared of [false, true]) {
    it(`show nobody what he must not see, on a store that is ${isShared ? '' : 'not '}shared`, async () => {
      let hits = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
          hits += await play(steps, isShared);
        }),
        { numRuns: 1_000 },
      );
      expect(hits, 'reads that found something').to.be.greaterThan(500);
    });
  }
});
