import type { CacheBackend } from 'cachewell';
import { DEFINITIONS } from './definitions.js';
import { KEYS } from './operation.js';
import { OPERATIONS, operationsOf } from './operations.js';
import type { Chooser } from './schedule.js';
import type { Outcome, Placed, Scenario, ScenarioRunner } from './scenario.js';
import type { WorldRow } from './world.js';

/** Numbers from 0 to 1, 1 excluded, the same for one seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A random schedule: what happens, and in which order. */
export interface RandomSchedule {
  readonly seed: number;
  readonly scenario: Scenario;
  /** Of the steps that could come next, which one, in turn; the first one where it ends. */
  readonly choices: readonly number[];
}

/** What was found out about many schedules. */
export interface RandomRun {
  readonly schedules: number;
  readonly reads: number;
  readonly hits: number;
  /** The first one that broke something, made as short as it goes. */
  readonly failure: { readonly schedule: RandomSchedule; readonly outcome: Outcome } | undefined;
}

/** Where random schedules happen, and how many. */
export interface RandomSettings {
  readonly worlds: readonly WorldRow[];
  /** Of the schedules, one seed each from this one on. */
  readonly seed: number;
  readonly count: number;
  /** See `WorldSettings.spoil`. */
  readonly spoil?: ((backend: CacheBackend) => CacheBackend) | undefined;
}

const MOST_OPERATIONS = 5;
/** How often the chooser goes on with the newest step instead of any. */
const EAGERNESS = [0, 0, 0.3, 0.7] as const;

/** Runs schedules until one breaks something. */
export async function runRandom(
  runner: ScenarioRunner,
  settings: RandomSettings,
): Promise<RandomRun> {
  let [schedules, reads, hits] = [0, 0, 0];
  for (let seed = settings.seed; seed < settings.seed + settings.count; seed++) {
    const random = randomFrom(seed);
    const scenario = randomScenario(random, settings);
    const eagerness = EAGERNESS[Math.floor(random() * EAGERNESS.length)]!;
    const choices: number[] = [];
    const outcome = await runner.run(scenario, () => (enabled) => {
      const index =
        random() < eagerness ? enabled.length - 1 : Math.floor(random() * enabled.length);
      choices.push(index);
      return index;
    });
    schedules++;
    reads += outcome.reads;
    hits += outcome.hits;
    if (outcome.failure === undefined) continue;
    const failure = await shrink(runner, { seed, scenario, choices }, outcome);
    return { schedules, reads, hits, failure };
  }
  return { schedules, reads, hits, failure: undefined };
}

/** A failure as a spec shows it: everything that is needed to see it again, and what happened. */
export function describeFailure(
  { scenario, seed }: Pick<RandomSchedule, 'scenario' | 'seed'>,
  outcome: Outcome,
): string {
  const { world, isPrimed, primedOn = 0, definition } = scenario;
  return [
    `${outcome.failure?.name}: ${outcome.failure?.message}`,
    `in ${world.name}, ${isPrimed ? `primed on node ${primedOn}` : 'cold'}, options ${JSON.stringify(definition ?? {})}, seed ${seed}`,
    ...outcome.trace.map((line) => `  ${line}`),
  ].join('\n');
}

function randomScenario(random: () => number, { worlds, spoil }: RandomSettings): Scenario {
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;
  const world = pick(worlds);
  const count = 2 + Math.floor(random() * (MOST_OPERATIONS - 1));
  const size = world.size;
  const placed = Array.from({ length: count }, (_, index): Placed => {
    const operation =
      index === 0
        ? pick(operationsOf('fill'))
        : index === 1
          ? pick(operationsOf('void'))
          : pick(OPERATIONS);
    const key = random() < 0.8 ? KEYS[0] : KEYS[1];
    return { operation, node: Math.floor(random() * size), key };
  });
  const primedOn = Math.floor(random() * size);
  const options = pick(DEFINITIONS);
  if (random() < 0.2 && options.pending === undefined) {
    const { definition, primedForMs } = options;
    return { world, definition, primedForMs, isPrimed: true, primedOn, placed, spoil };
  }
  return { world, isPrimed: random() < 0.5, primedOn, placed, spoil };
}

/** Leaves out operations and choices, as long as it still fails in the same way. */
async function shrink(
  runner: ScenarioRunner,
  found: RandomSchedule,
  first: Outcome,
): Promise<NonNullable<RandomRun['failure']>> {
  let schedule = found;
  let outcome = first;
  const attempt = async (scenario: Scenario, choices: readonly number[]): Promise<boolean> => {
    const tried = await runner.run(scenario, () => replay(choices));
    if (tried.failure?.name !== outcome.failure?.name) return false;
    schedule = { ...schedule, scenario, choices };
    outcome = tried;
    return true;
  };
  for (let isShorter = true; isShorter;) {
    isShorter = false;
    const { scenario } = schedule;
    for (let index = 0; index < scenario.placed.length && !isShorter; index++) {
      const placed = scenario.placed.filter((_, other) => other !== index);
      for (let seed = 0; seed < 200 && !isShorter; seed++) {
        const random = randomFrom(seed);
        isShorter = await attempt(
          { ...scenario, placed },
          Array.from({ length: 200 }, () => Math.floor(random() * 8)),
        );
      }
    }
    if (!isShorter && scenario.isPrimed) {
      isShorter = await attempt({ ...scenario, isPrimed: false }, schedule.choices);
    }
  }
  for (let at = 0; at < schedule.choices.length; at++) {
    if (schedule.choices[at] === 0) continue;
    const choices = schedule.choices.map((choice, index) => (index === at ? 0 : choice));
    await attempt(schedule.scenario, choices);
  }
  return { schedule, outcome };
}

function replay(choices: readonly number[]): Chooser {
  let at = 0;
  return (enabled) => (choices[at++] ?? 0) % enabled.length;
}
