import { CacheBackendError, type CacheBackend } from 'cachewell';
import { KEYS, TAGS } from './keys.js';
import { OneLoad } from './one-load.js';
import { Actor, type ActorParts, type OperationRow, type Placed } from './operation.js';
import { Origin } from './origin.js';
import { inOrder, Schedule, type Chooser } from './schedule.js';
import type { VirtualTime } from './virtual-time.js';
import { nodeState, type Transact, type WorldRow } from './world.js';

/** Operations that happen at the same time, and where. */
export interface Scenario {
  readonly world: WorldRow;
  /** Options of the cache. */
  readonly definition?: Readonly<Record<string, unknown>> | undefined;
  /** Whether the keys have values before it begins. */
  readonly isPrimed: boolean;
  /** The node that gave them, whose own tier has them then. @defaultValue 0 */
  readonly primedOn?: number | undefined;
  /** The tags that those have. @defaultValue both */
  readonly primedTags?: readonly string[] | undefined;
  /** How long those have been there. In milliseconds. */
  readonly primedForMs?: number | undefined;
  readonly placed: readonly Placed[];
  /** See `WorldSettings.spoil`. */
  readonly spoil?: ((backend: CacheBackend) => CacheBackend) | undefined;
  /** See `WorldSettings.spoilOwnTier`. */
  readonly spoilOwnTier?: ((backend: CacheBackend) => CacheBackend) | undefined;
  /** See `WorldSettings.spoilTransactions`. */
  readonly spoilTransactions?: ((transact: Transact) => Transact) | undefined;
}

/** An operation that nothing ends any more. */
export class Hanging extends Error {
  override readonly name = 'Hanging';
}

/** Longer than a lease, and than anything else that an operation may have to wait for. In milliseconds. */
const LONG_MS = 60_000;
/** Waits behind each other. */
const MOST_WAITS = 10;

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
    const { definition = {}, placed, ...rest } = scenario;
    const time = this.#time;
    // A store that loses what it has may fail a call, which then promises nothing.
    const hasMishaps = placed.some(({ operation }) => operation.kind === 'world');
    const world = scenario.world.build({ ...rest, schedule, time, definition });
    const isClustered = definition['sync'] === 'cluster';
    // A lease that the store has lost is somebody else's, and so is a value.
    const oneLoad = placed.some(({ operation }) => operation.losesData === true)
      ? undefined
      : new OneLoad(isClustered);
    let parts: ActorParts = { world, origin, oneLoad: undefined, schedule, time };
    const underWay = new Set<string>();
    const start = (name: string, placed: Placed, onEnd: () => void = () => undefined): void => {
      const run = async (): Promise<void> => {
        underWay.add(name);
        try {
          await placed.operation.run(new Actor(parts, name, placed));
          onEnd();
        } catch (error) {
          if (hasMishaps && error instanceof CacheBackendError) schedule.note(`${name} fails`);
          else schedule.fail(error);
        }
        underWay.delete(name);
      };
      // What happens to the store is over before anything else does.
      const begin = placed.operation.kind === 'world' ? run : () => void run();
      schedule.add(`start of ${name}`, name, begin, [nodeState(placed.node)]);
    };
    await schedule.run(inOrder);
    if (scenario.isPrimed) {
      const operation = priming(scenario.primedTags ?? TAGS);
      start('priming', { operation, node: scenario.primedOn ?? 0, key: KEYS[0] });
      await schedule.run(inOrder);
      await time.pass(scenario.primedForMs ?? 0, () => schedule.run(inOrder));
    }
    parts = { ...parts, oneLoad };
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
    // Only what a store has lost may keep somebody waiting until a timer fires.
    for (let waits = 0; hasMishaps && underWay.size > 0 && waits < MOST_WAITS; waits++) {
      await time.pass(LONG_MS, () => schedule.run(inOrder));
    }
    if (underWay.size > 0) throw new Hanging(`nothing ends ${[...underWay].join(', nor ')}`);
    parts = { ...parts, oneLoad: undefined };
    for (const { index } of world.nodes) {
      start(`the last read on node ${index}`, { operation: LAST_READ, node: index, key: KEYS[0] });
    }
    await schedule.run(inOrder);
  }
}

/** Gives both keys a value. */
function priming(tags: readonly string[]): OperationRow {
  return {
    name: 'priming',
    kind: 'fill',
    run: (actor) =>
      actor.cache.getOrSetMany(
        KEYS,
        async (missing) => {
          const values = await actor.load(missing, tags);
          return new Map(missing.map((key, index) => [key, values[index]!]));
        },
        { tags },
      ),
  };
}

const LAST_READ: OperationRow = {
  name: 'the last read',
  kind: 'read',
  run: (actor) =>
    actor.read(
      () => actor.cache.getMany(KEYS),
      (values) => values,
    ),
};
