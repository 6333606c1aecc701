import { expect } from 'chai';
import type { Duration } from '#internal/duration.js';
import type {
  ConsistencyOptions,
  ConsistencyRun,
} from '#internal/testing/consistency/consistency-options.js';
import type { ConsistencyReport } from '#internal/testing/consistency/consistency-report.js';
import { runConsistency } from '#internal/testing/consistency/run-consistency.js';
import type { ClusterSubjectOptions } from '../../support/consistency/cluster-subject.js';
import { expectHeld, expectHeldUndisturbed } from '../../support/consistency/expect-held.js';
import {
  startRedisCluster,
  type RedisClusterOptions,
  type RedisClusterServers,
} from '../../support/redis-cluster.js';

/** A small part of what the run on single servers makes: a clear alone is 17 commands here. */
const INVALIDATIONS = Math.ceil(Number(process.env['CONSISTENCY_INVALIDATIONS'] ?? 100_000) / 25);
/** What the disturbed processes may serve at the most, scaled down. In milliseconds. */
const MAX_STALENESS_MS = 600;
/** How long a message, and a process that is to judge it, may be kept waiting by a busy machine. In milliseconds. */
const TRANSIT_MS = 1_000;

describe('consistency over processes on a Cluster', function () {
  this.timeout(90_000 + INVALIDATIONS * 20);

  let servers: RedisClusterServers | undefined;

  afterEach(async () => {
    await servers?.stop();
    servers = undefined;
  });

  const start = async (options: RedisClusterOptions): Promise<RedisClusterServers> =>
    (servers = await startRedisCluster(options));

  const check = async (
    { nodes }: RedisClusterServers,
    subject: Omit<ClusterSubjectOptions, 'nodes'>,
    options: Partial<ConsistencyOptions>,
  ): Promise<ConsistencyReport> => {
    const subjectOptions: ClusterSubjectOptions = { nodes, ...subject };
    const report = await runConsistency({
      subject: new URL('../../support/consistency/cluster-subject.js', import.meta.url),
      subjectOptions,
      processes: 3,
      seed: 3,
      ...options,
    });
    expectHeld(report);
    return report;
  };

  for (const [name, isTiered, bound] of [
    ['P1', false, 0],
    [`P1, and P3 within ${TRANSIT_MS} ms, in two tiers`, true, TRANSIT_MS],
  ] as const) {
    it(`holds ${name}, for ${INVALIDATIONS} invalidations by three processes`, async () => {
      const options = { invalidations: INVALIDATIONS, bound };
      const report = await check(await start({}), { isTiered }, options);
      expectHeldUndisturbed(report, INVALIDATIONS, isTiered ? 50 : 20);
    });
  }

  /** Runs two tiers in each process, while something happens to one master after the other. */
  const checkDisturbed = async (
    cluster: RedisClusterServers,
    subject: Omit<ClusterSubjectOptions, 'nodes'>,
    duration: Duration,
    disturb: (run: ConsistencyRun, master: number) => Promise<void>,
  ): Promise<void> => {
    let rounds = 0;
    const report = await check(
      cluster,
      { isTiered: true, maxStalenessMs: MAX_STALENESS_MS, commandTimeoutMs: 250, ...subject },
      {
        invalidations: Infinity,
        duration,
        bound: MAX_STALENESS_MS + TRANSIT_MS,
        faults: async (run) => {
          for (; rounds < cluster.masters.length; rounds++) {
            await run.pause('1500ms');
            if (run.signal.aborted) return;
            await disturb(run, rounds);
          }
        },
      },
    );
    expect(rounds).to.be.above(0);
    expect(report.acknowledged).to.be.above(500);
    // Had every invalidation got through, nothing would have been broken.
    expect(report.failures.count).to.be.above(0);
  };

  it('holds P1, and P3 within maxStaleness, while masters stand still', async () => {
    const cluster = await start({ args: ['--cluster-require-full-coverage', 'no'] });
    await checkDisturbed(cluster, {}, '12s', async (run, master) => {
      cluster.masters[master]!.freeze();
      await run.pause('1s');
      cluster.masters[master]!.thaw();
    });
  });

  // Only what the replica has outlives its master (the limits of P1), so that alone may count as acknowledged.
  it('holds P1, and P3 within maxStaleness, while replicas take over from masters that are killed', async () => {
    const cluster = await start({ replicas: 1, nodeTimeoutMs: 1_000 });
    await checkDisturbed(cluster, { replicas: 1 }, '22s', async (run, master) => {
      await cluster.masters[master]!.stop();
      await cluster.tookOver(master);
      await run.pause('500ms');
      await cluster.rejoin(master);
    });
  });
});
