import { CacheSerializationError, isCacheError, type CacheError } from '../../errors.js';
import type { EntryWrite, StoreOutcome } from '../../cache/backend.js';
import type { EncodedValue } from '../../cache/entry-framer.js';
import { compilePattern } from '../../cache/key-pattern.js';
import { isPromiseLike } from '../../cache/maybe-promise.js';
import type { PendingSet } from './pending-sets.js';
import { chunks, type RedisStoreParts } from './redis-parts.js';
import type { RedisStamp } from './redis-stamp.js';
import type { StoreSite, TaggedWrite } from './store-site.js';

/** One write on its way. */
export interface WriteJob extends TaggedWrite {
  readonly pendingSet: PendingSet | undefined;
  encoded: EncodedValue | undefined;
  outcome: StoreOutcome | undefined;
  /** Up to which number the key was compared with the patterns that were deleted. */
  comparedTo: string;
}

const WRITES_PER_SCRIPT = 100;
/** What stands before a name in a log. */
const LOGGED_MARK = '=';

export function newJob(write: EntryWrite, pendingSet: PendingSet | undefined): WriteJob {
  return {
    write,
    pendingSet,
    encoded: undefined,
    outcome: undefined,
    comparedTo: '0',
    sequence: undefined,
    isRefused: false,
  };
}

/** Encodes a write's value; one that cannot become bytes has its outcome then. */
export function encodeJob(parts: RedisStoreParts, job: WriteJob): PromiseLike<void> | undefined {
  const { entry, framing } = job.write;
  const refuse = (error: unknown): void => {
    job.outcome = asSerializationError(error);
  };
  try {
    const encoded = parts.context.framer.encodeValue(entry, framing ?? parts.space.framing);
    if (isPromiseLike(encoded)) {
      return encoded.then((value) => {
        job.encoded = value;
      }, refuse);
    }
    job.encoded = encoded;
  } catch (error) {
    refuse(error);
  }
  return undefined;
}

/** Jobs by place, in lists that a script takes. */
export function jobsByPlace(
  site: StoreSite,
  jobs: readonly WriteJob[],
): readonly (readonly [RedisStoreParts, readonly WriteJob[]])[] {
  const places = new Map<RedisStoreParts, WriteJob[]>();
  for (const job of jobs) {
    const parts = site.partsOf(job.write.key);
    const group = places.get(parts);
    if (group === undefined) places.set(parts, [job]);
    else group.push(job);
  }
  return [...places].flatMap(([parts, group]) =>
    chunks(group, WRITES_PER_SCRIPT).map((part) => [parts, part] as const),
  );
}

/** What a bucket of a Cluster says: a set needs at least its floor for a number. */
export function learnFloor(
  stamp: RedisStamp,
  jobs: readonly WriteJob[],
  floor: number,
  serverMs: number,
): void {
  stamp.learn(Math.max(floor, stamp.sequence ?? 0), serverMs);
  for (const job of jobs) {
    if (job.sequence !== undefined) job.sequence = Math.max(job.sequence, floor);
  }
}

/** Refuses a write whose key one of the patterns hits; otherwise it is sent again, with the number it is good for. */
export function compareWithPatterns(job: WriteJob, answer: readonly string[]): void {
  const patterns = answer.filter((text) => text.startsWith(LOGGED_MARK));
  job.comparedTo = answer[answer.length - 1]!;
  const { key } = job.write;
  const isHit = patterns.some((text) => compilePattern(text.slice(1)).matches(key));
  if (isHit) job.outcome = 'refused';
}

export function asSerializationError(error: unknown): CacheError {
  if (isCacheError(error)) return error;
  return new CacheSerializationError('The value could not be encoded.', '', { cause: error });
}
