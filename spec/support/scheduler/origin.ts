import type { Schedule } from './schedule.js';
import { messagesTo } from './world.js';

/** A value that the origin gave, or that was put or set. It travels as its number. */
export interface Issued {
  readonly id: number;
  readonly key: string;
  readonly tags: readonly string[];
  readonly node: number;
  /** Who made it, for messages. */
  readonly by: string;
  /** When its load began; for one that was set, when `set` was called. */
  readonly startedAt: number;
  readonly isSet: boolean;
  /** When the `set` of it was acknowledged. */
  settledAt: number | undefined;
  /** Whether nobody but who made it may see it: the transaction that it was made in has not ended well. */
  isWithheld: boolean;
}

/** What makes entries void. */
export interface Invalidation {
  readonly by: string;
  readonly node: number;
  /** Which entries it hits. */
  readonly hits: (key: string, tags: readonly string[]) => boolean;
  /** Values that it does not hit: its own. */
  readonly spares: ReadonlySet<number>;
  readonly issuedAt: number;
  /** Absent: not yet, or never. */
  acknowledgedAt: number | undefined;
}

/** Details of a value that is issued. */
export interface IssueOptions {
  readonly isSet?: boolean | undefined;
  readonly isWithheld?: boolean | undefined;
}

/** A read that broke promise P1. */
export class StaleRead extends Error {
  override readonly name = 'StaleRead';
}

/** Whether an invalidation binds reads of a node that begin now. */
export type Reach = (invalidation: Invalidation, node: number) => boolean;

/**
 * The origin of all values, and the judge of promise P1: a read that starts after an invalidation was acknowledged
 * never returns a value whose load started before that invalidation was issued.
 *
 * A value that was `set` has no load: it must not outlive an invalidation that was issued after the `set` was
 * acknowledged, or after it was called in the same process. At the same time, either may come last.
 */
export class Origin {
  readonly #schedule: Schedule;
  readonly #values: Issued[] = [];
  readonly #invalidations: Invalidation[] = [];
  #time = 0;
  /** Reads that were judged, and values among them. */
  reads = 0;
  hits = 0;

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
  }

  /** All of them, acknowledged or not. */
  get invalidations(): readonly Invalidation[] {
    return this.#invalidations;
  }

  /** A load begins, or a value is about to be set. */
  issue(
    key: string,
    node: number,
    by: string,
    tags: readonly string[],
    { isSet = false, isWithheld = false }: IssueOptions = {},
  ): Issued {
    this.#schedule.touch('issues', 'read');
    const id = this.#values.length + 1;
    const startedAt = ++this.#time;
    const value = { id, key, tags, node, by, startedAt, isSet, settledAt: undefined, isWithheld };
    this.#values.push(value);
    this.#schedule.note(`${by}: value ${id} of ${key} begins`);
    return value;
  }

  /** The `set` of a value is acknowledged. */
  settle(value: Issued): void {
    this.#schedule.touch('issues', 'read');
    value.settledAt = ++this.#time;
  }

  /** From here on others may see the value. */
  publish(value: Issued): void {
    this.#schedule.touch('withheld', 'write');
    value.isWithheld = false;
    this.#schedule.note(`${value.by}: value ${value.id} may be seen`);
  }

  invalidate(
    by: string,
    node: number,
    hits: Invalidation['hits'],
    spares: ReadonlySet<number> = new Set(),
  ): Invalidation {
    this.#schedule.touch('issues', 'add');
    const issuedAt = ++this.#time;
    const made = { by, node, hits, spares, issuedAt, acknowledgedAt: undefined };
    this.#invalidations.push(made);
    this.#schedule.note(`${by}: the invalidation is issued`);
    return made;
  }

  acknowledge(invalidation: Invalidation): void {
    this.#schedule.touch('acknowledgements', 'add');
    invalidation.acknowledgedAt ??= ++this.#time;
    this.#schedule.note(`${invalidation.by}: the invalidation is acknowledged`);
  }

  /** What binds reads of a node that begin now. */
  binding(node: number, reach: Reach): readonly Invalidation[] {
    return this.#invalidations.filter((each) => {
      return each.acknowledgedAt !== undefined && reach(each, node);
    });
  }

  /** A read begins. What it gives is judged by what this gives. */
  read(by: string, node: number, reach: Reach): (key: string, result: unknown) => void {
    this.#schedule.touch('acknowledgements', 'read');
    this.#schedule.touch(messagesTo(node), 'read');
    const binding = this.binding(node, reach);
    this.#schedule.note(`${by}: the read begins`);
    return (key, result) => {
      const shown = JSON.stringify(result);
      this.reads++;
      this.#schedule.note(`${by}: ${key} is ${shown}`);
      if (result === undefined) return;
      this.hits++;
      const value = this.#values[(result as number) - 1];
      if (value === undefined || value.key !== key) {
        throw new StaleRead(`${by} got ${shown} for ${key}, which was never its value`);
      }
      this.#schedule.touch('withheld', 'read');
      if (value.isWithheld && value.by !== by) {
        throw new StaleRead(
          `${by} got value ${value.id} of ${key}, which ${value.by} keeps to itself`,
        );
      }
      for (const each of binding) if (isBroken(value, each)) throw broken(by, value, each);
    };
  }
}

function isBroken(value: Issued, { hits, spares, issuedAt, node }: Invalidation): boolean {
  if (spares.has(value.id) || !hits(value.key, value.tags)) return false;
  if (!value.isSet || value.node === node) return value.startedAt < issuedAt;
  return value.settledAt !== undefined && value.settledAt < issuedAt;
}

function broken(by: string, value: Issued, invalidation: Invalidation): StaleRead {
  return new StaleRead(
    `${by} began after ${invalidation.by} was acknowledged, and got value ${value.id} of ${value.key}, which ${value.by} began before that was issued`,
  );
}
