/** How much a test counts: `check` only asks how a cache behaves. */
export type Kind = 'required' | 'optimal' | 'check';

export const KINDS: readonly Kind[] = ['required', 'optimal', 'check'];

/** What the suite says of a test, in its own words. */
export type Verdict =
  | 'pass'
  | 'fail'
  | 'optional_fail'
  | 'yes'
  | 'no'
  | 'setup_fail'
  | 'harness_fail'
  | 'dependency_fail'
  | 'retry'
  | 'untested';

/** A test with its verdict. */
export interface Judged {
  readonly group: string;
  readonly id: string;
  readonly kind: Kind;
  readonly verdict: Verdict;
}

/** How many tests of each kind there are, and how many of them a cache passes. */
export interface Score {
  readonly total: Readonly<Record<Kind, number>>;
  readonly passed: Readonly<Record<Kind, number>>;
  /** Required tests that ran and failed. */
  readonly violations: number;
  /** Tests that say nothing: their set-up, or a test that they build upon, failed. */
  readonly open: number;
}

const OPEN: ReadonlySet<Verdict> = new Set([
  'setup_fail',
  'harness_fail',
  'dependency_fail',
  'retry',
  'untested',
]);

const PASSED: ReadonlySet<Verdict> = new Set(['pass', 'yes']);

export function scoreOf(tests: readonly Judged[]): Score {
  const total = { required: 0, optimal: 0, check: 0 };
  const passed = { required: 0, optimal: 0, check: 0 };
  let violations = 0;
  let open = 0;
  for (const { kind, verdict } of tests) {
    total[kind] += 1;
    if (PASSED.has(verdict)) passed[kind] += 1;
    else if (OPEN.has(verdict)) open += 1;
    else if (kind === 'required') violations += 1;
  }
  return { total, passed, violations, open };
}

/** `required 159/160, violations 0, optimal 100/105, check 76/100, open 3`. */
export function scoreLine({ total, passed, violations, open }: Score): string {
  return [
    `required ${passed.required}/${total.required}`,
    `violations ${violations}`,
    `optimal ${passed.optimal}/${total.optimal}`,
    `check ${passed.check}/${total.check}`,
    `open ${open}`,
  ].join(', ');
}

/** A test whose verdict is not the one that it is compared with. */
export interface VerdictChange {
  readonly id: string;
  /** Kind and verdict, such as `required pass`; `undefined`: there was no such test. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** What differs, in the order of the tests; those that are gone come last. */
export function compareVerdicts(
  before: readonly Judged[],
  after: readonly Judged[],
): readonly VerdictChange[] {
  const old = new Map(before.map((each) => [each.id, verdictText(each)]));
  const changes: VerdictChange[] = [];
  for (const each of after) {
    const was = old.get(each.id);
    const is = verdictText(each);
    if (was !== is) changes.push({ id: each.id, before: was, after: is });
    old.delete(each.id);
  }
  for (const [id, was] of old) changes.push({ id, before: was, after: undefined });
  return changes;
}

/** Kind and verdict as one text, as the pinned lists hold it. */
export function verdictText({ kind, verdict }: Pick<Judged, 'kind' | 'verdict'>): string {
  return `${kind} ${verdict}`;
}
