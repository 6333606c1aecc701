import { monitorEventLoopDelay } from 'node:perf_hooks';
import { expect } from 'chai';
import {
  ChaosPair,
  PAIR_FAULTS,
  type ChaosTimes,
  type PairFault,
  type TierTimes,
} from '../../support/chaos/chaos-pair.js';
import { startRedisServer, type RedisServer } from '../../support/redis-server.js';

/** How many rounds: one fault on one pair of nodes each. `node scripts/chaos.mjs` runs more of them, with the real times. */
const ROUNDS = Number(process.env['CHAOS_ROUNDS'] ?? 200);
/** By what the real times are multiplied. */
const SCALE = Number(process.env['CHAOS_SCALE'] ?? 0.1);
const PAIRS = 10;
const TIMES: ChaosTimes = {
  heartbeatMs: 500 * SCALE,
  maxStalenessMs: 3000 * SCALE,
  recoveryMs: 2000,
  transitMs: 250,
};
const CALM_MS = 300;
const WATCHED_MS = TIMES.recoveryMs + 400;

/** What breaks for all pairs at once. */
const SERVER_FAULTS = ['frozen', 'restarted empty'] as const;

/** Tiers that nothing bounds, with the heartbeat of one that is as good as none. */
const UNBOUNDED: TierTimes = { maxStalenessMs: Infinity, heartbeatMs: 3_600_000 };
/** The times of the run that is to be found out, whatever those of the other one are. */
const STRICT: ChaosTimes = { ...TIMES, heartbeatMs: 50, maxStalenessMs: 300 };
/** What keeps messages away, so that only `maxStaleness` bounds what is served. */
const SILENCES: readonly PairFault[] = ['bus swallowed', 'bus held back', 'bus deaf'];
const SILENCE_MS = 1500;

describe('coherence of tiers under faults (P3)', function () {
  this.timeout(30 * 60_000);

  it(`serves nothing beyond its bounds in ${ROUNDS} rounds`, async () => {
    const server = await startRedisServer();
    const seen = { rounds: 0, reads: 0, ownHits: 0, stale: 0, longestMs: 0, stoodStillMs: 0 };
    try {
      for (let batch = 0; seen.rounds < ROUNDS; batch++) {
        const { watches, title, stoodStillMs } = await runBatch(server, batch);
        seen.stoodStillMs = Math.max(seen.stoodStillMs, stoodStillMs);
        for (const watch of watches) {
          const violations = watch.violations.filter(({ beyondMs }) => beyondMs > stoodStillMs);
          expect(violations.slice(0, 3), title).to.deep.equal([]);
          expect(watch.ownWritesMissed, title).to.equal(0);
          // A reader that reads nothing would pass, too.
          expect(watch.reads, title).to.be.above(20);
          // So would one whose own tier answers nothing.
          expect(watch.ownHits, title).to.be.above(0);
          seen.rounds++;
          seen.reads += watch.reads;
          seen.ownHits += watch.ownHits;
          seen.stale += watch.staleReads;
          seen.longestMs = Math.max(seen.longestMs, watch.longestMs);
        }
      }
      // Where no message ever came late, no bound was tried.
      expect(seen.stale).to.be.above(0);
    } finally {
      await server.stop();
    }
    console.log(
      `      ${seen.rounds} rounds, ${seen.reads} reads, ${seen.ownHits} of them from the own tier, ${seen.stale} of values that were overtaken, by ${Math.round(seen.longestMs)} ms at most; the process stood still for ${Math.round(seen.stoodStillMs)} ms at most`,
    );
  });

  it('finds out tiers that nothing bounds', async () => {
    const server = await startRedisServer();
    const pairs = await Promise.all(
      SILENCES.map((_, index) =>
        ChaosPair.start(server.url, `unbounded-${index}`, STRICT, UNBOUNDED),
      ),
    );
    try {
      for (const pair of pairs) pair.go();
      await pause(1000 + CALM_MS);
      pairs.forEach((pair, index) => pair.break(SILENCES[index]!));
      await pause(SILENCE_MS);
    } finally {
      await Promise.all(pairs.map((pair) => pair.stop()));
      await server.stop();
    }
    pairs.forEach(({ watch }, index) => {
      expect(watch.violations, SILENCES[index]).not.to.deep.equal([]);
    });
  });
});

async function runBatch(
  server: RedisServer,
  batch: number,
): Promise<{
  readonly watches: readonly ChaosPair['watch'][];
  readonly title: string;
  /** The longest that the process did not get to run what was due: its timers, and answers that lay there, were late by that. */
  readonly stoodStillMs: number;
}> {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const serverFault = batch % 3 === 2 ? SERVER_FAULTS[Math.floor(batch / 3) % 2] : undefined;
  const pairs = await Promise.all(
    Array.from({ length: PAIRS }, (_, index) =>
      ChaosPair.start(server.url, `chaos-${batch}-${index}`, TIMES),
    ),
  );
  try {
    for (const pair of pairs) pair.go();
    await pause(1000 + CALM_MS);
    const faultMs = TIMES.maxStalenessMs * (0.5 + 1.5 * Math.random());
    if (serverFault === undefined) {
      pairs.forEach((pair, index) =>
        pair.break(PAIR_FAULTS[(index + batch) % PAIR_FAULTS.length]!),
      );
      await pause(faultMs);
      await Promise.all(pairs.map((pair) => pair.heal()));
    } else {
      for (const pair of pairs) pair.watch.faultBegins();
      await breakServer(server, serverFault, faultMs);
      for (const pair of pairs) pair.watch.faultEnds();
    }
    await pause(WATCHED_MS);
  } finally {
    await Promise.all(pairs.map((pair) => pair.stop()));
  }
  delay.disable();
  const stoodStillMs = delay.max / 1e6;
  const fault = serverFault ?? 'a fault for each pair';
  return {
    watches: pairs.map(({ watch }) => watch),
    title: `batch ${batch}: ${fault}; the process stood still for ${Math.round(stoodStillMs)} ms at most`,
    stoodStillMs,
  };
}

async function breakServer(
  server: RedisServer,
  fault: (typeof SERVER_FAULTS)[number],
  faultMs: number,
): Promise<void> {
  if (fault === 'frozen') {
    server.freeze();
    await pause(faultMs);
    server.thaw();
    return;
  }
  await server.stop();
  await pause(faultMs);
  await server.start();
}

/** Real time passes here: what is proved is what real sockets and timers do. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
