import { expect } from 'chai';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import {
  resolveTieredBackendOptions,
  type TieredBackendOptions,
} from '#internal/backends/tiered/tiered-backend-options.js';
import { InvalidOptionError } from '#internal/errors.js';
import { MemoryBusHub } from '#internal/testing/memory-bus.js';
import { SharedFaultyBackend } from '../../../support/shared-faulty-backend.js';

describe(resolveTieredBackendOptions.name, () => {
  const l2 = new SharedFaultyBackend();
  const bus = new MemoryBusHub().connect();

  it('fills in the defaults', () => {
    const resolved = resolveTieredBackendOptions({ l2 });
    expect(resolved.l1).to.be.instanceOf(MemoryBackend);
    expect(resolved.l2).to.equal(l2);
    expect(resolved.bus).to.equal(undefined);
    expect(resolved.maxStalenessMs).to.equal(3_000);
    expect(resolved.heartbeatMs).to.equal(500);
    expect(resolved).to.be.frozen;
  });

  it('sends heartbeats often enough for a short maxStaleness', () => {
    const resolved = resolveTieredBackendOptions({ l2, bus, maxStaleness: '300ms' });
    expect(resolved.heartbeatMs).to.equal(50);
    expect(resolveTieredBackendOptions({ l2, bus, maxStaleness: 1 }).heartbeatMs).to.equal(10);
    expect(resolveTieredBackendOptions({ l2, bus, maxStaleness: Infinity }).heartbeatMs).to.equal(
      500,
    );
  });

  it('takes what is given', () => {
    const l1 = new MemoryBackend({ maxEntries: 5 });
    const given = { l1, l2, bus, maxStaleness: '10s', heartbeat: '1s' } as const;
    const resolved = resolveTieredBackendOptions(given);
    expect(resolved).to.deep.include({ l1, bus, maxStalenessMs: 10_000, heartbeatMs: 1_000 });
  });

  const unfenced = Object.assign(new MemoryBackend(), {
    capabilities: { ...new MemoryBackend().capabilities, hasConditionalStores: false },
  });

  const REFUSED: readonly (readonly [name: string, options: unknown, message: RegExp])[] = [
    ['no options', undefined, /TieredBackend: expected an object/],
    ['an unknown option', { l2, buss: bus }, /TieredBackend\.buss: .*did you mean 'bus'/],
    ['no l2', {}, /TieredBackend\.l2: expected a backend, such as a RedisBackend, got undefined/],
    [
      'an l2 that is not shared',
      { l2: new MemoryBackend() },
      /TieredBackend\.l2: .*'memory', which is not/,
    ],
    [
      'an l1 that is shared',
      { l2, l1: new SharedFaultyBackend() },
      /TieredBackend\.l1: .*is shared; give it as l2/,
    ],
    ['an l1 without fences', { l2, l1: unfenced }, /TieredBackend\.l1: .*conditional stores/],
    ['an l1 that is no backend', { l2, l1: {} }, /TieredBackend\.l1: expected a backend/],
    ['a bus that is none', { l2, bus: 'redis' }, /TieredBackend\.bus: expected a bus/],
    [
      'maxStaleness 0',
      { l2, maxStaleness: 0 },
      /TieredBackend\.maxStaleness: expected a duration above 0/,
    ],
    [
      'a negative maxStaleness',
      { l2, maxStaleness: -1 },
      /TieredBackend\.maxStaleness: expected a duration/,
    ],
    [
      'a heartbeat that is no duration',
      { l2, heartbeat: 'often' },
      /TieredBackend\.heartbeat: expected a duration/,
    ],
    [
      'a heartbeat that is too short',
      { l2, heartbeat: 9 },
      /TieredBackend\.heartbeat: expected from 10/,
    ],
    [
      'a heartbeat without end',
      { l2, heartbeat: Infinity },
      /TieredBackend\.heartbeat: expected from 10/,
    ],
    [
      'a heartbeat too long for maxStaleness',
      { l2, bus, heartbeat: '1s' },
      /a quarter of maxStaleness \(3000 ms\)/,
    ],
  ];

  for (const [name, options, message] of REFUSED) {
    it(`refuses ${name}`, () => {
      expect(() => resolveTieredBackendOptions(options as TieredBackendOptions)).to.throw(
        InvalidOptionError,
        message,
      );
    });
  }
});
