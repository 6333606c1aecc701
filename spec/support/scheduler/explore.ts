import {
  areIndependent,
  type Chooser,
  type Footprint,
  type Schedule,
  type Step,
} from './schedule.js';
import { EAGERNESS, randomChooser, randomFrom } from './random.js';
import type { Outcome, Scenario, ScenarioRunner } from './scenario.js';

interface Frame {
  readonly enabled: readonly Step[];
  /** Steps whose orders from here on were explored elsewhere, and what they touched. */
  readonly sleeping: Map<string, Footprint>;
  /** Steps that have to be tried here. */
  readonly wanted: Set<string>;
  chosen: Step;
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
 * neighbouring steps that touch nothing in common: such orders give the same results. Each order runs from scratch.
 *
 * - Where two steps of a run have met in what they touch, and nothing else has put them in that order, the other order
 *   is tried as well, and no order without such a reason: source sets (P. Abdulla, S. Aronsson, B. Jonsson,
 *   K. Sagonas, "Optimal Dynamic Partial Order Reduction", POPL 2014, algorithm 1).
 * - What was tried is not tried again until a step comes that it cannot change places with: sleep sets
 *   (P. Godefroid, "Partial-Order Methods for the Verification of Concurrent Systems", chapter 5).
 *
 * What a step touches is observed when it is taken. `exploration.spec.ts` compares this with trying every order.
 *
 * @param mostRuns - after so many runs the orders that are left are sampled: as many again, at random
 * @param mostFailures - after so many the exploration ends
 */
export async function explore(
  runner: Pick<ScenarioRunner, 'run'>,
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
    const known = Math.max(0, frames.length - 1);
    let record: Schedule | undefined;
    let start = 0;
    const outcome = await runner.run(scenario, (schedule) => {
      record = schedule;
      start = schedule.footprints.length;
      return follow(frames, schedule, start);
    });
    for (const [depth, frame] of frames.entries()) {
      frame.footprint ??= record?.footprints[start + depth];
    }
    reverseRaces(frames, known);
    if (!(outcome.failure instanceof Redundant)) count(outcome);
    if (failures.length >= mostFailures) break;
    isComplete = !backtrack(frames);
  }
  const samples = isComplete ? 0 : mostRuns;
  for (let seed = 0; seed < samples && failures.length < mostFailures; seed++) {
    const choose = randomChooser(randomFrom(seed), EAGERNESS[seed % EAGERNESS.length]!);
    count(await runner.run(scenario, () => choose));
  }
  return { schedules, isComplete, reads, hits, failures };
}

/** Takes the steps of the frames, and opens new ones behind them. */
function follow(frames: Frame[], schedule: Schedule, start: number): Chooser {
  let depth = 0;
  return (enabled) => {
    const before = frames[depth - 1];
    if (before !== undefined) before.footprint = schedule.footprints[start + depth - 1];
    let frame = frames[depth];
    if (frame === undefined) {
      const sleeping = before === undefined ? new Map<string, Footprint>() : inherited(before);
      const chosen = enabled.find(({ id }) => !sleeping.has(id));
      if (chosen === undefined) throw new Redundant();
      const wanted = new Set([chosen.id]);
      frame = { enabled: [...enabled], sleeping, wanted, chosen, footprint: undefined };
      frames.push(frame);
    }
    depth++;
    const { id } = frame.chosen;
    const index = enabled.findIndex((step) => step.id === id);
    if (index < 0) throw new Error(`the schedule is not deterministic: ${id} is missing`);
    return index;
  };
}

/** What still sleeps after a frame's step. */
function inherited({ sleeping, footprint }: Frame): Map<string, Footprint> {
  return new Map([...sleeping].filter(([, touched]) => areIndependent(touched, footprint!)));
}

/**
 * Finds the steps that could have come before one that they have come after, and wants that tried.
 *
 * @param known - frames before this one were looked at in earlier runs
 */
function reverseRaces(frames: readonly Frame[], known: number): void {
  const places = new Map(frames.map(({ chosen }, place) => [chosen.id, place]));
  const lanes = new Map<string, number>();
  /** Per step, the steps that have to come before it. */
  const past: Uint8Array[] = [];
  frames.forEach(({ chosen, footprint }, place) => {
    const before = new Uint8Array(frames.length);
    past.push(before);
    const cause = chosen.cause === undefined ? undefined : places.get(chosen.cause);
    const lane = chosen.lane === undefined ? undefined : lanes.get(chosen.lane);
    if (chosen.lane !== undefined) lanes.set(chosen.lane, place);
    for (let other = place - 1; other >= 0; other--) {
      if (before[other] === 1) continue;
      const isOrdered = other === cause || other === lane;
      if (!isOrdered && areIndependent(frames[other]!.footprint!, footprint!)) continue;
      before[other] = 1;
      past[other]!.forEach((isBefore, earlier) => {
        if (isBefore === 1) before[earlier] = 1;
      });
      if (!isOrdered && place >= known) wantReversed(frames, past, other, place);
    }
  });
}

/** Wants a step tried, instead of an earlier one, with which the later one comes before the earlier. */
function wantReversed(
  frames: readonly Frame[],
  past: readonly Uint8Array[],
  earlier: number,
  later: number,
): void {
  const frame = frames[earlier]!;
  const followers: number[] = [];
  const firsts: string[] = [];
  for (let place = earlier + 1; place <= later; place++) {
    // The race itself is what is turned round.
    if (place < later && past[place]![earlier] === 1) continue;
    if (!followers.some((each) => past[place]![each] === 1)) firsts.push(frames[place]!.chosen.id);
    followers.push(place);
  }
  if (firsts.some((id) => frame.wanted.has(id) || frame.sleeping.has(id))) return;
  const first = firsts[0]!;
  if (!frame.enabled.some(({ id }) => id === first)) throw new Error(`${first} was not enabled`);
  frame.wanted.add(first);
}

/** Goes to the last frame with a step left to try. `false` when there is none. */
function backtrack(frames: Frame[]): boolean {
  for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
    frame.sleeping.set(frame.chosen.id, frame.footprint ?? new Map());
    const { wanted, sleeping } = frame;
    const next = frame.enabled.find(({ id }) => wanted.has(id) && !sleeping.has(id));
    if (next !== undefined) {
      frame.chosen = next;
      frame.footprint = undefined;
      return true;
    }
    frames.pop();
  }
  return false;
}
