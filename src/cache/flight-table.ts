import type { LoadOutcome } from './cache-events.js';

/** A load that is under way in this process, for callers to wait on together. */
export interface Flight {
  readonly promise: Promise<FlightResult>;
  readonly scope: LoadScope;
}

/**
 * What a flight ends with. `found`: an entry had appeared meanwhile. `absent`: a batch gave nothing for the key.
 * `unusable`: a batch gave something that cannot be taken apart.
 */
export interface FlightResult {
  readonly value: unknown;
  readonly outcome: LoadOutcome | 'found' | 'absent' | 'unusable';
  /** The place in {@link nextOrder} at which the load itself began; 0 when nothing was loaded. */
  readonly loadedAt: number;
  /**
   * The place at which the store was asked to accept the value (`stored`), or for the entry (`found`). Its answer
   * says nothing about what was invalidated after that.
   */
  readonly confirmedAt: number;
}

let order = 0;

/** The next number of a process-wide order of reads and load starts. */
export function nextOrder(): number {
  return ++order;
}

/**
 * A running load, as a node of the graph of who waits for whom. A load may itself ask for cached values: for its
 * own key (a method that calls the method that it overrides), or for one whose load asks for ours. Waiting then
 * would never end.
 */
export class LoadScope {
  readonly #awaited = new Set<LoadScope>();

  /** Whether this load waits for another one, itself included, at once or through others. */
  waitsFor(other: LoadScope, seen: Set<LoadScope> = new Set()): boolean {
    if (this === other) return true;
    seen.add(this);
    for (const each of this.#awaited) {
      if (!seen.has(each) && each.waitsFor(other, seen)) return true;
    }
    return false;
  }

  /** Waits for another load's work, and shows it meanwhile. */
  async await<Result>(work: Promise<Result>, scope: LoadScope): Promise<Result> {
    this.#awaited.add(scope);
    try {
      return await work;
    } finally {
      this.#awaited.delete(scope);
    }
  }
}

/**
 * The loads of one cache that later callers may join. An invalidation detaches them: they go on for those who
 * wait already, but nobody joins them any more, so a read that starts after an invalidation loads anew.
 */
export class FlightTable {
  readonly #flights = new Map<string, Flight>();
  readonly #branches = new Set<FlightTable>();
  #trunk: FlightTable | undefined;

  get size(): number {
    return this.#flights.size;
  }

  get(key: string): Flight | undefined {
    return this.#flights.get(key);
  }

  add(key: string, flight: Flight): void {
    this.#flights.set(key, flight);
  }

  /**
   * Starts a flight and shows it until it has landed. It is there before `run` is called, because a listener that
   * `run` wakes may ask for the same key.
   */
  launch(key: string, run: (scope: LoadScope) => Promise<FlightResult>): Flight {
    const scope = new LoadScope();
    let land!: (result: Promise<FlightResult>) => void;
    const flight: Flight = { scope, promise: new Promise((resolve) => (land = resolve)) };
    this.add(key, flight);
    land(run(scope).finally(() => this.remove(key, flight)));
    return flight;
  }

  /** Removes a flight that has landed, unless another has taken its place. */
  remove(key: string, flight: Flight): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }

  detach(key: string): void {
    this.#flights.delete(key);
    for (const branch of this.#branches) branch.detach(key);
  }

  detachMatching(isMatch: (key: string) => boolean): void {
    for (const key of this.#flights.keys()) if (isMatch(key)) this.#flights.delete(key);
    for (const branch of this.#branches) branch.detachMatching(isMatch);
  }

  detachAll(): void {
    this.#flights.clear();
    for (const branch of this.#branches) branch.detachAll();
  }

  /** A table of loads that only some may join, until it is pruned. What detaches ours detaches them too. */
  branch(): FlightTable {
    const branch = new FlightTable();
    branch.#trunk = this;
    this.#branches.add(branch);
    return branch;
  }

  /** Cuts a branch off. */
  prune(): void {
    if (this.#trunk !== undefined) this.#trunk.#branches.delete(this);
  }
}
