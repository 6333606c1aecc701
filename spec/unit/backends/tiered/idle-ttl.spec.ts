import { expect } from 'chai';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { TieredBackend } from '#internal/backends/tiered/tiered-backend.js';
import type { Cache } from '#internal/cache/cache.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { ManualClock } from '#internal/testing/manual-clock.js';
import { SharedMemory, type SharedMemoryNode } from '../../../support/shared-memory.js';

const TTL_MS = 60_000;
const IDLE_MS = 10_000;
const READ_EVERY_MS = 9_000;

describe('idleTtl in two tiers', () => {
  let clock: ManualClock;
  let managers: CacheManager[];
  let shared: SharedMemory;

  /** A process with a tier of its own over the shared store. */
  const node = (): {
    readonly l2: SharedMemoryNode;
    readonly cache: Cache<readonly [string], string>;
    readonly sources: (string | undefined)[];
  } => {
    const l2 = shared.node();
    // Only the expiry of the entries is to end a copy.
    const maxStaleness = Infinity;
    const l1 = new MemoryBackend({ sweepInterval: Infinity });
    const backend = new TieredBackend({ l1, l2, maxStaleness });
    const manager = new CacheManager({ clock, backend, logger: silentLogger });
    managers.push(manager);
    const sources: (string | undefined)[] = [];
    manager.on('hit', ({ source }) => void sources.push(source));
    const cache = manager.cache<readonly [string], string>('users', {
      ttl: TTL_MS,
      idleTtl: IDLE_MS,
    });
    return { l2, cache, sources };
  };

  beforeEach(() => {
    clock = new ManualClock();
    shared = new SharedMemory(clock);
    managers = [];
  });

  afterEach(() => Promise.all(managers.map((manager) => manager.close())));

  it('is counted in the shared tier as well, when the own one answers', async () => {
    const [reader, other] = [node(), node()];
    await reader.cache.set('read', 'value');
    await reader.cache.set('left', 'value');
    for (let atMs = READ_EVERY_MS; atMs < TTL_MS; atMs += READ_EVERY_MS) {
      clock.advance(READ_EVERY_MS);
      expect(await reader.cache.get('read'), `after ${atMs} ms`).to.equal('value');
    }
    expect(new Set(reader.sources)).to.deep.equal(new Set(['l1']));
    // The reader never asked the shared tier: only its touches have kept the entry there.
    expect(reader.l2.calls('get')).to.equal(0);
    expect(await other.cache.get('read')).to.equal('value');
    expect(other.sources).to.deep.equal(['l2']);
    expect(await other.cache.get('left')).to.equal(undefined);
  });

  it('ends in both tiers when nobody reads any more, and with the ttl at the latest', async () => {
    const [reader, other] = [node(), node()];
    await reader.cache.set('idle', 'value');
    await reader.cache.set('busy', 'value');
    clock.advance(READ_EVERY_MS);
    expect(await reader.cache.get('idle')).to.equal('value');
    for (let atMs = READ_EVERY_MS; atMs + READ_EVERY_MS < TTL_MS; atMs += READ_EVERY_MS) {
      expect(await reader.cache.get('busy'), `after ${atMs} ms`).to.equal('value');
      clock.advance(READ_EVERY_MS);
    }
    for (const { cache } of [reader, other]) expect(await cache.get('idle')).to.equal(undefined);
    expect(await reader.cache.get('busy')).to.equal('value');
    clock.advance(TTL_MS - 6 * READ_EVERY_MS);
    for (const { cache } of [reader, other]) expect(await cache.get('busy')).to.equal(undefined);
  });
});
