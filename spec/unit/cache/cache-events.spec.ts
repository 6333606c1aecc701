import { expect } from 'chai';
import { CacheEvents } from '#internal/cache/cache-events.js';
import { silentLogger, type CacheLogger } from '#internal/cache/cache-logger.js';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { InvalidOptionError } from '#internal/errors.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { ManualClock } from '#internal/testing/manual-clock.js';
import { settle } from '../../support/gated-source.js';

describe('CacheEvents', () => {
  it('tells listeners at once, in order, each once', () => {
    const events = new CacheEvents(silentLogger);
    const told: string[] = [];
    const first = ({ key }: { key: string }): void => void told.push(`first ${key}`);
    events.on('miss', first);
    events.on('miss', ({ key }) => void told.push(`second ${key}`));
    events.on('miss', first);
    events.emit('miss', { cache: 'a', key: '1' });
    expect(told).to.deep.equal(['first 1', 'second 1']);
  });

  it('tells nobody after the end of a subscription, and knows it', () => {
    const events = new CacheEvents(silentLogger);
    let told = 0;
    {
      using _subscription = events.on('miss', () => void told++);
      expect(events.has('miss')).to.equal(true);
      events.emit('miss', { cache: 'a', key: '1' });
    }
    expect(events.has('miss')).to.equal(false);
    events.emit('miss', { cache: 'a', key: '1' });
    expect(told).to.equal(1);
  });

  it('survives the second end of a subscription', () => {
    const events = new CacheEvents(silentLogger);
    const first = events.on('miss', () => undefined);
    first[Symbol.dispose]();
    events.on('miss', () => undefined);
    first[Symbol.dispose]();
    expect(events.has('miss')).to.equal(true);
  });

  it('logs what listeners throw or reject with, and goes on', async () => {
    const warnings: unknown[] = [];
    const logger: CacheLogger = { ...silentLogger, warn: (...given) => void warnings.push(given) };
    const events = new CacheEvents(logger);
    let told = 0;
    events.on('miss', () => {
      throw new Error('at once');
    });
    events.on('miss', () => Promise.reject(new Error('later')));
    events.on('miss', () => void told++);
    events.emit('miss', { cache: 'a', key: '1' });
    await settle();
    expect(told).to.equal(1);
    expect(warnings).to.have.length(2);
  });

  it('lets a listener end its own subscription', () => {
    const events = new CacheEvents(silentLogger);
    const told: number[] = [];
    const subscription = events.on('miss', () => {
      told.push(1);
      subscription[Symbol.dispose]();
    });
    events.on('miss', () => void told.push(2));
    events.emit('miss', { cache: 'a', key: '1' });
    events.emit('miss', { cache: 'a', key: '1' });
    expect(told).to.deep.equal([1, 2, 2]);
  });
});

describe('The events of a manager', () => {
  it('say what was done, and never the value', async () => {
    const clock = new ManualClock();
    const backend = new MemoryBackend({ maxEntries: 2, sweepInterval: Infinity });
    await using manager = new CacheManager({ backend, clock, logger: silentLogger });
    const told: unknown[] = [];
    for (const name of ['hit', 'miss', 'set', 'delete', 'invalidate', 'evict', 'expire'] as const) {
      manager.on(name, (event) => told.push([name, { ...event }]));
    }
    const cache = manager.cache('a');
    await cache.set(1, 'secret', { ttl: '1s' });
    await cache.get(1);
    await cache.get(2);
    await cache.delete(1);
    await cache.set(3, 'secret', { ttl: '1s' });
    clock.advance('1s');
    await cache.get(3);
    await cache.setMany([
      [4, 's'],
      [5, 's'],
      [6, 's'],
    ]);
    await cache.deletePattern('4*');
    await cache.invalidateTags('t');
    await cache.clear();
    await manager.clearAll();
    expect(told).to.deep.equal([
      ['set', { cache: 'a', key: '1', ttlMs: 1_000 }],
      ['hit', { cache: 'a', key: '1', source: 'l1' }],
      ['miss', { cache: 'a', key: '2' }],
      ['delete', { cache: 'a', keys: ['1'], count: 1 }],
      ['invalidate', { scope: 'keys', cache: 'a', keys: ['1'] }],
      ['set', { cache: 'a', key: '3', ttlMs: 1_000 }],
      ['expire', { cache: 'a', key: '3' }],
      ['miss', { cache: 'a', key: '3' }],
      ['evict', { cache: 'a', key: '4', reason: 'entries' }],
      ['set', { cache: 'a', key: '4', ttlMs: 3_600_000 }],
      ['set', { cache: 'a', key: '5', ttlMs: 3_600_000 }],
      ['set', { cache: 'a', key: '6', ttlMs: 3_600_000 }],
      ['invalidate', { scope: 'pattern', cache: 'a', pattern: '4*' }],
      ['invalidate', { scope: 'tags', tags: ['t'], match: 'any' }],
      ['invalidate', { scope: 'cache', cache: 'a' }],
      ['invalidate', { scope: 'all' }],
    ]);
    expect(JSON.stringify(told)).to.not.contain('secret');
  });

  it('are refused by unknown names', async () => {
    await using manager = new CacheManager({ logger: silentLogger });
    expect(() => manager.on('hits' as never, () => undefined)).to.throw(
      InvalidOptionError,
      'CacheManager.on event',
    );
  });
});
