import type { CacheManager } from 'cachewell';
import type { Cache } from '#internal/cache/cache.js';
import type { LoadKind, OneLoad } from './one-load.js';
import type { Invalidation, Issued, IssueOptions, Origin } from './origin.js';
import type { Schedule } from './schedule.js';
import type { VirtualTime } from './virtual-time.js';
import { nodeState, type World, type WorldNode } from './world.js';

/** What a schedule is made of. */
export interface OperationRow {
  readonly name: string;
  /** `fill`: loads. `void`: invalidates. `read`: only reads. `world`: something happens to the store. */
  readonly kind: 'fill' | 'void' | 'read' | 'world';
  /**
   * Whether it is another form of one that is there: below, the same happens. In the ordinary run it meets the
   * representatives of the other kind only.
   */
  readonly isVariant?: boolean;
  /** Whether it stands for its kind where there is no time for all. */
  readonly isRepresentative?: boolean;
  /** Whether it invalidates by putting a value in its place, and so is a way of filling as well. */
  readonly isPut?: boolean;
  /** Whether tags decide what becomes of it: the value has them when it is stored, or they are what is invalidated. */
  readonly isByTag?: boolean;
  /** Whether it is done in a transaction. */
  readonly isTransaction?: boolean;
  /** Whether the store may lose what it was told. */
  readonly losesData?: boolean;
  /** Of one that loads, for promise P2. @defaultValue 'own' */
  readonly loads?: LoadKind;
  run(actor: Actor): Promise<unknown>;
}

const SET: IssueOptions = { isSet: true };

/** One operation of a scenario. */
export interface Placed {
  readonly operation: OperationRow;
  readonly node: number;
  readonly key: string;
  /** Begins when that one has ended, and not at any time. */
  readonly after?: number | undefined;
}

/** What the actors of a scenario share. */
export interface ActorParts {
  readonly world: World;
  readonly origin: Origin;
  /** Absent where promise P2 is not judged. */
  readonly oneLoad: OneLoad | undefined;
  readonly schedule: Schedule;
  readonly time: VirtualTime;
}

/** What an operation works with, and through which the judge sees what it does. */
export class Actor {
  readonly world: World;
  readonly node: WorldNode;
  readonly key: string;
  readonly schedule: Schedule;
  readonly time: VirtualTime;
  readonly #origin: Origin;
  readonly #oneLoad: OneLoad | undefined;
  readonly #loads: LoadKind;
  readonly #bound: ReadonlySet<Invalidation>;
  readonly #name: string;
  readonly #calledAtMs: number;

  constructor(parts: ActorParts, name: string, { operation, node, key }: Placed) {
    this.world = parts.world;
    this.schedule = parts.schedule;
    this.time = parts.time;
    this.#origin = parts.origin;
    this.#oneLoad = parts.oneLoad;
    this.#loads = operation.loads ?? 'own';
    this.#name = name;
    this.#calledAtMs = parts.time.now();
    this.node = parts.world.nodes[node]!;
    this.key = key;
    this.#bound = new Set(parts.origin.binding(node, parts.world.reach));
  }

  get cache(): Cache<readonly [string], number> {
    return this.node.cache;
  }

  get manager(): CacheManager {
    return this.node.manager;
  }

  /** Reads keys, the own one by default, and has the judge look at what comes. */
  async read<Result>(
    work: () => Promise<Result>,
    pick: (result: Result) => Iterable<readonly [string, unknown]> = (result) => [
      [this.key, result],
    ],
  ): Promise<Result> {
    const judge = this.#origin.read(this.#name, this.node.index, this.world.reach);
    const result = await work();
    for (const [key, value] of pick(result)) judge(key, value);
    return result;
  }

  /** Loads values: begins at once, and ends when the schedule says so. */
  async load(
    keys: readonly string[] = [this.key],
    tags: readonly string[] = [],
    options: IssueOptions = {},
  ): Promise<number[]> {
    const values = keys.map((key) => this.#issue(key, tags, options));
    await this.pause('the load ends');
    return values.map(({ id }) => id);
  }

  /** Waits for a step of its own. */
  pause(label: string): Promise<void> {
    const { index } = this.node;
    return this.schedule.gate(this.#name, `${this.#name}: ${label}`, [nodeState(index)]);
  }

  /** Invalidates; acknowledged when the work is done. */
  async invalidate(hits: Invalidation['hits'], work: () => Promise<unknown>): Promise<void> {
    const invalidation = this.issue(hits);
    await work();
    this.acknowledge(invalidation);
  }

  /** Begins an invalidation. */
  issue(hits: Invalidation['hits'], spares?: ReadonlySet<number>): Invalidation {
    return this.#origin.invalidate(this.#name, this.node.index, hits, spares);
  }

  acknowledge(invalidation: Invalidation): void {
    this.#origin.acknowledge(invalidation);
    this.world.acknowledged?.(invalidation);
  }

  /** Runs a method that writes to the origin, and what follows from it; `work` gets the method. */
  async write(
    hits: Invalidation['hits'],
    work: (method: () => Promise<number>) => Promise<unknown>,
    isPut = false,
  ): Promise<void> {
    let issued: Invalidation | undefined;
    await work(async () => {
      const [id] = isPut ? await this.load() : [0];
      if (!isPut) await this.pause('the method ends');
      issued = this.issue(hits, new Set([id!]));
      return id!;
    });
    this.acknowledge(issued!);
  }

  /** Sets values: they replace what is there, as soon as that is acknowledged. */
  async set(
    keys: readonly string[],
    work: (ids: readonly number[]) => Promise<boolean>,
  ): Promise<void> {
    const values = keys.map((key) => this.#origin.issue(key, this.node.index, this.#name, [], SET));
    const ids = values.map(({ id }) => id);
    const invalidation = this.issue((key) => keys.includes(key), new Set(ids));
    const isStored = await work(ids);
    for (const value of values) this.#origin.settle(value);
    // One that came too late has left the key to what came before it.
    if (isStored) this.acknowledge(invalidation);
  }

  /** Begins to set a value in a transaction: nobody else may see it yet. */
  withhold(tags: readonly string[]): Issued {
    const options = { isSet: true, isWithheld: true };
    return this.#origin.issue(this.key, this.node.index, this.#name, tags, options);
  }

  /** The call that set a value is acknowledged. */
  settle(value: Issued): void {
    this.#origin.settle(value);
  }

  /** Others may see the value from here on. */
  publish(value: Issued): void {
    this.#origin.publish(value);
  }

  #issue(key: string, tags: readonly string[], options: IssueOptions): Issued {
    const { index: node } = this.node;
    this.#judgeLoad(key);
    return this.#origin.issue(key, node, this.#name, tags, options);
  }

  /** Promise P2 forbids loads that nothing is wrong with otherwise, so it is no matter of the loader's caller. */
  #judgeLoad(key: string): void {
    const load = {
      key,
      kind: this.#loads,
      node: this.node.index,
      by: this.#name,
      bound: this.#bound,
      calledAtMs: this.#calledAtMs,
      beganAtMs: this.time.now(),
    };
    try {
      this.#oneLoad?.begin(load, this.#origin.invalidations);
    } catch (error) {
      this.schedule.fail(error);
    }
  }
}
