/** What a step has read or written. Two steps that write nothing in common can change places. */
export type Footprint = ReadonlyMap<string, 'read' | 'write'>;

/** Something that can happen next. */
export interface Step {
  /** The same in every schedule in which it comes after the same steps of its own lane. */
  readonly id: string;
  readonly label: string;
}

interface PendingStep extends Step {
  readonly lane: string | undefined;
  readonly touches: readonly string[];
  readonly run: () => void | Promise<void>;
}

/** Picks one of the steps that can happen. There is at least one. */
export type Chooser = (enabled: readonly Step[]) => number;

/** A schedule that does not end: something goes round in circles. */
const MOST_STEPS = 2000;

/**
 * Owns the order in which things happen: each thing that may come earlier or later waits here as a step, and is let
 * go one at a time. What a step sets free, up to the next step, runs before anything else is let go, so a
 * schedule is given by its choices alone.
 */
export class Schedule {
  /** The labels of the steps that were taken. */
  readonly trace: string[] = [];
  readonly #pending: PendingStep[] = [];
  readonly #counts = new Map<string, number>();
  #footprint = new Map<string, 'read' | 'write'>();
  #failure: { readonly error: unknown } | undefined;

  /** What the last step has touched. */
  get footprint(): Footprint {
    return this.#footprint;
  }

  /**
   * Adds a step.
   *
   * @param lane - of steps that keep their order, such as the requests on one connection
   * @param touches - what it writes in any case
   */
  add(
    name: string,
    label: string,
    run: () => void | Promise<void>,
    touches: readonly string[],
    lane?: string,
  ): void {
    const count = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, count);
    this.#pending.push({ id: `${name}#${count}`, label, run, touches, lane });
  }

  /** Waits until the step is taken. */
  gate(name: string, label: string, touches: readonly string[]): Promise<void> {
    return new Promise((resolve) => this.add(name, label, resolve, touches));
  }

  /** Says that the running step reads or writes something. */
  touch(what: string, how: 'read' | 'write'): void {
    if (how === 'write' || !this.#footprint.has(what)) this.#footprint.set(what, how);
  }

  /** Adds a line to the trace that is no step. */
  note(line: string): void {
    this.trace.push(`    ${line}`);
  }

  /** Makes `run` reject. */
  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  /** Takes steps until there are none. Rejects with the first failure. */
  async run(choose: Chooser): Promise<void> {
    await settle();
    for (let count = 0; this.#failure === undefined; count++) {
      const enabled = this.#enabled();
      if (enabled.length === 0) return;
      if (count === MOST_STEPS) throw new Error(`the schedule goes on after ${MOST_STEPS} steps`);
      const index = choose(enabled);
      const step = enabled[index];
      if (step === undefined) throw new RangeError(`step ${index} of ${enabled.length} was chosen`);
      this.#pending.splice(this.#pending.indexOf(step), 1);
      this.#footprint = new Map(step.touches.map((what) => [what, 'write']));
      this.trace.push(step.label);
      const running = step.run();
      if (running !== undefined) await running;
      await settle();
    }
    throw this.#failure.error;
  }

  /** The first step of each lane, and those outside of lanes, oldest first. */
  #enabled(): readonly PendingStep[] {
    const lanes = new Set<string>();
    return this.#pending.filter(({ lane }) => {
      if (lane === undefined) return true;
      if (lanes.has(lane)) return false;
      lanes.add(lane);
      return true;
    });
  }
}

/** Whether two steps can change places without a difference. */
export function areIndependent(one: Footprint, other: Footprint): boolean {
  for (const [what, how] of one) {
    const otherwise = other.get(what);
    if (otherwise !== undefined && (how === 'write' || otherwise === 'write')) return false;
  }
  return true;
}

/** Takes the oldest step. */
export const inOrder: Chooser = () => 0;

/** Lets everything happen that waits for no step: promises and `nextTick`, which end before an immediate begins. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
