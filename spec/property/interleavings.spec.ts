import { expect } from 'chai';
import { DEFINITIONS, type DefinitionRow } from '../support/scheduler/definitions.js';
import { explore } from '../support/scheduler/explore.js';
import type { OperationRow } from '../support/scheduler/operation.js';
import { KEYS } from '../support/scheduler/operation.js';
import { OPERATIONS, operationsOf } from '../support/scheduler/operations.js';
import { describeFailure } from '../support/scheduler/random-schedules.js';
import { ScenarioRunner, type Scenario } from '../support/scheduler/scenario.js';
import { OWN_TIER_FAULTS, PLANTED_FAULTS } from '../support/scheduler/spoiled-backend.js';
import { VirtualTime } from '../support/scheduler/virtual-time.js';
import type { WorldRow } from '../support/scheduler/world.js';
import { WORLDS } from '../support/scheduler/worlds.js';

/*
 * Promise P1, for each way of filling beside each way of invalidating, in every order of their steps: each request
 * and each answer of the store, each begin and end of a load. A third operation reads as soon as the invalidation
 * was acknowledged, wherever the fill is by then; in the end every node reads again. Pairs that have many orders are
 * explored in part and sampled for the rest, but with `INTERLEAVINGS=all`.
 */

/** With `INTERLEAVINGS=all` every pair in every world, each to its end; `node scripts/interleavings.mjs`. */
const IS_THOROUGH = process.env['INTERLEAVINGS'] === 'all';
/** Where two operations have more orders than that, as many are sampled beside. */
const MOST_RUNS = IS_THOROUGH ? Infinity : 250;
/** Ways of reading on a node what only the shared tier has. */
const COPIES = ['get', 'getMany', 'getOrSet with tags'];
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

/** What is filled on the first node is invalidated on the last one, and read on the first. */
function pair(world: WorldRow, fill: OperationRow, invalidation: OperationRow): Scenario {
  const key = KEYS[0];
  const last = world.size - 1;
  return {
    world,
    // Only a load that is forced has something to do where there is a value already.
    isPrimed: fill.name.includes('refresh'),
    placed: [
      { operation: fill, node: 0, key },
      { operation: invalidation, node: last, key },
      { operation: named('get'), node: 0, key, after: 1 },
    ],
  };
}

/** The same, where it is not a miss that makes the cache load. */
function refreshing(
  world: WorldRow,
  { definition, primedForMs, beside }: DefinitionRow,
  invalidation: OperationRow,
): Scenario {
  const { placed } = pair(world, named('getOrSet with tags'), invalidation);
  const more = beside === undefined ? [] : [{ operation: named(beside), node: 0, key: KEYS[0] }];
  return { world, definition, primedForMs, isPrimed: true, placed: [...placed, ...more] };
}

/**
 * The same, where the shared tier has what the first node lacks, so that reading brings a copy. What overtakes the
 * copy is of the last node, which tells the first one by a message, or of the first node itself.
 */
function copying(
  world: WorldRow,
  read: OperationRow,
  invalidation: OperationRow,
  invalidatedOn: number,
): Scenario {
  const [first, , last] = pair(world, read, invalidation).placed;
  const second = { operation: invalidation, node: invalidatedOn, key: KEYS[0] };
  return {
    world,
    isPrimed: true,
    primedOn: world.size - 1,
    placed: [first!, second, last!],
  };
}

/** Whether a pair is part of this run: two forms of what other pairs show are not. */
function isDue(world: WorldRow, fill: OperationRow, invalidation: OperationRow): boolean {
  if (IS_THOROUGH) return true;
  if (world.isCostly && !(fill.isRepresentative && invalidation.isRepresentative)) return false;
  if (fill.isVariant === true && invalidation.isRepresentative !== true) return false;
  return invalidation.isVariant !== true || fill.isRepresentative === true;
}

/** Explores a pair, which must hold; when there is time, in all orders. */
async function holds(scenario: Scenario, tally: Tally): Promise<number> {
  const found = await inVirtualTime(() => explore(runner, scenario, MOST_RUNS));
  for (const outcome of found.failures) {
    expect.fail(describeFailure({ scenario, seed: 0 }, outcome));
  }
  const [first, second] = scenario.placed.map(({ operation }) => operation.name);
  const what = `orders of ${first} and ${second}`;
  expect(found.schedules, what).to.be.above(1);
  if (IS_THOROUGH) expect(found.isComplete, `${what} are all that there are`).to.equal(true);
  tally.pairs++;
  tally.orders += found.schedules;
  tally.most = Math.max(tally.most, found.schedules);
  return found.hits;
}

function named(name: string): OperationRow {
  const found = OPERATIONS.find((row) => row.name === name);
  if (found === undefined) throw new RangeError(`there is no operation '${name}'`);
  return found;
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

    for (const fill of operationsOf('fill')) {
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
        for (const invalidation of operationsOf('void')) {
          // Where time passes as well, there are many orders more.
          const isDueHere =
            row.beside === undefined && world.isCostly !== true
              ? !invalidation.isVariant
              : invalidation.isRepresentative;
          if (!IS_THOROUGH && isDueHere !== true) continue;
          await holds(refreshing(world, row, invalidation), tally);
        }
      });
    }

    const copies = world.hasOwnTiers === true && world.size > 1 ? COPIES.map(named) : [];
    for (const read of copies) {
      it(`holds for a copy from L2 by ${read.name} beside every way of invalidating`, async () => {
        let hits = 0;
        for (const invalidation of operationsOf('void')) {
          // The first way meets all but variants, the others the representatives.
          const isWide = read.name === COPIES[0] && invalidation.isVariant !== true;
          const isDueHere = IS_THOROUGH || isWide || invalidation.isRepresentative;
          if (isDueHere !== true) continue;
          // What the first node invalidates itself, comes after the answers to what it has asked before.
          const nodes = IS_THOROUGH ? [0, world.size - 1] : [world.size - 1];
          for (const node of nodes) {
            hits += await holds(copying(world, read, invalidation, node), tally);
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
            const { failures } = await inVirtualTime(() => explore(runner, scenario));
            const what = `${read.name} beside ${invalidation.name}`;
            expect(failures[0]?.failure?.name, what).to.equal('StaleRead');
          }
        }
      });
    }

    for (const fault of PLANTED_FAULTS) {
      it(`is seen to be broken when ${fault.name}`, async () => {
        for (const invalidation of fault.breaks.map(named)) {
          const fill = named('getOrSet with tags');
          const scenario = {
            ...pair(world, fill, invalidation),
            isPrimed: false,
            spoil: fault.spoil,
          };
          const { failures } = await inVirtualTime(() => explore(runner, scenario, 20 * MOST_RUNS));
          expect(failures[0]?.failure?.name, invalidation.name).to.equal('StaleRead');
        }
      });
    }
  });
}
