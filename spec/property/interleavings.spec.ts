import { expect } from 'chai';
import { DEFINITIONS, type DefinitionRow } from '../support/scheduler/definitions.js';
import { explore } from '../support/scheduler/explore.js';
import type { OperationRow } from '../support/scheduler/operation.js';
import { KEYS } from '../support/scheduler/operation.js';
import { OPERATIONS, operationsOf } from '../support/scheduler/operations.js';
import { describeFailure } from '../support/scheduler/random-schedules.js';
import { ScenarioRunner, type Scenario } from '../support/scheduler/scenario.js';
import { PLANTED_FAULTS } from '../support/scheduler/spoiled-backend.js';
import { VirtualTime } from '../support/scheduler/virtual-time.js';
import type { WorldRow } from '../support/scheduler/world.js';
import { WORLDS } from '../support/scheduler/worlds.js';

/*
 * Promise P1, for each way of filling beside each way of invalidating, in every order of their steps: each request
 * and each answer of the store, each begin and end of a load. A third operation reads as soon as the invalidation
 * was acknowledged, wherever the fill is by then; in the end every node reads again. The few pairs that have thousands
 * of orders are explored in part and sampled for the rest, but with `INTERLEAVINGS=all`.
 */

/** With `INTERLEAVINGS=all` every pair in every world, which takes some minutes. */
const IS_THOROUGH = process.env['INTERLEAVINGS'] === 'all';
/** Where two operations have more orders than that, as many are sampled beside. */
const MOST_RUNS = IS_THOROUGH ? Infinity : 250;
const time = new VirtualTime();
const runner = new ScenarioRunner(time);

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

/** Whether a pair is part of this run: two forms of what other pairs show are not. */
function isDue(world: WorldRow, fill: OperationRow, invalidation: OperationRow): boolean {
  if (IS_THOROUGH) return true;
  if (world.isCostly && !(fill.isRepresentative && invalidation.isRepresentative)) return false;
  if (fill.isVariant === true && invalidation.isRepresentative !== true) return false;
  return invalidation.isVariant !== true || fill.isRepresentative === true;
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
    this.timeout(300_000);

    for (const fill of operationsOf('fill')) {
      if (!operationsOf('void').some((each) => isDue(world, fill, each))) continue;
      it(`holds for ${fill.name} beside every way of invalidating`, async () => {
        let hits = 0;
        for (const invalidation of operationsOf('void')) {
          if (!isDue(world, fill, invalidation)) continue;
          const scenario = pair(world, fill, invalidation);
          const found = await inVirtualTime(() => explore(runner, scenario, MOST_RUNS));
          for (const outcome of found.failures) {
            expect.fail(describeFailure({ scenario, seed: 0 }, outcome));
          }
          expect(found.schedules, `orders beside ${invalidation.name}`).to.be.above(1);
          hits += found.hits;
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
          const scenario = refreshing(world, row, invalidation);
          const found = await inVirtualTime(() => explore(runner, scenario, MOST_RUNS));
          for (const outcome of found.failures) {
            expect.fail(describeFailure({ scenario, seed: 0 }, outcome));
          }
          expect(found.schedules, `orders beside ${invalidation.name}`).to.be.above(1);
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
