import type { Progress } from './consistency-judge.js';
import type { OperationKind, OperationMix } from './operation-mix.js';
import type { OperationRecord } from './operation-record.js';

/** What a process of a run is to do. */
export interface ProcessOrders {
  readonly process: number;
  /** The URL of the subject's module. */
  readonly subject: string;
  readonly subjectOptions: unknown;
  /** The start of the run on the system's monotonic clock, in nanoseconds. */
  readonly base: bigint;
  readonly keys: number;
  readonly actors: number;
  readonly mix: OperationMix;
  readonly invalidations: number;
  readonly slowestLoadMs: number;
  readonly seed: number;
  /** How long an operation may take. */
  readonly patienceMs: number;
}

/** From the checker to its processes. */
export type CheckerMessage =
  | { readonly type: 'open'; readonly orders: ProcessOrders }
  | { readonly type: 'start' }
  | { readonly type: 'stop' };

/** From a process to its checker. */
export type ProcessMessage =
  /** It listens. */
  | { readonly type: 'here' }
  /** The subject is open. */
  | { readonly type: 'ready' }
  /** What has happened since the last one. */
  | {
      readonly type: 'records';
      readonly records: readonly OperationRecord[];
      readonly failures: readonly OperationFailure[];
      readonly progress: Progress;
    }
  /** All operations have settled, and the subject is closed. */
  | { readonly type: 'done' }
  /** The run cannot go on. */
  | { readonly type: 'failed'; readonly reason: string };

/** An operation that rejected although its load did not. */
export interface OperationFailure {
  readonly operation: OperationKind;
  readonly reason: string;
}
