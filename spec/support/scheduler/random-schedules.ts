import type { CacheBackend } from 'cachewell';
import { DEFINITIONS, KINDS } from './definitions.js';
import { KEYS } from './keys.js';
import { OPERATIONS, operationsOf } from './operations.js';
import { EAGERNESS, randomChooser, randomFrom } from './random.js';
import type { Chooser } from './schedule.js';
import type { OperationRow, Placed } from './operation.js';
import type { Outcome, Scenario, ScenarioRunner } from './scenario.js';
import type { WorldRow } from './world.js';

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
  /** What schedules are drawn from; another list, or another order, makes others of the same seeds. @defaultValue all */
  readonly operations?: readonly OperationRow[] | undefined;
  /** See `WorldSettings.spoil`. */
  readonly spoil?: ((backend: CacheBackend) => CacheBackend) | undefined;
}

const MOST_OPERATIONS = 5;
/** Of the worlds in which caches can be of a special kind, in how many they are. */
const SPECIAL = 0.25;

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
    const choose = randomChooser(random, eagerness);
    const outcome = await runner.run(scenario, () => (enabled) => {
      const index = choose(enabled);
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

function randomScenario(
  random: () => number,
  { worlds, operations = OPERATIONS, spoil }: RandomSettings,
): Scenario {
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;
  const world = pick(worlds);
  const count = 2 + Math.floor(random() * (MOST_OPERATIONS - 1));
  const size = world.size;
  const placed = Array.from({ length: count }, (_, index): Placed => {
    const operation =
      index === 0
        ? pick(operationsOf('fill', operations))
        : index === 1
          ? pick(operationsOf('void', operations))
          : pick(operations);
    const key = random() < 0.8 ? KEYS[0] : KEYS[1];
    return { operation, node: Math.floor(random() * size), key };
  });
  const primedOn = Math.floor(random() * size);
  const options = pick(DEFINITIONS);
  const kinds = KINDS.filter((kind) => kind.isOf(world));
  const kind = kinds.length > 0 && random() < SPECIAL ? pick(kinds).definition : {};
  if (random() < 0.2 && options.pending === undefined) {
    const { primedForMs } = options;
    const definition = { ...options.definition, ...kind };
    return { world, definition, primedForMs, isPrimed: true, primedOn, placed, spoil };
  }
  const isPrimed = random() < 0.5;
  return { world, definition: kind, isPrimed, primedOn, placed, spoil };
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
