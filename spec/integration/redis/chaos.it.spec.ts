import { expect } from 'chai';
import { ChaosPair, PAIR_FAULTS, type ChaosTimes } from '../../support/chaos/chaos-pair.js';
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

describe('coherence of tiers under faults (P3)', function () {
  this.timeout(30 * 60_000);

  it(`serves nothing beyond its bounds in ${ROUNDS} rounds`, async () => {
    const server = await startRedisServer();
    const seen = { rounds: 0, reads: 0, stale: 0, longestMs: 0 };
    try {
      for (let batch = 0; seen.rounds < ROUNDS; batch++) {
        const { watches, title } = await runBatch(server, batch);
        for (const watch of watches) {
          expect(watch.violations.slice(0, 3), title).to.deep.equal([]);
          // A reader that reads nothing would pass, too.
          expect(watch.reads, title).to.be.above(20);
          seen.rounds++;
          seen.reads += watch.reads;
          seen.stale += watch.staleReads;
          seen.longestMs = Math.max(seen.longestMs, watch.longestMs);
        }
      }
    } finally {
      await server.stop();
    }
    console.log(
      `      ${seen.rounds} rounds, ${seen.reads} reads, ${seen.stale} of values that were overtaken, by ${Math.round(seen.longestMs)} ms at most`,
    );
  });
});

async function runBatch(
  server: RedisServer,
  batch: number,
): Promise<{ readonly watches: readonly ChaosPair['watch'][]; readonly title: string }> {
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
  return {
    watches: pairs.map(({ watch }) => watch),
    title: `batch ${batch}: ${serverFault ?? 'a fault for each pair'}`,
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
