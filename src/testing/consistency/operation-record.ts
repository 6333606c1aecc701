/*
 * What a run of the consistency checker writes down. All times are nanoseconds on one clock, that of the run: the
 * system's monotonic clock, which all processes of a host share, counted from the start of the run.
 */

/**
 * What the origin gives for a key, and so what the cache holds: it tells when it was true. A load's value carries the
 * moment at which the load began, a put's the moment at which the put was issued, so any two values differ, and
 * whether one is too old can be seen from the value alone.
 */
export interface OriginValue {
  readonly key: string;
  /** When its load began, or its put was issued. */
  readonly at: number;
  /** The process that loaded or put it. */
  readonly by: number;
  /** The number of the put in its process, from 0; absent when it was loaded. */
  readonly put?: number | undefined;
}

/** How a value is asked for. All but `get` load when there is none; `refresh` always loads. */
export type ReadKind = 'get' | 'read' | 'refresh' | 'bulk';

/** How values are made void. Of `put` all but the one that is put. */
export type InvalidationKind =
  'key' | 'keys' | 'pattern' | 'tags' | 'allTags' | 'clear' | 'expire' | 'put';

/** One operation of one process, written down when it has ended. */
export type OperationRecord = ReadRecord | LoadRecord | InvalidationRecord;

interface Timed {
  readonly process: number;
  /** Taken before the operation was issued. */
  readonly startedAt: number;
  /** Taken after it was acknowledged, or had failed. */
  readonly endedAt: number;
}

/** A caller asked for a key. */
export interface ReadRecord extends Timed {
  readonly type: 'read';
  readonly kind: ReadKind;
  readonly key: string;
  /** What the caller got; `undefined` = nothing. Something else than an {@link OriginValue} is a wrong answer. */
  readonly value: unknown;
}

/** The origin was asked for a key. */
export interface LoadRecord extends Timed {
  readonly type: 'load';
  readonly key: string;
}

/** Values were made void. */
export interface InvalidationRecord extends Timed {
  readonly type: 'invalidation';
  readonly kind: InvalidationKind;
  /** What it hits; see `JudgeOptions.scopesOf`. */
  readonly scopes: readonly string[];
  /** `false`: it failed, so nothing is promised. */
  readonly isAcknowledged: boolean;
  /** The number of the put in its process, from 0; present for `put` alone. */
  readonly put?: number | undefined;
}

/** Whether something that a cache gave is a value of the origin. */
export function isOriginValue(value: unknown): value is OriginValue {
  if (typeof value !== 'object' || value === null) return false;
  const { key, at, by, put } = value as Partial<Record<keyof OriginValue, unknown>>;
  return (
    typeof key === 'string' &&
    typeof at === 'number' &&
    typeof by === 'number' &&
    (put === undefined || typeof put === 'number')
  );
}
