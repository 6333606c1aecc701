import { expect } from 'chai';
import type {
  ConsistencyOptions,
  ConsistencyRun,
} from '#internal/testing/consistency/consistency-options.js';
import {
  renderConsistencyReport,
  type ConsistencyReport,
} from '#internal/testing/consistency/consistency-report.js';
import { runConsistency } from '#internal/testing/consistency/run-consistency.js';
import { FaultProxy } from '#internal/testing/fault-proxy.js';
import { expectHeldUndisturbed } from '../../support/consistency/expect-held.js';
import type { TieredSubjectOptions } from '../../support/consistency/tiered-subject.js';
import { startRedisServer, type RedisServer } from '../../support/redis-server.js';

/** How many invalidations the undisturbed run makes; the disturbed ones make a fifth of that each, at the most. */
const INVALIDATIONS = Number(process.env['CONSISTENCY_TIERED_INVALIDATIONS'] ?? 5_000);
const PROCESSES = 3;
/** What the disturbed processes may serve at the most, scaled down. In milliseconds. */
const MAX_STALENESS_MS = 600;
/** How long a message, and a process that is to judge it, may be kept waiting by a busy machine. In milliseconds. */
const TRANSIT_MS = 1_000;
/** Disturbed runs end then, however few invalidations the faults have let through. */
const LONGEST_DISTURBANCE = '15s';

/** The ways to Redis of one run: two for each process. */
interface Ways {
  readonly store: readonly FaultProxy[];
  readonly bus: readonly FaultProxy[];
}

describe('consistency of tiers over processes on Redis', function () {
  this.timeout(120_000 + INVALIDATIONS * 20);

  let server: RedisServer;
  let ways: Ways;

  beforeEach(async () => {
    server = await startRedisServer();
    const start = (protocol: 'bytes' | 'resp'): Promise<FaultProxy[]> =>
      Promise.all(
        Array.from({ length: PROCESSES }, () => FaultProxy.start({ target: server.url, protocol })),
      );
    ways = { store: await start('bytes'), bus: await start('resp') };
  });

  afterEach(async () => {
    await Promise.all([...ways.store, ...ways.bus].map((way) => way.close()));
    await server.stop();
  });

  const check = async (
    subject: Partial<TieredSubjectOptions>,
    options: Partial<ConsistencyOptions>,
  ): Promise<ConsistencyReport> => {
    const subjectOptions: TieredSubjectOptions = {
      storeUrls: ways.store.map(({ url }) => url),
      busUrls: ways.bus.map(({ url }) => url),
      ...subject,
    };
    const report = await runConsistency({
      subject: new URL('../../support/consistency/tiered-subject.js', import.meta.url),
      subjectOptions,
      processes: PROCESSES,
      keys: 32,
      ...options,
    });
    expect(report.violations, renderConsistencyReport(report)).to.equal(0);
    return report;
  };

  it(`holds P1, and P3 within ${TRANSIT_MS} ms, for ${INVALIDATIONS} invalidations`, async () => {
    const report = await check(
      { commandTimeoutMs: 5_000 },
      { invalidations: INVALIDATIONS, bound: TRANSIT_MS },
    );
    expectHeldUndisturbed(report, INVALIDATIONS, 50);
  });

  const pick = <Item>(items: readonly Item[], round: number): Item => items[round % items.length]!;

  const FAULTS: Readonly<Record<string, (run: ConsistencyRun, round: number) => Promise<void>>> = {
    'messages are lost, doubled and swapped': async (run, round) => {
      pick(ways.bus, round).faultMessages(pick(['drop', 'duplicate', 'swap'], round), { times: 2 });
      await run.pause('50ms');
    },
    'connections are cut': async (run, round) => {
      pick([...ways.bus, ...ways.store], round).cut();
      await run.pause('300ms');
    },
    'connections are held back, and swallow everything': async (run, round) => {
      const way = pick([...ways.bus, ...ways.store], round);
      if (round % 2 === 0) way.hold(pick(['both', 'toClient', 'toServer'], round));
      else way.swallow(pick(['both', 'toClient', 'toServer'], round));
      await run.pause('900ms');
      await way.heal();
      await run.pause('500ms');
    },
    'processes are killed and stand still': async (run, round) => {
      await run.kill(round % PROCESSES);
      run.freeze((round + 1) % PROCESSES);
      await run.pause('400ms');
      run.thaw((round + 1) % PROCESSES);
    },
    'Redis stands still, is killed, and comes back empty': async (run, round) => {
      await run.pause('1s');
      if (round % 2 === 0) server.freeze();
      else await server.stop();
      await run.pause('400ms');
      if (round % 2 === 0) server.thaw();
      else await server.start();
    },
  };

  for (const [name, disturb] of Object.entries(FAULTS)) {
    it(`holds P1, and P3 within maxStaleness, while ${name}`, async () => {
      const report = await check(
        { maxStalenessMs: MAX_STALENESS_MS },
        {
          invalidations: Math.ceil(INVALIDATIONS / 5),
          duration: LONGEST_DISTURBANCE,
          bound: MAX_STALENESS_MS + TRANSIT_MS,
          faults: async (run) => {
            for (let round = 0; !run.signal.aborted; round++) await disturb(run, round);
          },
        },
      );
      expect(report.reads).to.be.greaterThan(0);
      expect(report.hits).to.be.greaterThan(0);
    });
  }
});
