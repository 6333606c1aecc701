import { expect } from 'chai';
import type { ConsistencyOptions } from '#internal/testing/consistency/consistency-options.js';
import {
  renderConsistencyReport,
  type ConsistencyReport,
} from '#internal/testing/consistency/consistency-report.js';
import { runConsistency } from '#internal/testing/consistency/run-consistency.js';
import { expectHeldUndisturbed } from '../../support/consistency/expect-held.js';
import { startRedisServer, type RedisServer } from '../../support/redis-server.js';

/** How many invalidations the run makes, on both servers together. */
const INVALIDATIONS = Number(process.env['CONSISTENCY_INVALIDATIONS'] ?? 100_000);

describe('consistency over processes on Redis', function () {
  this.timeout(30_000 + INVALIDATIONS * 10);

  let server: RedisServer;

  beforeEach(async () => {
    server = await startRedisServer();
  });

  afterEach(() => server.stop());

  const check = (
    subject: string,
    options: Partial<ConsistencyOptions>,
  ): Promise<ConsistencyReport> =>
    runConsistency({
      subject: new URL(`../../support/consistency/${subject}.js`, import.meta.url),
      subjectOptions: { url: server.url },
      processes: 3,
      ...options,
    });

  for (const seed of [1, 2]) {
    it(`holds P1 for ${INVALIDATIONS / 2} invalidations by three processes, server ${seed} of 2`, async () => {
      const report = await check('redis-subject', {
        invalidations: Math.ceil(INVALIDATIONS / 2),
        seed,
      });
      expectHeldUndisturbed(report, INVALIDATIONS / 2, 20);
    });
  }

  it('holds P1 while processes are killed and stand still', async () => {
    const report = await check('redis-subject', {
      invalidations: Math.ceil(INVALIDATIONS / 20),
      faults: async (run) => {
        for (let round = 0; !run.signal.aborted && round < 5; round++) {
          await run.kill(round % 3);
          run.freeze((round + 1) % 3);
          await run.pause('100ms');
          run.thaw((round + 1) % 3);
        }
      },
    });
    expect(report.violations, renderConsistencyReport(report)).to.equal(0);
    expect(report.killed).to.be.greaterThan(0);
  });

  it('holds P1 while Redis is killed and comes back empty', async () => {
    const report = await check('redis-subject', {
      invalidations: Math.ceil(INVALIDATIONS / 20),
      faults: async (run) => {
        for (let round = 0; !run.signal.aborted && round < 3; round++) {
          await run.pause('300ms');
          await server.stop();
          await run.pause('100ms');
          await server.start();
        }
      },
    });
    expect(report.violations, renderConsistencyReport(report)).to.equal(0);
  });

  for (const policy of ['allkeys-random', 'volatile-ttl']) {
    it(`holds P1 while Redis evicts by ${policy} for want of memory`, async () => {
      const client = server.client();
      try {
        await client.config('SET', 'maxmemory-policy', policy);
        const report = await check('redis-subject', {
          invalidations: Math.ceil(INVALIDATIONS / 40),
          faults: async (run) => {
            while (!run.signal.aborted) {
              // For a moment there is less room than is used, and the server helps itself; a tag, a fence, a
              // generation or the sequence may be among what goes.
              const used = numberIn(await client.info('memory'), 'used_memory');
              await client.config('SET', 'maxmemory', String(used - 2000));
              await run.pause('5ms');
              await client.config('SET', 'maxmemory', '0');
              await run.pause('20ms');
            }
          },
        });
        expect(report.violations, renderConsistencyReport(report)).to.equal(0);
        expect(numberIn(await client.info('stats'), 'evicted_keys')).to.be.greaterThan(0);
        expect(report.hits).to.be.greaterThan(0);
        expect(report.races).to.be.greaterThan(0);
      } finally {
        client.disconnect();
      }
    });
  }

  for (const [what, subject] of [
    ['the usual cache by hand', 'plain-redis-subject'],
    ['the library without its fences', 'unfenced-subject'],
  ] as const) {
    it(`finds ${what} out`, async () => {
      const report = await check(subject, { invalidations: 2000 });
      expect(report.stale).to.be.greaterThan(10);
    });
  }
});

/** A figure that the server tells of itself. */
function numberIn(info: string, name: string): number {
  return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1]);
}
