import type { LoadOutcome } from './cache-events.js';
import type { CallBudget } from './call-budget.js';
import { LoadWaiters } from './load-waiters.js';

/**
 * What a flight ends with. `found`: an entry had appeared meanwhile. `absent`: a batch gave nothing for the key.
 * `unusable`: nothing that could be taken, because a batch gave something that cannot be taken apart, nobody waited any
 * more, or a refresh was left to another process.
 */
export interface FlightResult {
  readonly value: unknown;
  /** What the load rejected with, or the error that was found; `value` is `undefined` then. */
  readonly failure?: { readonly error: unknown } | undefined;
  readonly outcome: LoadOutcome | 'found' | 'absent' | 'unusable';
  /** Of what is unusable: another process has loaded for its caller alone, and all who wait here are to do likewise. */
  readonly isUnshared?: boolean | undefined;
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
  #awaited: Set<LoadScope> | undefined;

  /** Whether this load waits for another one, itself included, at once or through others. */
  waitsFor(other: LoadScope, seen: Set<LoadScope> = new Set()): boolean {
    if (this === other) return true;
    seen.add(this);
    for (const each of this.#awaited ?? []) {
      if (!seen.has(each) && each.waitsFor(other, seen)) return true;
    }
    return false;
  }

  /** Waits for another load's work, and shows it meanwhile. */
  async await<Result>(work: Promise<Result>, scope: LoadScope): Promise<Result> {
    const awaited = (this.#awaited ??= new Set());
    awaited.add(scope);
    try {
      return await work;
    } finally {
      awaited.delete(scope);
    }
  }
}

/** A load that is under way in this process, for callers to wait on together. */
export class Flight {
  readonly scope: LoadScope;
  readonly waiters: LoadWaiters;
  /** What its steps are taken within: those who join it wait for them, too. */
  readonly budget: CallBudget | undefined;
  /** When it began, by `performance.now()`. */
  readonly startedAt: number = performance.now();
  /** Rejects only when the cache itself fails and its callers want to know. */
  readonly promise: Promise<FlightResult>;
  land!: (result: FlightResult) => void;
  crash!: (error: unknown) => void;

  constructor(
    budget: CallBudget | undefined,
    scope: LoadScope = new LoadScope(),
    waiters: LoadWaiters = new LoadWaiters(),
  ) {
    this.budget = budget;
    this.scope = scope;
    this.waiters = waiters;
    this.promise = new Promise((land, crash) => {
      this.land = land;
      this.crash = crash;
    });
    // Callers may all have stopped waiting when it fails.
    this.promise.catch(() => undefined);
  }

  /** Lets it end as some work ends; `onEnd` is called before anybody learns of it. */
  follow(work: Promise<FlightResult>, onEnd?: () => void): void {
    work.then(
      (result) => {
        onEnd?.();
        this.land(result);
      },
      (error: unknown) => {
        onEnd?.();
        this.crash(error);
      },
    );
  }
}

/**
 * What the table holds of a flight.
 *
 * A map that has grown, or is to be tidied, leaves an older self behind, which holds what it held then, and which leads to the
 * next one (V8). Once one of those has outlived a few collections, all that follow live on with it to the next full
 * collection, and so would their flights, with the whole of what their loads lead to. Of an emptied slot nothing follows.
 */
interface Slot {
  flight: Flight | undefined;
}

/**
 * The loads of one cache that later callers may join. An invalidation detaches those that it hits: they go on for those
 * who wait already, but nobody joins them any more, so a read that starts after an invalidation loads anew. Which loads
 * an invalidation by tag hits is known only when they end: it puts all of them in doubt, and who joins one after that
 * takes its result only if the store has confirmed it since.
 */
export class FlightTable {
  readonly #flights = new Map<string, Slot>();
  readonly #branches = new Set<FlightTable>();
  #trunk: FlightTable | undefined;
  #doubtedAt = 0;

  get size(): number {
    return this.#flights.size;
  }

  /** The place in {@link nextOrder} of the last invalidation by tag. */
  get doubtedAt(): number {
    return Math.max(this.#doubtedAt, this.#trunk?.doubtedAt ?? 0);
  }

  get(key: string): Flight | undefined {
    return this.#flights.get(key)?.flight;
  }

  add(key: string, flight: Flight): void {
    this.#drop(key);
    this.#flights.set(key, { flight });
  }

  /**
   * Starts a flight and shows it until it has landed, or nobody waits for it. It is there before `run` is called, because
   * a listener that `run` wakes may ask for the same key.
   */
  launch(key: string, run: (flight: Flight) => Promise<FlightResult>, budget?: CallBudget): Flight {
    const flight = new Flight(budget);
    this.add(key, flight);
    flight.waiters.onAbandoned(() => this.remove(key, flight));
    flight.follow(run(flight), () => this.remove(key, flight));
    return flight;
  }

  /** Removes a flight that has landed, unless another has taken its place. */
  remove(key: string, flight: Flight): void {
    if (this.get(key) === flight) this.#drop(key);
  }

  detach(key: string): void {
    this.#drop(key);
    for (const branch of this.#branches) branch.detach(key);
  }

  detachMatching(isMatch: (key: string) => boolean): void {
    for (const key of this.#flights.keys()) if (isMatch(key)) this.#drop(key);
    for (const branch of this.#branches) branch.detachMatching(isMatch);
  }

  detachAll(): void {
    for (const key of this.#flights.keys()) this.#drop(key);
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

  /** Puts what is under way in doubt. Called before the invalidation is issued. */
  doubt(): void {
    this.#doubtedAt = nextOrder();
  }

  #drop(key: string): void {
    const slot = this.#flights.get(key);
    if (slot === undefined) return;
    slot.flight = undefined;
    this.#flights.delete(key);
  }
}
