import { InvalidOptionError } from '../../errors.js';
import { expectNumber, expectOptions, rejectUnknown } from '../../options.js';
import type { ConsistencySubject } from './consistency-subject.js';
import type { InvalidationKind, ReadKind } from './operation-record.js';

/** Everything that a process may do in a run. `warm` loads and stores without reading. */
export type OperationKind = ReadKind | 'warm' | InvalidationKind;

/** How often each kind of operation is chosen, as weights; 0 = never. */
export type OperationMix = Readonly<Record<OperationKind, number>>;

/** The mix of a run that asks for no other: as many reads as invalidations, most of them of one key. */
export const DEFAULT_MIX: OperationMix = Object.freeze({
  read: 40,
  get: 5,
  refresh: 3,
  bulk: 5,
  warm: 2,
  key: 32,
  keys: 4,
  pattern: 0.5,
  tags: 1.5,
  allTags: 1,
  clear: 0.1,
  expire: 5,
  put: 7,
});

const KINDS = Object.keys(DEFAULT_MIX) as readonly OperationKind[];

/** @throws {@link InvalidOptionError} when a kind is unknown or a weight is negative */
export function resolveMix(given: Partial<OperationMix> = {}): OperationMix {
  expectOptions('runConsistency.mix', given);
  rejectUnknown('runConsistency.mix', given, KINDS);
  const mix = { ...DEFAULT_MIX };
  for (const kind of KINDS) {
    mix[kind] = expectNumber(
      `runConsistency.mix.${kind}`,
      given[kind] ?? DEFAULT_MIX[kind],
      0,
      Number.MAX_VALUE,
    );
  }
  return mix;
}

/**
 * The operations that a subject can do, with their weights.
 *
 * @throws {@link InvalidOptionError} when nothing is left that reads, or nothing that invalidates
 */
export function choicesFor(
  mix: OperationMix,
  subject: ConsistencySubject,
): readonly (readonly [OperationKind, number])[] {
  const choices = KINDS.filter((kind) => canDo(subject, kind) && mix[kind] > 0).map(
    (kind) => [kind, mix[kind]] as const,
  );
  const fills = choices.some(([kind]) => kind === 'read' || kind === 'refresh' || kind === 'bulk');
  if (fills && choices.some(([kind]) => isInvalidation(kind))) return choices;
  throw new InvalidOptionError(
    'runConsistency.mix',
    'expected an operation that loads and one that invalidates among those the subject can do',
  );
}

/** Whether an operation makes values void. */
export function isInvalidation(kind: OperationKind): kind is InvalidationKind {
  return !['read', 'get', 'refresh', 'bulk', 'warm'].includes(kind);
}

function canDo(subject: ConsistencySubject, kind: OperationKind): boolean {
  switch (kind) {
    case 'read':
      return true;
    case 'get':
    case 'refresh':
    case 'bulk':
    case 'warm':
      return subject[kind] !== undefined;
    case 'put':
      return subject.put !== undefined && subject.invalidations.includes('put');
    default:
      return subject.invalidations.includes(kind);
  }
}
