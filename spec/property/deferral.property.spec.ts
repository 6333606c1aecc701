import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { useFakeTimers } from 'sinon';
import { silentLogger } from '#internal/cache/cache-logger.js';
import type { Cache } from '#internal/cache/cache.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import type { FaultyOperation } from '#internal/testing/faulty-backend.js';
import { FAULTY_OPERATIONS } from '../support/shared-faulty-backend.js';
import { RecoveringBackend } from '../support/recovering-backend.js';

const KEYS = ['a', 'b'] as const;
type Key = (typeof KEYS)[number];

/** One step of a schedule. `evict` first changes the origin, as an application does. */
type Step =
  | { readonly kind: 'read'; readonly key: Key; readonly takesMs: number }
  | {
      readonly kind: 'evict';
      readonly key: Key;
      readonly how: 'delete' | 'pattern' | 'tag' | 'clear' | 'set' | 'all';
    }
  | {
      readonly kind: 'fault';
      readonly operation: FaultyOperation;
      readonly at: 'request' | 'response';
      readonly times: number;
    }
  | { readonly kind: 'down' }
  | { readonly kind: 'back' }
  | { readonly kind: 'wait'; readonly ms: number };

const key = fc.constantFrom(...KEYS);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      key,
      takesMs: fc.constantFrom(0, 1, 150),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('evict' as const),
      key,
      how: fc.constantFrom('delete', 'pattern', 'tag', 'clear', 'set', 'all'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('fault' as const),
      operation: fc.constantFrom(...FAULTY_OPERATIONS),
      at: fc.constantFrom('request', 'response'),
      times: fc.constantFrom(1, 2, 5),
    }),
  },
  { weight: 2, arbitrary: fc.constantFrom({ kind: 'down' as const }, { kind: 'back' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      ms: fc.constantFrom(0, 1, 99, 101, 2500),
    }),
  },
);

/** A cache before an origin whose values count up, and all reads that were stale. */
class Node {
  readonly origin: Record<Key, number> = { a: 0, b: 0 };
  /** What a read that starts now has to see at least. */
  readonly #floor: Record<Key, number> = { a: 0, b: 0 };
  readonly violations: string[] = [];
  readonly backend = new RecoveringBackend();
  readonly #manager = new CacheManager({ backend: this.backend, logger: silentLogger });
  readonly #cache: Cache<readonly [Key], number> = this.#manager.cache('users');

  async read(name: Key, takesMs: number): Promise<void> {
    const least = this.#floor[name];
    const value = await this.#cache.getOrSet(
      name,
      async () => {
        const found = this.origin[name];
        if (takesMs > 0) await new Promise((resolve) => setTimeout(resolve, takesMs));
        return found;
      },
      { tags: [name] },
    );
    if (value < least) this.violations.push(`${name}: read ${value}, expected at least ${least}`);
  }

  async evict(name: Key, how: Extract<Step, { kind: 'evict' }>['how']): Promise<void> {
    const value = ++this.origin[name];
    if (how === 'delete') await this.#cache.delete(name);
    else if (how === 'pattern') await this.#cache.deletePattern(`${name}*`);
    else if (how === 'tag') await this.#cache.invalidateTags(name);
    else if (how === 'clear') await this.#cache.clear();
    else if (how === 'set') await this.#cache.set(name, value, { tags: [name] });
    else await this.#manager.clearAll();
    // The call has come back, whether the store could take it or not.
    this.#floor[name] = Math.max(this.#floor[name], value);
  }

  close(): Promise<void> {
    return this.#manager.close();
  }
}

describe('A store that fails now and then', () => {
  it('gives this process nothing that was invalidated before, whatever fails', async () => {
    const timers = useFakeTimers();
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 30 }), async (steps) => {
          const node = new Node();
          const running: Promise<void>[] = [];
          for (const each of steps) {
            if (each.kind === 'read') running.push(node.read(each.key, each.takesMs));
            else if (each.kind === 'evict') running.push(node.evict(each.key, each.how));
            else if (each.kind === 'down') node.backend.goDown();
            else if (each.kind === 'back') node.backend.comeBack();
            else if (each.kind === 'fault') node.backend.fail(each.operation, each);
            else await timers.tickAsync(each.ms);
          }
          await timers.tickAsync(200);
          node.backend.comeBack();
          // Enough for everything to be replayed, and for the store to be trusted again.
          await timers.tickAsync(5000);
          await Promise.all(running);
          const others = node.backend.elsewhere('users');
          for (const name of KEYS) {
            const shared = (await others.get(name))?.value;
            if (shared !== undefined) expect(shared, `shared ${name}`).to.equal(node.origin[name]);
            await node.read(name, 0);
            await node.read(name, 0);
          }
          expect(node.backend.calls('get')).to.be.above(0);
          const closing = node.close();
          await timers.tickAsync(1);
          await closing;
          expect(node.violations).to.deep.equal([]);
        }),
        { numRuns: 2000 },
      );
    } finally {
      timers.restore();
    }
  });
});
