import { LatencyHistogram, type LatencySummary } from '../../cache/latency-histogram.js';
import { InvalidationFrontier } from './invalidation-frontier.js';
import {
  isOriginValue,
  type InvalidationKind,
  type InvalidationRecord,
  type OperationRecord,
  type OriginValue,
  type ReadRecord,
} from './operation-record.js';
import { PutRegister } from './put-register.js';
import { RecentOperations } from './recent-operations.js';

/*
 * The rule, promise P1 of the library: a read that starts after an invalidation was acknowledged never returns a
 * value whose load started before that invalidation was issued.
 *
 * A value that says when its load began makes this a question of four times. For each scope (a key, a tag, …) the
 * judge keeps the invalidations that can still answer it (`InvalidationFrontier`), asks for the one acknowledged
 * first among those issued after the value's load began, and compares its end with the read's start. So a read costs
 * a bisection, and memory depends on how much happens at a time, not on how long the run is.
 *
 * Every comparison is strict, times are taken before an operation is issued and after it has settled, and a load's
 * time is taken inside the loader. So what the clock cannot tell apart counts in favour of the cache.
 */

/** Whom and how the judge judges. */
export interface JudgeOptions {
  /** What an invalidation must hit to concern a key: `InvalidationRecord.scopes` name some of the same. */
  readonly scopesOf: (key: string) => readonly string[];
  /**
   * How long after its acknowledgement an invalidation may still be unknown to other processes, in milliseconds; the
   * process that issued it must know at once. 0 for a store that all share.
   * @defaultValue 0
   */
  readonly boundMs?: number | undefined;
  /**
   * How many violations are kept with their evidence.
   * @defaultValue 10
   */
  readonly examples?: number | undefined;
}

/** How far one process has told what it did. */
export interface Progress {
  /** Every operation that ended at this moment or before has been added. */
  readonly completedTo: number;
  /** The start of the oldest operation that is under way; `completedTo` or later when there is none. */
  readonly openSince: number;
}

/**
 * A read that broke a promise.
 *
 * - `stale`: it returned a value that an invalidation of the same process, or of any process where the store is
 *   shared (`boundMs` of 0), had made void (P1).
 * - `late`: another process' invalidation was still unknown after `boundMs` (P3).
 * - `foreign`: it returned something that the origin never gave for the key.
 */
export interface ConsistencyViolation {
  readonly rule: 'stale' | 'late' | 'foreign';
  readonly read: ReadRecord;
  /** The invalidation acknowledged first of those that made the value void; absent for `foreign`. */
  readonly invalidation: InvalidationRecord | undefined;
  /** From the invalidation's acknowledgement to the read's start. */
  readonly staleMs: number;
  /**
   * The read, the invalidation, and what else touched the key from the value's origin to the read's end, as far as it
   * is remembered. In the order of the starts.
   */
  readonly trail: readonly OperationRecord[];
}

/** What the judge has found. */
export interface JudgeFindings {
  readonly reads: number;
  /** Reads that returned a value which another operation had brought into the cache. */
  readonly hits: number;
  readonly loads: number;
  readonly invalidations: Readonly<Partial<Record<InvalidationKind, number>>>;
  readonly acknowledged: number;
  /**
   * Reads during which the value that they returned was being invalidated. They are in order, and show that the run
   * came close: a run without them proves little.
   */
  readonly races: number;
  readonly violations: number;
  readonly stale: number;
  readonly late: number;
  readonly foreign: number;
  readonly examples: readonly ConsistencyViolation[];
  /** From an invalidation's acknowledgement to the start of a read that still got a value it had made void. */
  readonly staleness: LatencySummary;
}

const NANOSECONDS = 1_000_000;

/**
 * Reads the records of all processes while they come in, each process' in the order of their ends, and finds the
 * reads that broke P1 or P3.
 *
 * Its verdict does not depend on how the processes' records are interleaved: a read is judged once every process has
 * told all that ended before the read began.
 */
export class ConsistencyJudge {
  readonly #scopesOf: (key: string) => readonly string[];
  readonly #boundNs: number;
  readonly #exampleLimit: number;
  readonly #processes = new Map<number, Progress>();
  readonly #all = new Map<string, InvalidationFrontier>();
  readonly #own = new Map<string, InvalidationFrontier>();
  readonly #puts = new Map<number, PutRegister>();
  readonly #recent = new RecentOperations();
  readonly #staleness = new LatencyHistogram();
  readonly #examples: ConsistencyViolation[] = [];
  readonly #kinds: Partial<Record<InvalidationKind, number>> = {};
  readonly #counts = { reads: 0, hits: 0, loads: 0, acknowledged: 0, races: 0 };
  readonly #violations = { stale: 0, late: 0, foreign: 0 };
  #pending: ReadRecord[] = [];
  #horizon = -Infinity;

  constructor({ scopesOf, boundMs = 0, examples = 10 }: JudgeOptions) {
    this.#scopesOf = scopesOf;
    this.#boundNs = boundMs * NANOSECONDS;
    this.#exampleLimit = examples;
  }

  /** Expects records of a process, from a moment on. Reads wait for it from now on. */
  join(process: number, at = 0): void {
    this.#processes.set(process, { completedTo: at, openSince: at });
  }

  /** Takes the next record of a process that has joined. */
  add(record: OperationRecord): void {
    switch (record.type) {
      case 'load':
        this.#counts.loads++;
        this.#recent.add(this.#keyScope(record.key), record);
        return;
      case 'read':
        this.#counts.reads++;
        this.#recent.add(this.#keyScope(record.key), record);
        this.#pending.push(record);
        return;
      case 'invalidation':
        this.#addInvalidation(record);
        return;
    }
  }

  /** Hears how far a process has come, and judges what can be judged. */
  advance(process: number, progress: Progress): void {
    this.#processes.set(process, progress);
    this.#judgePending();
  }

  /** Expects nothing more of a process, because it is through or dead. */
  leave(process: number): void {
    this.advance(process, { completedTo: Infinity, openSince: Infinity });
  }

  /** What was found so far. Reads that wait for records of a process are not in it yet. */
  findings(): JudgeFindings {
    const { stale, late, foreign } = this.#violations;
    return {
      ...this.#counts,
      invalidations: { ...this.#kinds },
      violations: stale + late + foreign,
      ...this.#violations,
      examples: [...this.#examples],
      staleness: this.#staleness.summary(),
    };
  }

  #addInvalidation(record: InvalidationRecord): void {
    for (const scope of record.scopes) this.#recent.add(scope, record);
    this.#kinds[record.kind] = (this.#kinds[record.kind] ?? 0) + 1;
    if (record.put !== undefined) this.#putsOf(record.process).settle(record.put, record.endedAt);
    if (!record.isAcknowledged) return;
    this.#counts.acknowledged++;
    for (const scope of record.scopes) {
      frontierOf(this.#all, scope).add(record, this.#horizon);
      if (this.#boundNs === 0) continue;
      frontierOf(this.#own, ownScope(scope, record.process)).add(record, this.#horizon);
    }
  }

  #judgePending(): void {
    let completedTo = Infinity;
    let horizon = Infinity;
    for (const progress of this.#processes.values()) {
      completedTo = Math.min(completedTo, progress.completedTo);
      horizon = Math.min(horizon, progress.openSince, progress.completedTo);
    }
    const waiting: ReadRecord[] = [];
    for (const read of this.#pending) {
      if (read.startedAt > completedTo) waiting.push(read);
      else this.#judge(read);
    }
    this.#pending = waiting;
    this.#horizon = horizon;
  }

  #judge(read: ReadRecord): void {
    const { value } = read;
    if (value === undefined) return;
    if (!isOriginValue(value) || value.key !== read.key) {
      this.#report('foreign', read, undefined, 0, read.startedAt);
      return;
    }
    const isOwnLoad = value.by === read.process && value.at >= read.startedAt;
    if (!isOwnLoad) this.#counts.hits++;
    const validUntil =
      value.put === undefined ? value.at : this.#putsOf(value.by).settledBy(value.put);
    const any = this.#firstVoiding(this.#all, read, validUntil);
    if (any === undefined) return;
    if (any.endedAt >= read.startedAt) {
      if (any.startedAt < read.endedAt) this.#counts.races++;
      return;
    }
    const own =
      this.#boundNs === 0 ? any : this.#firstVoiding(this.#own, read, validUntil, read.process);
    const isStale = own !== undefined && own.endedAt < read.startedAt;
    const staleNs = read.startedAt - any.endedAt;
    this.#staleness.record(staleNs / NANOSECONDS);
    if (isStale) this.#report('stale', read, own, read.startedAt - own.endedAt, value.at);
    else if (staleNs > this.#boundNs) this.#report('late', read, any, staleNs, value.at);
  }

  /** The invalidation of a read's key that was acknowledged first of those that made its value void. */
  #firstVoiding(
    frontiers: ReadonlyMap<string, InvalidationFrontier>,
    read: ReadRecord,
    validUntil: number,
    process?: number,
  ): InvalidationRecord | undefined {
    let first: InvalidationRecord | undefined;
    for (const scope of this.#scopesOf(read.key)) {
      const name = process === undefined ? scope : ownScope(scope, process);
      const found = frontiers.get(name)?.firstIssuedAfter(validUntil);
      if (found === undefined) continue;
      if (first === undefined || found.endedAt < first.endedAt) first = found;
    }
    return first;
  }

  #report(
    rule: ConsistencyViolation['rule'],
    read: ReadRecord,
    invalidation: InvalidationRecord | undefined,
    staleNs: number,
    since: OriginValue['at'],
  ): void {
    this.#violations[rule]++;
    if (this.#examples.length >= this.#exampleLimit) return;
    const known = invalidation === undefined ? [read] : [read, invalidation];
    const remembered = this.#recent.between(this.#scopesOf(read.key), since, read.endedAt);
    const trail = [...new Set([...known, ...remembered])].sort(byStart);
    this.#examples.push({ rule, read, invalidation, staleMs: staleNs / NANOSECONDS, trail });
  }

  /** The scope under which a key's own operations are remembered: the first of the key's scopes. */
  #keyScope(key: string): string {
    return this.#scopesOf(key)[0] ?? key;
  }

  #putsOf(process: number): PutRegister {
    let register = this.#puts.get(process);
    if (register === undefined) {
      register = new PutRegister();
      this.#puts.set(process, register);
    }
    return register;
  }
}

function frontierOf(
  frontiers: Map<string, InvalidationFrontier>,
  scope: string,
): InvalidationFrontier {
  let frontier = frontiers.get(scope);
  if (frontier === undefined) {
    frontier = new InvalidationFrontier();
    frontiers.set(scope, frontier);
  }
  return frontier;
}

function byStart(a: OperationRecord, b: OperationRecord): number {
  return a.startedAt - b.startedAt;
}

function ownScope(scope: string, process: number): string {
  return `${process}\n${scope}`;
}
