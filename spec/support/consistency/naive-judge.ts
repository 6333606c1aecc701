import {
  isOriginValue,
  type InvalidationRecord,
  type OperationRecord,
  type ReadRecord,
} from '#internal/testing/consistency/operation-record.js';

/** What the naive judge says of one read. */
export interface NaiveVerdict {
  readonly read: ReadRecord;
  readonly rule: 'stale' | 'late' | 'foreign';
  readonly staleNs: number;
}

/** The rule of the checker word for word, over a whole history at once: each read against each invalidation. */
export function judgeNaively(
  history: readonly OperationRecord[],
  scopesOf: (key: string) => readonly string[],
  boundNs: number,
): readonly NaiveVerdict[] {
  const invalidations = history.filter((each) => each.type === 'invalidation');
  return history.flatMap((read): NaiveVerdict[] => {
    if (read.type !== 'read' || read.value === undefined) return [];
    const { value } = read;
    if (!isOriginValue(value) || value.key !== read.key) {
      return [{ read, rule: 'foreign', staleNs: 0 }];
    }
    const put = invalidations.find(
      (each) => value.put !== undefined && each.process === value.by && each.put === value.put,
    );
    const validUntil = value.put === undefined ? value.at : (put?.endedAt ?? Infinity);
    const voiding = invalidations.filter(
      (each) =>
        each.isAcknowledged &&
        each.scopes.some((scope) => scopesOf(read.key).includes(scope)) &&
        each.startedAt > validUntil &&
        each.endedAt < read.startedAt,
    );
    const stale = (of: readonly InvalidationRecord[]): number =>
      Math.max(-Infinity, ...of.map(({ endedAt }) => read.startedAt - endedAt));
    const own = voiding.filter((each) => boundNs === 0 || each.process === read.process);
    if (own.length > 0) return [{ read, rule: 'stale', staleNs: stale(own) }];
    if (stale(voiding) > boundNs) return [{ read, rule: 'late', staleNs: stale(voiding) }];
    return [];
  });
}
