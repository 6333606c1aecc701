import type { CacheManager } from 'cachewell';
import type { Cache } from '#internal/cache/cache.js';
import type { Invalidation, Issued, Origin } from './origin.js';
import type { Schedule } from './schedule.js';
import type { VirtualTime } from './virtual-time.js';
import { nodeState, type World, type WorldNode } from './world.js';

/** The keys of all schedules. A pattern can tell them apart, and can hit both. */
export const KEYS = ['a1', 'a2'] as const;
/** The tags of values that have any. */
export const TAGS: readonly string[] = ['blue', 'green'];

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
  run(actor: Actor): Promise<unknown>;
}

/** What an operation works with, and through which the judge sees what it does. */
export class Actor {
  readonly world: World;
  readonly node: WorldNode;
  readonly key: string;
  readonly schedule: Schedule;
  readonly time: VirtualTime;
  readonly #origin: Origin;
  readonly #name: string;

  constructor(
    parts: {
      readonly world: World;
      readonly origin: Origin;
      readonly schedule: Schedule;
      readonly time: VirtualTime;
    },
    name: string,
    node: number,
    key: string,
  ) {
    this.world = parts.world;
    this.schedule = parts.schedule;
    this.time = parts.time;
    this.#origin = parts.origin;
    this.#name = name;
    this.node = parts.world.nodes[node]!;
    this.key = key;
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
  ): Promise<number[]> {
    const values = keys.map((key) => this.#issue(key, tags));
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
    const values = keys.map((key): Issued =>
      this.#origin.issue(key, this.node.index, this.#name, [], true),
    );
    const ids = values.map(({ id }) => id);
    const invalidation = this.issue((key) => keys.includes(key), new Set(ids));
    const isStored = await work(ids);
    for (const value of values) this.#origin.settle(value);
    // One that came too late has left the key to what came before it.
    if (isStored) this.acknowledge(invalidation);
  }

  #issue(key: string, tags: readonly string[]): Issued {
    return this.#origin.issue(key, this.node.index, this.#name, tags);
  }
}
