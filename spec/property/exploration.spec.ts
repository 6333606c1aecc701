import { expect } from 'chai';
import fc from 'fast-check';
import { explore } from '../support/scheduler/explore.js';
import type { Outcome, Scenario } from '../support/scheduler/scenario.js';
import {
  areIndependent,
  Schedule,
  type Chooser,
  type Footprint,
  type Use,
} from '../support/scheduler/schedule.js';

/*
 * The exploration of orders leaves out most of them. Here it explores little programs, whose orders can all be run,
 * and must find each result that any order gives, and run one order of each class.
 */

interface Instruction {
  readonly use: Use;
  readonly variable: number;
  /** Only if that variable is odd by then, so that what a step touches depends on the order. */
  readonly onlyIf?: number | undefined;
  /** Not done by the thread itself, but by a message that is under way, behind those that it sent before. */
  readonly isSent: boolean;
}

/** By thread, what it does. */
type Program = readonly (readonly Instruction[])[];

const VARIABLES = 3;
const instruction: fc.Arbitrary<Instruction> = fc.record({
  use: fc.constantFrom('read', 'write', 'add'),
  variable: fc.nat(VARIABLES - 1),
  onlyIf: fc.option(fc.nat(VARIABLES - 1), { nil: undefined, freq: 3 }),
  isSent: fc.boolean(),
});
const program: fc.Arbitrary<Program> = fc.oneof(
  fc.tuple(...[3, 3].map((maxLength) => fc.array(instruction, { minLength: 1, maxLength }))),
  fc.tuple(...[2, 2, 1].map((maxLength) => fc.array(instruction, { minLength: 1, maxLength }))),
);

/** Runs one order of a program, and tells what came of it. */
async function run(
  threads: Program,
  choose: (schedule: Schedule) => Chooser,
): Promise<{ readonly result: string; readonly order: string; readonly failure?: Error }> {
  const schedule = new Schedule();
  const variables = Array.from({ length: VARIABLES }, () => 0);
  /** By step: what it read. */
  const seen = new Map<number, number>();
  const taken: string[] = [];
  const perform = ({ use, variable, onlyIf }: Instruction, salt: number): void => {
    if (onlyIf !== undefined) {
      schedule.touch(`variable ${onlyIf}`, 'read');
      if (variables[onlyIf]! % 2 === 0) return;
    }
    schedule.touch(`variable ${variable}`, use);
    if (use === 'read') seen.set(salt, variables[variable]!);
    else if (use === 'write') variables[variable] = salt;
    else variables[variable]! += 10 + 2 * salt;
  };
  const start = (thread: number, at: number): void => {
    const each = threads[thread]![at];
    if (each === undefined) return;
    const salt = 10 * thread + at + 1;
    const act = (): void => {
      if (each.isSent) {
        const lane = `messages of ${thread}`;
        schedule.add(lane, `message ${salt}`, () => perform(each, salt), [], lane);
      } else perform(each, salt);
      start(thread, at + 1);
    };
    schedule.add(`thread ${thread}`, `step ${salt}`, act, [`thread ${thread}`]);
  };
  threads.forEach((_, thread) => start(thread, 0));
  let failure: Error | undefined;
  try {
    const chooser = choose(schedule);
    await schedule.run((enabled) => {
      const index = chooser(enabled);
      taken.push(enabled[index]!.id);
      return index;
    });
  } catch (error) {
    failure = error as Error;
  }
  const result = JSON.stringify([variables, [...seen].sort(([one], [other]) => one - other)]);
  return { result, order: classOf(taken, schedule.footprints), ...(failure && { failure }) };
}

/** The same for all orders that differ by changing steps that touch nothing in common. */
function classOf(taken: readonly string[], footprints: readonly Footprint[]): string {
  const ordered: string[] = [];
  taken.forEach((later, place) => {
    for (let other = 0; other < place; other++) {
      if (areIndependent(footprints[other]!, footprints[place]!)) continue;
      ordered.push(`${taken[other]} before ${later}`);
    }
  });
  return ordered.sort().join(', ');
}

/** Runs every order, one after the other. */
async function everyOrder(
  threads: Program,
): Promise<{ classes: Set<string>; results: Set<string> }> {
  const [classes, results] = [new Set<string>(), new Set<string>()];
  const path: { choice: number; of: number }[] = [];
  do {
    let depth = 0;
    const { result, order } = await run(threads, () => (enabled) => {
      path[depth] ??= { choice: 0, of: enabled.length };
      return path[depth++]!.choice;
    });
    classes.add(order);
    results.add(result);
    while (path.length > 0 && path.at(-1)!.choice + 1 === path.at(-1)!.of) path.pop();
    if (path.length > 0) path.at(-1)!.choice++;
  } while (path.length > 0);
  return { classes, results };
}

/** Explores as the proof of P1 does. */
async function explored(threads: Program): Promise<{ classes: string[]; results: Set<string> }> {
  const classes: string[] = [];
  const results = new Set<string>();
  const found = await explore(
    {
      run: async (_, choose): Promise<Outcome> => {
        const { result, order, failure } = await run(threads, choose);
        if (failure === undefined) {
          classes.push(order);
          results.add(result);
        }
        return { trace: [], failure, reads: 0, hits: 0 };
      },
    },
    {} as Scenario,
  );
  expect(found.failures).to.deep.equal([]);
  expect(found.isComplete).to.equal(true);
  expect(found.schedules).to.equal(classes.length);
  return { classes, results };
}

describe('exploring the orders of steps', function () {
  this.timeout(300_000);

  it('finds what trying every order finds, and runs no two orders of a class', async () => {
    await fc.assert(
      fc.asyncProperty(program, async (threads) => {
        const all = await everyOrder(threads);
        const some = await explored(threads);
        expect(new Set(some.classes)).to.deep.equal(all.classes);
        expect(some.classes).to.have.length(all.classes.size);
        expect(some.results).to.deep.equal(all.results);
      }),
      { numRuns: Number(process.env['EXPLORATIONS'] ?? 40) },
    );
  });

  const step = (use: Use, variable: number): Instruction => ({ use, variable, isSent: false });
  for (const [what, use, other, orders] of [
    ['writes of one variable', 'write', 0, 6],
    ['reads of one variable', 'read', 0, 1],
    ['additions to one variable', 'add', 0, 1],
    ['writes of two variables', 'write', 1, 1],
  ] as const) {
    it(`runs ${orders} of the 6 orders of two threads with two ${what}`, async () => {
      const threads = [0, other].map((variable) => [step(use, variable), step(use, variable)]);
      expect((await explored(threads)).classes).to.have.length(orders);
    });
  }
});
