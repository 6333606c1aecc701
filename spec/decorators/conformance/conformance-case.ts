import type { OperationSpec } from './operation-spec.js';

/** What a call does once the method runs: the value that it gives, or that it throws. */
export interface CallStep {
  readonly call: readonly number[];
  readonly gives?: unknown;
  readonly throws?: true;
}

/** An entry that is put into a cache directly. */
export interface SeedStep {
  readonly seed: string;
  readonly value: unknown;
  readonly tags?: readonly string[];
}

export type Step = CallStep | SeedStep;

/** A decorated method, what is done with it, and what has to happen. */
export interface ConformanceCase {
  readonly title: string;
  readonly operations: readonly OperationSpec[];
  readonly steps: readonly Step[];
  readonly expected: Outcome;
}

/** What has happened. */
export interface Outcome {
  /**
   * In order: `hit a/1`, `miss a/1`, `run 1` (the method ran), `set a/1`, `evict a/1,2`, `evict a~glob`, `clear a`,
   * `tags t`, and at the end of each call `= value` or `! error`.
   */
  readonly trace: readonly string[];
  /** All that the caches hold in the end, by `cache/key`. */
  readonly contents: Readonly<Record<string, unknown>>;
  readonly counters: Counters;
}

export interface Counters {
  readonly hits: number;
  readonly misses: number;
  readonly sets: number;
  readonly deletes: number;
  readonly loads: number;
  readonly errors: number;
}

/** What the method of a case throws. One object, so that its identity can be compared. */
export const METHOD_ERROR = new RangeError('the method failed');
