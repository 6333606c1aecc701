import { expect } from 'chai';
import type { BackendCapabilities } from '#internal/cache/backend.js';
import { StatisticsCounter, type CacheStatistics } from '#internal/cache/cache-statistics.js';
import { tierFigures } from '#internal/express/admin/tier-figures.js';

const memory: BackendCapabilities = {
  stores: 'values',
  isShared: false,
  hasConditionalStores: true,
  hasGenerations: true,
  hasLeases: false,
  canScan: true,
};
const redis: BackendCapabilities = { ...memory, stores: 'bytes', isShared: true };
const tiered: BackendCapabilities = { ...redis, goesOnAlone: true };

const none = { count: 0, mean_ms: 0, p50_ms: 0, p95_ms: 0, p99_ms: 0, max_ms: 0 };

function statistics(): CacheStatistics {
  const counter = new StatisticsCounter();
  Object.assign(counter, {
    hits: 8,
    hitsL2: 2,
    misses: 1,
    stales: 1,
    bytesRead: 30,
    bytesWritten: 7,
  });
  counter.read.record(2);
  return counter.snapshot();
}

describe('tierFigures', () => {
  it('tells of a tier in memory what it keeps, and how often it answered', () => {
    const sum = Object.assign(new StatisticsCounter(), { hits: 3, misses: 1 }).snapshot();
    const facts = { entries: 5, maxEntries: 10, bytes: 900, maxBytes: 1000, isolation: 'copy' };
    expect(tierFigures(sum, facts, memory)).to.deep.equal([
      {
        tier: 'l1',
        hits: 3,
        hit_rate: 0.75,
        entries: 5,
        max_entries: 10,
        bytes: 900,
        max_bytes: 1000,
      },
    ]);
  });

  it('tells of a shared store what was moved, and how long it took', () => {
    const counter = Object.assign(new StatisticsCounter(), { hits: 1, hitsL2: 1, bytesRead: 30 });
    counter.write.record(4);
    const facts = { used_memory_human: '1.2M', role: 'master' };
    const write = { count: 1, mean_ms: 4, p50_ms: 4, p95_ms: 4, p99_ms: 4, max_ms: 4 };
    expect(tierFigures(counter.snapshot(), facts, redis)).to.deep.equal([
      {
        tier: 'l2',
        hits: 1,
        hit_rate: 1,
        server_memory: '1.2M',
        bytes_read: 30,
        bytes_written: 0,
        read: none,
        write,
      },
    ]);
  });

  it('takes the shared tier to be asked for what the own one has not answered', () => {
    const facts = { 'l1.entries': 4, 'l2.used_memory_human': '1.2M', bus: 'redis' };
    const [own, shared] = tierFigures(statistics(), facts, tiered);
    expect(own).to.deep.equal({ tier: 'l1', hits: 6, hit_rate: 0.6, entries: 4 });
    expect(shared).to.include({ tier: 'l2', hits: 2, hit_rate: 0.5, server_memory: '1.2M' });
    expect(shared).to.include({ bytes_read: 30, bytes_written: 7 });
    expect(shared).to.have.nested.property('read.p99_ms', 2);
  });

  it('has both tiers before anything is known, and no ratio of nothing', () => {
    const figures = tierFigures(new StatisticsCounter().snapshot(), {}, tiered);
    expect(figures).to.have.length(2);
    expect(figures[0]).to.deep.equal({ tier: 'l1', hits: 0, hit_rate: null });
    expect(figures[1]).to.include({ tier: 'l2', hits: 0, hit_rate: null });
  });
});
