import { expect } from 'chai';
import { CLUSTERED, DEFINITIONS, KINDS, type KindRow } from '../support/scheduler/definitions.js';
import { explore, type Exploration } from '../support/scheduler/explore.js';
import { KIND_FAULTS, LEASE_FAULTS } from '../support/scheduler/kind-faults.js';
import type { OperationRow } from '../support/scheduler/operation.js';
import { operationsOf } from '../support/scheduler/operations.js';
import {
  copying,
  named,
  pair,
  refreshing,
  refreshingLateTags,
  waiting,
} from '../support/scheduler/pairs.js';
import { describeFailure } from '../support/scheduler/random-schedules.js';
import { ScenarioRunner, type Scenario } from '../support/scheduler/scenario.js';
import {
  FILL_FAULTS,
  LATE_TAGS_FAULT,
  OWN_TIER_FAULTS,
  PLANTED_FAULTS,
} from '../support/scheduler/spoiled-backend.js';
import { TRANSACTION_FAULTS } from '../support/scheduler/transaction-faults.js';
import { VirtualTime } from '../support/scheduler/virtual-time.js';
import type { WorldRow } from '../support/scheduler/world.js';
import { WORLDS } from '../support/scheduler/worlds.js';

/*
 * Promise P1, for each way of filling beside each way of invalidating, in every order of their steps: each request
 * and each answer of the store, each begin and end of a load. A third operation reads as soon as the invalidation
 * was acknowledged, wherever the fill is by then; in the end every node reads again. Pairs that have many orders are
 * explored in part and sampled for the rest, but with `INTERLEAVINGS=all`.
 *
 * Beside it, promise P2: no second load of a key without a reason, and nobody who waits for a load for good.
 */

/** With `INTERLEAVINGS=all` every pair in every world, each to its end; `node scripts/interleavings.mjs`. */
const IS_THOROUGH = process.env['INTERLEAVINGS'] === 'all';
/** Where two operations have more orders than that, as many are sampled beside. */
const MOST_RUNS = IS_THOROUGH ? Infinity : 250;
/** The same for what adds to the pairs of a load and an invalidation: puts, transactions, special kinds of caches. */
const MOST_RUNS_OF_MORE = IS_THOROUGH ? Infinity : 25;
/** The same in worlds with many orders, for pairs that do not stand for their kind. */
const MOST_RUNS_OF_REST = IS_THOROUGH ? Infinity : 15;
/** Three operations have too many orders to run them to the end. */
const MOST_RUNS_OF_THREE = IS_THOROUGH ? 10_000 : 50;
/** Ways of reading on a node what only the shared tier has. */
const COPIES = ['get', 'getMany', 'getOrSet with tags'];
/** What gives a key a value, by loading it or by putting it there. */
const FILLS = [...operationsOf('fill'), ...operationsOf('void').filter(({ isPut }) => isPut)];
const SHARED_LOADS = operationsOf('fill').filter(({ loads = 'own' }) => loads !== 'own');
const time = new VirtualTime();
const runner = new ScenarioRunner(time);

/** What was explored in a world. */
interface Tally {
  pairs: number;
  orders: number;
  most: number;
}

/** Runs in virtual time, so that no timer of this process can come between two steps. */
async function inVirtualTime<Result>(work: () => Promise<Result>): Promise<Result> {
  time.install();
  try {
    return await work();
  } finally {
    time.uninstall();
  }
}

/** Whether both stand for their kind. */
function areRepresentative(fill: OperationRow, invalidation: OperationRow): boolean {
  return fill.isRepresentative === true && invalidation.isRepresentative === true;
}

/** Whether a pair is part of this run: two forms of what other pairs show are not. */
function isDue(world: WorldRow, fill: OperationRow, invalidation: OperationRow): boolean {
  if (isDueForKinds(fill, invalidation)) return true;
  // Where there are many orders, every load meets every invalidation, and puts only what stands for its kind.
  if (world.isCostly) return fill.kind === 'fill' && !fill.isVariant && !invalidation.isVariant;
  if (fill.isVariant === true && invalidation.isRepresentative !== true) return false;
  return invalidation.isVariant !== true || fill.isRepresentative === true;
}

/** The same for caches of a special kind. */
function isDueForKinds(fill: OperationRow, invalidation: OperationRow): boolean {
  if (IS_THOROUGH) return true;
  const isWide = fill.isVariant !== true || invalidation.isRepresentative === true;
  // Tags that come late are worth an invalidation by tag everywhere, and transactions a load.
  if (fill.isByTag && invalidation.isByTag && isWide && !invalidation.isVariant) return true;
  if (fill.name === 'getOrSet with tags' && invalidation.isTransaction) return true;
  return areRepresentative(fill, invalidation);
}

function mostRunsOf({ world, placed, definition = {} }: Scenario): number {
  const [fill, invalidation] = placed.map(({ operation }) => operation);
  const isMore =
    fill!.kind === 'void' ||
    placed.some(({ operation }) => operation.isTransaction) ||
    KINDS.some((kind) => kind.definition === definition);
  if (world.isCostly === true && fill!.kind === 'fill') {
    if (!isDueForKinds(fill!, invalidation!)) return MOST_RUNS_OF_REST;
    // Of late tags, one way of invalidating them goes as far as what stands for its kind.
    if (invalidation!.isRepresentative !== true) return MOST_RUNS_OF_MORE;
  }
  return isMore ? MOST_RUNS_OF_MORE : MOST_RUNS;
}

/** Explores a pair, which must hold; when there is time, in all orders. */
async function holds(
  scenario: Scenario,
  tally: Tally,
  mostRuns = mostRunsOf(scenario),
): Promise<number> {
  const found = await inVirtualTime(() => explore(runner, scenario, mostRuns));
  for (const outcome of found.failures) {
    expect.fail(describeFailure({ scenario, seed: 0 }, outcome));
  }
  const [first, second] = scenario.placed.map(({ operation }) => operation.name);
  const what = `orders of ${first} and ${second}`;
  expect(found.schedules, what).to.be.above(1);
  if (mostRuns === Infinity)
    expect(found.isComplete, `${what} are all that there are`).to.equal(true);
  tally.pairs++;
  tally.orders += found.schedules;
  tally.most = Math.max(tally.most, found.schedules);
  return found.hits;
}

for (const world of WORLDS.filter(({ isImplied }) => IS_THOROUGH || isImplied !== true)) {
  if (world.pending !== undefined) {
    describe(`P1 in every order of two operations, in ${world.name}`, () => {
      it(`holds, once it is there: ${world.pending}`);
    });
    continue;
  }
  describe(`P1 in every order of two operations, in ${world.name}`, function () {
    this.timeout(IS_THOROUGH ? 0 : 300_000);
    const tally: Tally = { pairs: 0, orders: 0, most: 0 };
    after(() => {
      const { pairs, orders, most } = tally;
      if (IS_THOROUGH) {
        console.log(`    ${world.name}: ${pairs} pairs, ${orders} orders, at most ${most} of one`);
      }
    });

    for (const fill of FILLS) {
      if (!operationsOf('void').some((each) => isDue(world, fill, each))) continue;
      it(`holds for ${fill.name} beside every way of invalidating`, async () => {
        let hits = 0;
        for (const invalidation of operationsOf('void')) {
          if (!isDue(world, fill, invalidation)) continue;
          hits += await holds(pair(world, fill, invalidation), tally);
        }
        expect(hits, 'values that were judged').to.be.above(20);
      });
    }

    for (const row of DEFINITIONS) {
      if (row.pending !== undefined) {
        it(`holds for ${row.name}, once it is there: ${row.pending}`);
        continue;
      }
      it(`holds for ${row.name} beside every way of invalidating`, async () => {
        let hits = 0;
        for (const invalidation of operationsOf('void')) {
          if (!IS_THOROUGH && invalidation.isVariant) continue;
          // Where time passes as well, there are many orders more.
          const isFar = invalidation.isRepresentative === true || row.beside === undefined;
          const scenario = refreshing(world, row, invalidation);
          const mostRuns = mostRunsOf(scenario);
          hits += await holds(
            scenario,
            tally,
            isFar ? mostRuns : Math.min(mostRuns, MOST_RUNS_OF_MORE),
          );
        }
        expect(hits, 'values that were judged').to.be.above(20);
      });
      it(`holds for ${row.name} that finds out tags beside every way of invalidating them`, async () => {
        let hits = 0;
        for (const invalidation of operationsOf('void')) {
          if (!invalidation.isByTag || (!IS_THOROUGH && invalidation.isVariant)) continue;
          const scenario = refreshingLateTags(world, row, invalidation);
          const isFar = world.isCostly !== true && row.beside === undefined;
          hits += await holds(scenario, tally, isFar ? mostRunsOf(scenario) : MOST_RUNS_OF_MORE);
        }
        expect(hits, 'values that were judged').to.be.above(20);
      });
      for (const { name, breaks, spoil } of PLANTED_FAULTS.filter((each) => !each.isOfMisses)) {
        it(`is seen to be broken by ${row.name} when ${name}`, async () => {
          // Where there are many orders, it takes long to meet one that shows it.
          for (const invalidation of (world.isCostly ? breaks.slice(0, 1) : breaks).map(named)) {
            await isBroken({ ...refreshing(world, row, invalidation), spoil });
          }
        });
      }
      it(`is seen to be broken by ${row.name} when ${LATE_TAGS_FAULT.name}`, async () => {
        const { breaks } = LATE_TAGS_FAULT;
        for (const invalidation of (world.isCostly ? breaks.slice(0, 1) : breaks).map(named)) {
          const scenario = refreshingLateTags(world, row, invalidation);
          await isBroken({ ...scenario, spoil: LATE_TAGS_FAULT.spoil });
        }
      });
    }

    const copies = world.hasOwnTiers === true && world.size > 1 ? COPIES.map(named) : [];
    for (const read of copies) {
      it(`holds for a copy from L2 by ${read.name} beside every way of invalidating`, async () => {
        let hits = 0;
        for (const invalidation of operationsOf('void')) {
          if (!IS_THOROUGH && invalidation.isVariant) continue;
          // The first way goes far with all of them, the others with the representatives.
          const isMain = read.name === COPIES[0] || invalidation.isRepresentative === true;
          for (const node of new Set([world.size - 1, 0])) {
            // What the first node invalidates itself, comes after the answers to what it has asked before.
            if (node === 0 && !invalidation.isRepresentative && !IS_THOROUGH) continue;
            const scenario = copying(world, read, invalidation, node);
            const isFar = isMain && node > 0;
            hits += await holds(scenario, tally, isFar ? mostRunsOf(scenario) : MOST_RUNS_OF_MORE);
          }
        }
        expect(hits, 'values that were judged').to.be.above(20);
      });
    }
    for (const fault of copies.length === 0 ? [] : OWN_TIER_FAULTS) {
      it(`is seen to be broken by a copy from L2 when ${fault.name}`, async () => {
        for (const read of copies) {
          for (const invalidation of fault.breaks.map(named)) {
            // In one process, the answers of the shared tier come in order, which saves some.
            const scenario = {
              ...copying(world, read, invalidation, world.size - 1),
              spoilOwnTier: fault.spoil,
            };
            await isBroken(scenario);
          }
        }
      });
    }

    for (const kind of KINDS.filter((each) => each.isOf(world))) kindHolds(world, kind, tally);
    if (world.hasLeases === true && world.size > 1) oneLoadHolds(world, tally);

    for (const { name, fills = ['getOrSet with tags'], breaks, spoil } of [
      ...PLANTED_FAULTS,
      ...FILL_FAULTS,
    ]) {
      it(`is seen to be broken when ${name}`, async () => {
        for (const fill of fills) {
          for (const invalidation of breaks) {
            const scenario = pair(world, named(fill), named(invalidation));
            await isBroken({ ...scenario, spoil });
          }
        }
      });
    }
    for (const { name, fills, breaks, spoil } of TRANSACTION_FAULTS) {
      it(`is seen to be broken when ${name}`, async () => {
        for (const fill of fills) {
          for (const invalidation of breaks) {
            const scenario = pair(world, named(fill), named(invalidation));
            await isBroken({ ...scenario, spoilTransactions: spoil });
          }
        }
      });
    }
  });
}

/** What holds for all caches of a world, for those of a special kind. */
function kindHolds(world: WorldRow, kind: KindRow, tally: Tally): void {
  const { definition } = kind;
  // Under a lease, two tiers are worth the orders of two nodes that load; see below.
  const isElsewhere = kind === CLUSTERED && world.hasOwnTiers === true && !IS_THOROUGH;
  for (const fill of isElsewhere ? [] : FILLS) {
    const voids = operationsOf('void').filter((each) => isDueForKinds(fill, each));
    if (voids.length === 0) continue;
    it(`holds with ${kind.name} for ${fill.name} beside every way of invalidating`, async () => {
      for (const each of voids) await holds({ ...pair(world, fill, each), definition }, tally);
    });
  }
  for (const fault of KIND_FAULTS.filter(
    (each) => each.kind === kind && world.size > 1 && !isElsewhere,
  )) {
    it(`is seen to be broken with ${kind.name} when ${fault.name}`, async () => {
      for (const invalidation of fault.breaks) {
        const scenario = pair(world, named('getOrSet with tags'), named(invalidation));
        await isBroken({ ...scenario, definition, spoil: fault.spoil }, fault.shows);
      }
    });
  }
}

/** Promise P2 where two nodes load, and P1 for who waits meanwhile. */
function oneLoadHolds(world: WorldRow, tally: Tally): void {
  const isDueHere = (row: OperationRow): boolean => IS_THOROUGH || row.isRepresentative === true;
  for (const first of SHARED_LOADS) {
    const others = SHARED_LOADS.filter((each) => isDueHere(each) || isDueHere(first));
    it(`lets one node load for all, by ${first.name} beside another way of filling`, async () => {
      for (const other of others) await holds(waiting(world, CLUSTERED, [first, other]), tally);
    });
  }
  for (const first of SHARED_LOADS.filter(isDueHere)) {
    it(`holds for who waits for ${first.name} beside every way of invalidating`, async () => {
      const other = named('getOrSet with tags');
      for (const invalidation of operationsOf('void').filter(isDueHere)) {
        const scenario = waiting(world, CLUSTERED, [first, other], invalidation);
        await holds(scenario, tally, MOST_RUNS_OF_THREE);
      }
    });
  }
  for (const { name, shows, spoil } of LEASE_FAULTS) {
    it(`is seen to be broken when ${name}`, async () => {
      const fill = named('getOrSet with tags');
      await isBroken({ ...waiting(world, CLUSTERED, [fill, fill]), spoil }, shows);
    });
  }
}

/** Finds an order in which a scenario does not hold, which proves that it would be found. */
async function isBroken(scenario: Scenario, shows = 'StaleRead'): Promise<void> {
  const what = scenario.placed.map(({ operation }) => operation.name).join(' beside ');
  let found: Exploration | undefined;
  for (const mostRuns of [50, 500, 5_000]) {
    found = await inVirtualTime(() => explore(runner, scenario, mostRuns));
    if (found.failures.length > 0 || found.isComplete) break;
  }
  expect(found?.failures[0]?.failure?.name, what).to.equal(shows);
}
