import { CacheBackendError, type CacheBackend } from 'cachewell';
import { Actor, KEYS, TAGS, type OperationRow } from './operation.js';
import { Origin } from './origin.js';
import { inOrder, Schedule, type Chooser } from './schedule.js';
import type { VirtualTime } from './virtual-time.js';
import { nodeState, type WorldRow } from './world.js';

/** One operation of a scenario. */
export interface Placed {
  readonly operation: OperationRow;
  readonly node: number;
  readonly key: string;
  /** Begins when that one has ended, and not at any time. */
  readonly after?: number | undefined;
}

/** Operations that happen at the same time, and where. */
export interface Scenario {
  readonly world: WorldRow;
  /** Options of the cache. */
  readonly definition?: Readonly<Record<string, unknown>> | undefined;
  /** Whether the keys have values before it begins. */
  readonly isPrimed: boolean;
  /** The node that gave them, whose own tier has them then. @defaultValue 0 */
  readonly primedOn?: number | undefined;
  /** How long those have been there. In milliseconds. */
  readonly primedForMs?: number | undefined;
  readonly placed: readonly Placed[];
  /** See `WorldSettings.spoil`. */
  readonly spoil?: ((backend: CacheBackend) => CacheBackend) | undefined;
  /** See `WorldSettings.spoilOwnTier`. */
  readonly spoilOwnTier?: ((backend: CacheBackend) => CacheBackend) | undefined;
}

/** What running a scenario in one order has shown. */
export interface Outcome {
  readonly trace: readonly string[];
  /** What went wrong: a stale read, or an operation that failed. */
  readonly failure: Error | undefined;
  readonly reads: number;
  readonly hits: number;
}

/** Runs scenarios, each from scratch, in orders that the caller chooses. Everything is in virtual time. */
export class ScenarioRunner {
  readonly #time: VirtualTime;

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  /**
   * Runs a scenario once. In the end each node reads each key once more.
   *
   * @param choose - for the scenario itself; before and after it things happen in order
   */
  async run(scenario: Scenario, choose: (schedule: Schedule) => Chooser): Promise<Outcome> {
    this.#time.reset();
    const schedule = new Schedule();
    const origin = new Origin(schedule);
    let failure: Error | undefined;
    try {
      await this.#run(scenario, schedule, origin, choose);
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
    }
    return { trace: schedule.trace, failure, reads: origin.reads, hits: origin.hits };
  }

  async #run(
    scenario: Scenario,
    schedule: Schedule,
    origin: Origin,
    choose: (schedule: Schedule) => Chooser,
  ): Promise<void> {
    const { definition = {}, spoil, spoilOwnTier } = scenario;
    const time = this.#time;
    // A store that loses what it has may fail a call, which then promises nothing.
    const hasMishaps = scenario.placed.some(({ operation }) => operation.kind === 'world');
    const world = scenario.world.build({ schedule, time, definition, spoil, spoilOwnTier });
    const parts = { world, origin, schedule, time };
    const start = (name: string, placed: Placed, onEnd: () => void = () => undefined): void => {
      const actor = new Actor(parts, name, placed.node, placed.key);
      const run = async (): Promise<void> => {
        try {
          await placed.operation.run(actor);
          onEnd();
        } catch (error) {
          if (hasMishaps && error instanceof CacheBackendError) schedule.note(`${name} fails`);
          else schedule.fail(error);
        }
      };
      // What happens to the store is over before anything else does.
      const begin = placed.operation.kind === 'world' ? run : () => void run();
      schedule.add(`start of ${name}`, name, begin, [nodeState(placed.node)]);
    };
    await schedule.run(inOrder);
    if (scenario.isPrimed) {
      start('priming', { operation: PRIMING, node: scenario.primedOn ?? 0, key: KEYS[0] });
      await schedule.run(inOrder);
      await time.pass(scenario.primedForMs ?? 0, () => schedule.run(inOrder));
    }
    const { placed } = scenario;
    const names = placed.map(({ operation, node, key }, index) => {
      return `${index}: ${operation.name} of ${key} on node ${node}`;
    });
    const begin = (index: number): void =>
      start(names[index]!, placed[index]!, () => {
        placed.forEach(({ after }, other) => {
          if (after === index) begin(other);
        });
      });
    placed.forEach(({ after }, index) => {
      if (after === undefined) begin(index);
    });
    await schedule.run(choose(schedule));
    for (const { index } of world.nodes) {
      start(`the last read on node ${index}`, { operation: LAST_READ, node: index, key: KEYS[0] });
    }
    await schedule.run(inOrder);
  }
}

/** Gives both keys a value with tags. */
const PRIMING: OperationRow = {
  name: 'priming',
  kind: 'fill',
  run: (actor) =>
    actor.cache.getOrSetMany(
      KEYS,
      async (missing) => {
        const values = await actor.load(missing, TAGS);
        return new Map(missing.map((key, index) => [key, values[index]!]));
      },
      { tags: TAGS },
    ),
};

const LAST_READ: OperationRow = {
  name: 'the last read',
  kind: 'read',
  run: (actor) =>
    actor.read(
      () => actor.cache.getMany(KEYS),
      (values) => values,
    ),
};
