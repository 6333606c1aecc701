import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { RedisBackend } from '#internal/backends/redis/redis-backend.js';
import type { CacheBackend } from '#internal/cache/backend.js';
import type { Cache } from '#internal/cache/cache.js';
import type { ErrorMode } from '#internal/cache/cache-handle.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { MOST_DEFERRED_KEYS } from '#internal/cache/deferral/deferred-queue.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { BlackHole } from '../../support/black-hole.js';
import { FAULTS, SETUPS } from '../../support/redis-faults.js';
import { RedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';

type Values = Cache<readonly [key: string], string>;

/** An invalidation, and what it is to void. What it leaves alone lies beside that, in the same cache. */
interface Step {
  readonly name: string;
  run(manager: CacheManager, cache: Values): Promise<unknown>;
  readonly hits: readonly string[];
  readonly spares: readonly string[];
}

/** Every key of a cache, and the tags of its entry. */
const ENTRIES: Readonly<Record<string, (cache: string) => readonly string[]>> = {
  a1: () => [],
  a2: () => [],
  b: () => [],
  red: (cache) => [`${cache}-red`],
  blue: (cache) => [`${cache}-blue`],
  both: (cache) => [`${cache}-red`, `${cache}-blue`],
};
const KEYS = Object.keys(ENTRIES);
const except = (...keys: readonly string[]): string[] => KEYS.filter((key) => !keys.includes(key));

/** In the order in which they are issued, each on a cache of its own that has its name. */
const STEPS: readonly Step[] = [
  {
    name: 'pattern',
    run: (_, cache) => cache.deletePattern('a*'),
    hits: ['a1', 'a2'],
    spares: except('a1', 'a2'),
  },
  { name: 'key', run: (_, cache) => cache.delete('b'), hits: ['b'], spares: except('b') },
  {
    name: 'all-of',
    run: (manager) => manager.invalidateTags({ all: ['all-of-red', 'all-of-blue'] }),
    hits: ['both'],
    spares: except('both'),
  },
  { name: 'clear', run: (_, cache) => cache.clear(), hits: KEYS, spares: [] },
  {
    name: 'set',
    run: (_, cache) => cache.set('b', 'new', { tags: [] }),
    hits: ['b'],
    spares: except('b'),
  },
  {
    name: 'tag',
    run: (manager) => manager.invalidateTags('tag-red'),
    hits: ['red', 'both'],
    spares: except('red', 'both'),
  },
  {
    name: 'keys',
    run: (_, cache) => cache.deleteMany(['a1', 'b', 'red']),
    hits: ['a1', 'b', 'red'],
    spares: except('a1', 'b', 'red'),
  },
];

describe('deferred invalidations', function () {
  this.timeout(40_000);

  let server: RedisServer;
  let hole: BlackHole;
  let managers: CacheManager[];
  const unhandled: unknown[] = [];
  const noteUnhandled = (error: unknown): void => void unhandled.push(error);

  beforeEach(() => {
    process.on('unhandledRejection', noteUnhandled);
    managers = [];
  });

  afterEach(async () => {
    await Promise.all(managers.map((manager) => manager.close({ timeout: 500 })));
    await hole.close();
    await server.stop();
    process.off('unhandledRejection', noteUnhandled);
    expect(unhandled.splice(0)).to.deep.equal([]);
  });

  const open = (backend: CacheBackend, onError: ErrorMode = 'bypass'): CacheManager => {
    const manager = new CacheManager({ backend, onError, logger: silentLogger, ttl: '1h' });
    managers.push(manager);
    return manager;
  };
  const cacheOf = (manager: CacheManager, name: string): Values => manager.cache(name);
  /** Stores the entries; a connection that is only being made may not take them at once. */
  const fill = (cache: Values, name: string): Promise<void> =>
    until(`${name} is filled`, async () => {
      const entries = Object.entries(ENTRIES);
      const sets = entries.map(([key, tags]) => cache.set(key, 'old', { tags: tags(name) }));
      return !(await Promise.all(sets)).includes(false);
    });
  const hasAll = (manager: CacheManager, name: string): Promise<void> =>
    until(`${name} is seen`, async () => {
      const found = await cacheOf(manager, name)
        .getMany(KEYS)
        .catch(() => new Map());
      return found.size === KEYS.length;
    });
  /** Whether a process still sees something that an invalidation was to void. */
  const seesOld = async (manager: CacheManager, { name, hits }: Step): Promise<boolean> => {
    const found = await cacheOf(manager, name).getMany(hits);
    return [...found.values()].includes('old');
  };

  for (const [setup, backendAt] of Object.entries(SETUPS)) {
    for (const fault of FAULTS) {
      const losesAll = fault.name.includes('empty');

      it(`of every kind reach the others, in their order, in ${setup}, when Redis ${fault.name}`, async () => {
        server = await RedisServer.start();
        hole = await BlackHole.before(server.port);
        const here = open(backendAt(`redis://127.0.0.1:${hole.port}`));
        const there = open(backendAt(server.url));
        // Looks at the store itself, so that no tier of its own tells it something else.
        const observer = open(new RedisBackend({ url: server.url, commandTimeout: '5s' }), 'throw');
        for (const { name } of STEPS) {
          await fill(cacheOf(there, name), name);
          for (const manager of [here, there, observer]) await hasAll(manager, name);
        }
        await until('all is well', () => here.health().status === 'healthy');
        await fault.begin(server, hole);
        const deferred: string[] = [];
        here.on('deferred', ({ operation }) => void deferred.push(operation));
        for (const step of STEPS) await step.run(here, cacheOf(here, step.name));
        // It holds here at once, whatever state the connection is in.
        for (const step of STEPS) {
          const found = await cacheOf(here, step.name).getMany(step.hits);
          expect([...found.values()], step.name).to.not.include('old');
        }
        if (!fault.takesEvictions) expect(deferred).to.have.length.of.at.least(STEPS.length);
        await fault.end(server, hole);
        // From the last to the first: where a later one has arrived, so have all before it.
        await until(
          'all of them reached the store',
          async () => {
            try {
              const isOld: boolean[] = [];
              for (const step of STEPS.toReversed()) isOld.push(await seesOld(observer, step));
              // What the store takes one by one is never kept.
              const arrived = isOld.indexOf(false);
              if (arrived >= 0 && !fault.takesEvictions) {
                const before = isOld.slice(arrived);
                expect(before, `old values, from the last on: ${isOld.join()}`).to.not.include(
                  true,
                );
              }
              return !isOld.includes(true);
            } catch (error) {
              if ((error as Error).name === 'AssertionError') throw error;
              return false;
            }
          },
          20_000,
        );
        await until('all is well again', () => here.health().status === 'healthy');
        await until('the other one is well', () => there.health().status === 'healthy');
        await until('the other one sees them all', async () => {
          for (const step of STEPS) {
            if (await seesOld(there, step)) return false;
          }
          return true;
        });
        for (const { name, hits, spares } of STEPS) {
          for (const manager of [here, there, observer]) {
            // What nobody has invalidated is still there, unless the server has lost it.
            await until(`only what ${name} spares is seen`, async () => {
              const found = await cacheOf(manager, name).getMany(KEYS);
              for (const key of hits) expect(found.get(key), `${name} ${key}`).to.not.equal('old');
              return losesAll || spares.every((key) => found.get(key) === 'old');
            });
          }
        }
      });
    }

    it(`that are more than can be kept void their cache as a whole, and no other one, in ${setup}`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'cachewell-kept-'));
      try {
        // It comes back with all that it had, so that only an invalidation makes anything void.
        server = await RedisServer.start({
          args: ['--dir', folder, '--appendonly', 'yes', '--appendfsync', 'always'],
        });
        hole = await BlackHole.before(server.port);
        const here = open(backendAt(server.url));
        const there = open(backendAt(server.url));
        const observer = open(new RedisBackend({ url: server.url }));
        const names = ['flooded', 'foreign'];
        for (const name of names) {
          await fill(cacheOf(there, name), name);
          for (const manager of [here, observer]) await hasAll(manager, name);
        }
        await server.stop();
        const flooded = cacheOf(here, 'flooded');
        let deferred = 0;
        here.on('deferred', () => deferred++);
        const gone = Array.from({ length: MOST_DEFERRED_KEYS + 1 }, (_, index) => `gone ${index}`);
        await flooded.deleteMany(gone);
        expect(deferred).to.equal(1);
        await server.start();
        await until('all is well again', () => here.health().status === 'healthy');
        for (const manager of [observer, here, there]) {
          await until('the others are well again', () => manager.health().status === 'healthy');
          await until('nothing of the cache is left', async () => {
            return (await cacheOf(manager, 'flooded').getMany(KEYS)).size === 0;
          });
          // Nobody fills it again.
          await hasAll(manager, 'foreign');
        }
        // The cache goes on.
        await flooded.set('a1', 'new');
        expect(await cacheOf(observer, 'flooded').get('a1')).to.equal('new');
      } finally {
        await server.stop();
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }
});
