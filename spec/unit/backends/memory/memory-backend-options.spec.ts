import { expect } from 'chai';
import {
  DEFAULT_MAX_BYTES,
  DEFAULT_MAX_ENTRIES,
  resolveMemoryBackendOptions,
} from '#internal/backends/memory/memory-backend-options.js';
import { LruPolicy } from '#internal/backends/memory/lru-policy.js';
import { InvalidOptionError } from '#internal/errors.js';

describe('resolveMemoryBackendOptions', () => {
  it('fills in the defaults', () => {
    const { policy, ...resolved } = resolveMemoryBackendOptions({});
    expect(resolved).to.deep.equal({
      maxEntries: DEFAULT_MAX_ENTRIES,
      maxBytes: DEFAULT_MAX_BYTES,
      weighs: 'known',
      isolation: 'reference',
      sweepIntervalMs: 1_000,
    });
    expect(policy({ maxEntries: 1, maxBytes: 1 })).to.be.instanceOf(LruPolicy);
  });

  it('takes undefined for the default', () => {
    const resolved = resolveMemoryBackendOptions({
      maxEntries: undefined,
      maxBytes: undefined,
      isolation: undefined,
      policy: undefined,
      sweepInterval: undefined,
    });
    expect(resolved).to.deep.include({ maxEntries: 10_000, sweepIntervalMs: 1_000 });
    expect(resolved).to.deep.include({ maxBytes: 268_435_456, weighs: 'known' });
  });

  it('gives back what was set, frozen', () => {
    const policy = () => new LruPolicy<never>();
    const options = { maxEntries: Infinity, maxBytes: 5, isolation: 'copy', policy } as const;
    const resolved = resolveMemoryBackendOptions({ ...options, sweepInterval: '2m' });
    expect(resolved).to.deep.equal({ ...options, weighs: 'all', sweepIntervalMs: 120_000 });
    expect(Object.isFrozen(resolved)).to.equal(true);
  });

  for (const [option, value] of [
    ['maxEntries', 0],
    ['maxEntries', 1.5],
    ['maxEntries', '10'],
    ['maxEntries', NaN],
    ['maxBytes', 0],
    ['maxBytes', -1],
    ['isolation', 'clone'],
    ['isolation', null],
    ['policy', 'lfu'],
    ['policy', new LruPolicy()],
    ['sweepInterval', 0],
    ['sweepInterval', -1],
    ['sweepInterval', '1 second'],
  ] as const) {
    it(`refuses ${String(JSON.stringify(value))} as ${option}`, () => {
      expect(() => resolveMemoryBackendOptions({ [option]: value }))
        .to.throw(InvalidOptionError)
        .with.property('option', `MemoryBackend.${option}`);
    });
  }

  it('refuses what is no option, and names the nearest', () => {
    expect(() => resolveMemoryBackendOptions({ maxEntires: 5 } as never)).to.throw(
      InvalidOptionError,
      "did you mean 'maxEntries'?",
    );
    expect(() => resolveMemoryBackendOptions(5 as never)).to.throw(InvalidOptionError);
  });
});
