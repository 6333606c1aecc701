import type { ConsistencyViolation, JudgeFindings } from './consistency-judge.js';
import type { OperationKind } from './operation-mix.js';
import type { OperationRecord } from './operation-record.js';
import type { OperationFailure } from './process-messages.js';

/** Operations that rejected although the origin did not fail. They promise nothing, and break nothing. */
export interface FailureSummary {
  readonly count: number;
  readonly byOperation: Readonly<Partial<Record<OperationKind, number>>>;
  /** The first few different reasons. */
  readonly reasons: readonly string[];
}

/** What a run of the checker has found. */
export interface ConsistencyReport extends JudgeFindings {
  readonly failures: FailureSummary;
  readonly processes: number;
  /** Processes that the run's faults have killed and replaced. */
  readonly killed: number;
  readonly keys: number;
  readonly seed: number;
  readonly boundMs: number;
  readonly durationMs: number;
}

const REASONS = 5;
const NANOSECONDS = 1_000_000;

/** Counts the failures of a run. */
export class FailureTally {
  readonly #byOperation: Partial<Record<OperationKind, number>> = {};
  readonly #reasons = new Set<string>();
  #count = 0;

  add(failures: readonly OperationFailure[]): void {
    for (const { operation, reason } of failures) {
      this.#count++;
      this.#byOperation[operation] = (this.#byOperation[operation] ?? 0) + 1;
      if (this.#reasons.size < REASONS) this.#reasons.add(reason);
    }
  }

  summary(): FailureSummary {
    return {
      count: this.#count,
      byOperation: { ...this.#byOperation },
      reasons: [...this.#reasons],
    };
  }
}

/** A report as text, for a terminal or a failing spec. */
export function renderConsistencyReport(report: ConsistencyReport): string {
  const { reads, hits, loads, races, acknowledged, violations, stale, late, foreign } = report;
  const { failures, staleness, durationMs, processes, killed, keys, seed, boundMs } = report;
  const kinds = Object.entries(report.invalidations)
    .map(([kind, count]) => `${kind} ${whole(count)}`)
    .join(', ');
  const perSecond = durationMs > 0 ? (acknowledged / durationMs) * 1000 : 0;
  return [
    `${processes} processes${killed === 0 ? '' : ` (${killed} killed)`}, ${keys} keys, seed ${seed}, bound ${boundMs} ms, ${(durationMs / 1000).toFixed(1)} s`,
    `reads: ${whole(reads)}, of which ${whole(hits)} hits; loads: ${whole(loads)}; ${whole(races)} reads raced an invalidation of what they returned`,
    `acknowledged invalidations: ${whole(acknowledged)} (${whole(perSecond)}/s); issued: ${kinds}`,
    ...(failures.count === 0
      ? []
      : [`failed operations: ${whole(failures.count)}, such as ${failures.reasons.join('; ')}`]),
    ...(staleness.count === 0
      ? []
      : [
          `void values served after the acknowledgement: ${whole(staleness.count)}, for p50 ${staleness.p50Ms.toFixed(2)} ms, p99 ${staleness.p99Ms.toFixed(2)} ms, at most ${staleness.maxMs.toFixed(2)} ms`,
        ]),
    `violations: ${whole(violations)}${violations === 0 ? '' : ` (stale ${whole(stale)}, late ${whole(late)}, foreign ${whole(foreign)})`}`,
    ...report.examples.map(renderViolation),
  ].join('\n');
}

function renderViolation(
  { rule, read, invalidation, staleMs, trail }: ConsistencyViolation,
  index: number,
): string {
  const zero = trail[0]!.startedAt;
  const guilty = new Set<OperationRecord | undefined>([read, invalidation]);
  return [
    `#${index + 1} ${rule}: ${read.kind} of ${read.key} in process ${read.process} returned ${describe(read.value, zero)}${
      invalidation === undefined
        ? ''
        : `, ${staleMs.toFixed(3)} ms after its ${invalidation.kind} in process ${invalidation.process} was acknowledged`
    }`,
    ...trail.map((each) => `  ${guilty.has(each) ? '>' : ' '} ${renderOperation(each, zero)}`),
  ].join('\n');
}

function renderOperation(record: OperationRecord, zero: number): string {
  const times = `${ms(record.startedAt - zero)} .. ${ms(record.endedAt - zero)}  process ${record.process}`;
  switch (record.type) {
    case 'load':
      return `${times}  load ${record.key}`;
    case 'read':
      return `${times}  ${record.kind} ${record.key}: ${describe(record.value, zero)}`;
    case 'invalidation':
      return `${times}  ${record.kind} [${record.scopes.join(', ')}]${record.isAcknowledged ? '' : ' failed'}`;
  }
}

function describe(value: unknown, zero: number): string {
  if (value === undefined) return 'nothing';
  const { at, by, put } = (value ?? {}) as { at?: unknown; by?: unknown; put?: unknown };
  if (typeof at !== 'number') return 'something that the origin never gave';
  return `the value ${put === undefined ? 'loaded' : 'put'} at ${ms(at - zero)} by process ${String(by)}`;
}

function ms(nanoseconds: number): string {
  return `${(nanoseconds / NANOSECONDS).toFixed(3)} ms`;
}

function whole(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}
