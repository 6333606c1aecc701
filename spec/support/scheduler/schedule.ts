/** How a step uses something. `add`: in whichever order several do it, the same comes out. */
export type Use = 'read' | 'write' | 'add';

/** What a step has used. Two steps that touch nothing in common, or that only read it, can change places. */
export type Footprint = ReadonlyMap<string, Use>;

/** Something that can happen next. */
export interface Step {
  /** The same in every schedule in which it comes after the same steps of its own lane. */
  readonly id: string;
  readonly label: string;
  /** Of steps that keep their order. */
  readonly lane: string | undefined;
  /** The step that brought it about; absent for what was there before any. */
  readonly cause: string | undefined;
}

interface PendingStep extends Step {
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
  /** What each step that was taken has touched. */
  readonly footprints: Footprint[] = [];
  #footprint = new Map<string, Use>();
  #running: string | undefined;
  #failure: { readonly error: unknown } | undefined;

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
    const cause = this.#running;
    this.#pending.push({ id: `${name}#${count}`, label, run, touches, lane, cause });
  }

  /** Waits until the step is taken. */
  gate(name: string, label: string, touches: readonly string[]): Promise<void> {
    return new Promise((resolve) => this.add(name, label, resolve, touches));
  }

  /** Says that the running step uses something. */
  touch(what: string, how: Use): void {
    const before = this.#footprint.get(what);
    if (before === undefined || before === how) this.#footprint.set(what, how);
    else this.#footprint.set(what, 'write');
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
      this.footprints.push(this.#footprint);
      this.#running = step.id;
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
    if (otherwise !== undefined && (how !== otherwise || how === 'write')) return false;
  }
  return true;
}

/** Takes the oldest step. */
export const inOrder: Chooser = () => 0;

/** Lets everything happen that waits for no step: promises and `nextTick`, which end before an immediate begins. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
