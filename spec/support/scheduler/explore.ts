import { areIndependent, type Chooser, type Footprint, type Schedule } from './schedule.js';
import { randomFrom } from './random-schedules.js';
import type { Outcome, Scenario, ScenarioRunner } from './scenario.js';

interface Frame {
  readonly enabled: readonly string[];
  /** Steps whose orders from here on were explored elsewhere, and what they touched. */
  readonly sleeping: Map<string, Footprint>;
  chosen: string;
  /** Known once the step was taken. */
  footprint: Footprint | undefined;
}

/** How far an exploration went. */
export interface Exploration {
  /** Orders that were run to their end. */
  readonly schedules: number;
  /** Whether these were all of them, up to the changing of independent steps. */
  readonly isComplete: boolean;
  readonly reads: number;
  readonly hits: number;
  /** Orders that broke something. */
  readonly failures: readonly Outcome[];
}

/** An order that was explored already up to independent steps, so the run is of no interest. */
class Redundant extends Error {}

/**
 * Runs a scenario in every order of its steps, or rather in one of each class of orders that differ only by changing
 * neighbouring steps that touch nothing in common: such orders give the same results. These are sleep sets
 * (P. Godefroid, "Partial-Order Methods for the Verification of Concurrent Systems", chapter 5), with what a step
 * touches observed when it is taken. Each order runs from scratch.
 *
 * @param mostRuns - after so many runs the orders that are left are sampled: as many again, at random
 * @param mostFailures - after so many the exploration ends
 */
export async function explore(
  runner: ScenarioRunner,
  scenario: Scenario,
  mostRuns = Infinity,
  mostFailures = 1,
): Promise<Exploration> {
  const frames: Frame[] = [];
  const failures: Outcome[] = [];
  let [schedules, reads, hits] = [0, 0, 0];
  const count = (outcome: Outcome): void => {
    schedules++;
    reads += outcome.reads;
    hits += outcome.hits;
    if (outcome.failure !== undefined) failures.push(outcome);
  };
  let isComplete = false;
  for (let runs = 0; runs < mostRuns && !isComplete; runs++) {
    const outcome = await runner.run(scenario, (schedule) => follow(frames, schedule));
    if (!(outcome.failure instanceof Redundant)) count(outcome);
    if (failures.length >= mostFailures) break;
    isComplete = !backtrack(frames);
  }
  const samples = isComplete ? 0 : mostRuns;
  for (let seed = 0; seed < samples && failures.length < mostFailures; seed++) {
    const random = randomFrom(seed);
    count(
      await runner.run(
        scenario,
        () =>
          ({ length }) =>
            Math.floor(random() * length),
      ),
    );
  }
  return { schedules, isComplete, reads, hits, failures };
}

/** Takes the steps of the frames, and opens new ones behind them. */
function follow(frames: Frame[], schedule: Schedule): Chooser {
  let depth = 0;
  return (enabled) => {
    const ids = enabled.map(({ id }) => id);
    const before = frames[depth - 1];
    if (before !== undefined) before.footprint = schedule.footprint;
    let frame = frames[depth];
    if (frame === undefined) {
      const sleeping = before === undefined ? new Map<string, Footprint>() : inherited(before);
      const chosen = ids.find((id) => !sleeping.has(id));
      if (chosen === undefined) throw new Redundant();
      frame = { enabled: ids, sleeping, chosen, footprint: undefined };
      frames.push(frame);
    }
    depth++;
    const index = ids.indexOf(frame.chosen);
    if (index < 0) throw new Error(`the schedule is not deterministic: ${frame.chosen} is missing`);
    return index;
  };
}

/** What still sleeps after a frame's step. */
function inherited({ sleeping, footprint }: Frame): Map<string, Footprint> {
  return new Map([...sleeping].filter(([, touched]) => areIndependent(touched, footprint!)));
}

/** Goes to the last frame with a step left to try. `false` when there is none. */
function backtrack(frames: Frame[]): boolean {
  for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
    // The last step of a run has been seen by no later choice; all the others have left their footprint.
    if (frame.footprint !== undefined) frame.sleeping.set(frame.chosen, frame.footprint);
    else frame.sleeping.set(frame.chosen, new Map());
    const next = frame.enabled.find((id) => !frame.sleeping.has(id));
    if (next !== undefined) {
      frame.chosen = next;
      frame.footprint = undefined;
      return true;
    }
    frames.pop();
  }
  return false;
}
