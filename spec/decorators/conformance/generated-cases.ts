import { inspect } from 'node:util';
import type { ConformanceCase, Step } from './conformance-case.js';
import { describeOperation, type OperationSpec } from './operation-spec.js';
import { SpringModel } from './spring-model.js';

const C: OperationSpec = { kind: 'cacheable' };
const P: OperationSpec = { kind: 'put' };
const E: OperationSpec = { kind: 'evict' };
const CONDITIONS = [true, false, 'odd'] as const;
const VETOES = [false, true, 'null'] as const;
const TIMES = [{ ttl: 0 }, { ttl: '5m' }, { nullTtl: 0 }, { nullTtl: '1m' }] as const;

/** What is done with most combinations: a hit, a veto for null, an absent result, an error, other arguments. */
const SCRIPT: readonly Step[] = [
  { seed: 'a/9', value: 'seeded', tags: ['all', 'arg:1'] },
  { seed: 'b/2', value: 'seeded', tags: ['arg:2'] },
  { call: [1], gives: 'A' },
  { call: [1], gives: 'B' },
  { call: [2], gives: null },
  { call: [2], gives: 'C' },
  { call: [3], throws: true },
  { call: [1], throws: true },
  { call: [3], gives: undefined },
  { call: [9], gives: 'D' },
];

/** The script with results that have an `id`, which is another than the argument. */
const SCRIPT_WITH_IDS: readonly Step[] = [
  { seed: 'a/7', value: 'seeded' },
  { call: [1], gives: { id: 7 } },
  { call: [2], throws: true },
  { call: [2], gives: { id: 2 } },
  { call: [7], gives: { id: 1 } },
];

const COMBINATIONS: readonly (readonly OperationSpec[])[] = [
  [C],
  [P],
  [E],
  [{ ...E, before: true }],
  [C, P],
  [C, { ...P, caches: ['b'] }],
  [C, E],
  [C, { ...E, before: true }],
  [P, E],
  [P, { ...E, before: true }],
  [C, P, E],
  [
    { ...C, key: 'first' },
    { ...C, caches: ['b'], key: 'constant' },
  ],
  [P, { ...P, caches: ['c'], key: 'constant' }],
  [E, { ...E, caches: ['b'], allEntries: true }],
  [C, { ...E, allEntries: true }],
  [P, { ...E, allEntries: true, before: true }],
];

const KINDS_OF_EVICT: readonly Partial<OperationSpec>[] = [
  { key: 'first' },
  { key: 'constant' },
  { keys: true },
  { allEntries: true },
  { evictTags: 'all' },
  { evictTags: 'arg' },
  { evictTags: 'arg', key: 'first' },
  { evictTags: 'all', allEntries: true },
  { pattern: '*' },
  { pattern: '1*' },
  { pattern: '9', key: 'first' },
];

/** Cases from the products of options, with what the model says about each. */
export const GENERATED_CASES: readonly ConformanceCase[] = [
  ...COMBINATIONS.map((operations) => modelled(operations, SCRIPT)),
  ...COMBINATIONS.flatMap((operations) =>
    operations.flatMap((_, index) =>
      CONDITIONS.map((condition) => modelled(changed(operations, index, { condition }), SCRIPT)),
    ),
  ),
  ...COMBINATIONS.flatMap((operations) =>
    operations.flatMap((operation, index) =>
      operation.kind === 'evict'
        ? []
        : VETOES.map((unless) => modelled(changed(operations, index, { unless }), SCRIPT)),
    ),
  ),
  ...[C, P].flatMap((operation) =>
    TIMES.map((times) => modelled([{ ...operation, ...times }], SCRIPT)),
  ),
  ...COMBINATIONS.filter((operations) =>
    operations.every(({ caches }) => caches === undefined),
  ).map((operations) =>
    modelled(
      operations.map((each) => ({ ...each, caches: ['a', 'b'] })),
      SCRIPT,
    ),
  ),
  ...KINDS_OF_EVICT.flatMap((kind) =>
    [{}, { before: true } as const, { condition: 'odd' } as const].flatMap((timing) =>
      [[], [{ ...C, tags: 'arg' } as const], [{ ...P, tags: 'all' } as const]].map((others) =>
        modelled([...others, { ...E, ...kind, ...timing }], SCRIPT),
      ),
    ),
  ),
  ...[[], [C], [P], [{ ...C, tags: 'result' } as const]].flatMap((others) => [
    modelled([...others, { ...P, keyOf: true, caches: ['b'] }], SCRIPT_WITH_IDS),
    modelled([...others, { ...E, keyOf: true }], SCRIPT_WITH_IDS),
    modelled([...others, { ...E, keyOf: true, caches: ['a', 'b'] }], SCRIPT_WITH_IDS),
  ]),
  modelled([{ ...P, keyOf: true, tags: 'result' }], SCRIPT_WITH_IDS),
  modelled([{ ...P, keyOf: true, unless: true }], SCRIPT_WITH_IDS),
  modelled([{ ...P, keyOf: true, ttl: 0 }], SCRIPT_WITH_IDS),
  ...[C, P].flatMap((operation) =>
    ['', 0, -0, false, null, [], {}, NaN, 'a', { deep: [{ id: null }] }].map((value) =>
      modelled(
        [operation],
        [
          { call: [1], gives: value },
          { call: [1], gives: value },
        ],
        inspect(value),
      ),
    ),
  ),
  ...[{ refresh: true } as const, { sync: false } as const].flatMap((option) =>
    [[], [P], [E], [{ ...E, before: true } as const]].map((others) =>
      modelled([{ ...C, ...option }, ...others], SCRIPT),
    ),
  ),
  ...(['args', 'first', 'constant'] as const).flatMap((key) =>
    [C, P, E].map((operation) =>
      modelled(
        [{ ...operation, key }],
        [
          { seed: 'a/k', value: 'seeded' },
          { call: [1, 2], gives: 'A' },
          { call: [1, 3], gives: 'B' },
          { call: [], gives: 'C' },
          { call: [1], gives: 'D' },
        ].filter((step) => key !== 'first' || step.call?.length !== 0) as readonly Step[],
        'several arguments',
      ),
    ),
  ),
];

function changed(
  operations: readonly OperationSpec[],
  index: number,
  change: Partial<OperationSpec>,
): readonly OperationSpec[] {
  return operations.map((each, at) => (at === index ? { ...each, ...change } : each));
}

function modelled(
  operations: readonly OperationSpec[],
  steps: readonly Step[],
  detail = '',
): ConformanceCase {
  const title = [operations.map(describeOperation).join(' + '), detail].filter(Boolean).join(': ');
  return { title, operations, steps, expected: SpringModel.outcome(operations, steps) };
}
