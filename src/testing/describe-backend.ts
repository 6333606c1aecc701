import type { BackendCase, BackendNeed } from './backend-case.js';
import { expiryCases } from './backend-expiry-cases.js';
import { fenceCases } from './backend-fence-cases.js';
import { invalidationCases } from './backend-invalidation-cases.js';
import { keyCases } from './backend-key-cases.js';
import { lifecycleCases } from './backend-lifecycle-cases.js';
import { scanCases } from './backend-scan-cases.js';
import { BackendSession, type BackendUnderTest } from './backend-session.js';
import { tagCases } from './backend-tag-cases.js';
import { turnCases } from './backend-turn-cases.js';
import { valueCases } from './backend-value-cases.js';
import type { MaybePromise } from '../cache/maybe-promise.js';

/** The two words of a test framework that suites need: those of mocha, vitest, jest and `node:test` fit. */
export interface TestWords {
  /** Opens a group of cases. */
  readonly describe: (name: string, body: () => void) => unknown;
  /** Declares a case. */
  readonly it: (name: string, body: () => Promise<void>) => unknown;
}

/** What a backend lacks by design, beyond its declared capabilities. */
export interface DescribeBackendOptions {
  /**
   * Kinds of cases to skip.
   *
   * - `allOf`: invalidation by all of several tags.
   * - `release`: a fill with a token that was given back is refused.
   */
  readonly without?: readonly ('allOf' | 'release')[] | undefined;
}

const GROUPS: Readonly<Record<string, readonly BackendCase[]>> = {
  values: valueCases,
  keys: keyCases,
  fences: fenceCases,
  turns: turnCases,
  invalidations: invalidationCases,
  tags: tagCases,
  expiry: expiryCases,
  scans: scanCases,
  'life cycle': lifecycleCases,
};

/**
 * The conformance suite of {@link CacheBackend}: every sentence of the port as a case.
 *
 * `makeBackend` is called once for each case and gives a backend that is empty and seen by nobody else, on a shared
 * store under a prefix of its own. Cases that need what the backend does not have (conditional stores, leases,
 * scanning, a way to let time pass) are skipped.
 *
 * @example
 * ```ts
 * describeBackend({ describe, it }, 'MyBackend', () => {
 *   const clock = new ManualClock();
 *   return { backend: new MyBackend(), clock, advance: (ms) => void clock.advance(ms) };
 * });
 * ```
 */
export function describeBackend(
  { describe, it }: TestWords,
  name: string,
  makeBackend: () => MaybePromise<BackendUnderTest>,
  options: DescribeBackendOptions = {},
): void {
  describe(`${name} as a CacheBackend`, () => {
    for (const [group, cases] of Object.entries(GROUPS)) {
      describe(group, () => {
        for (const each of cases) it(each.name, testBody(each, makeBackend, options));
      });
    }
  });
}

function testBody(
  { needs = [], run }: BackendCase,
  makeBackend: () => MaybePromise<BackendUnderTest>,
  options: DescribeBackendOptions,
): () => Promise<void> {
  // Frameworks offer `skip` on `this` or on an argument; a declared parameter would mean a callback to mocha.
  return async function (this: unknown, ...words: unknown[]): Promise<void> {
    const underTest = await makeBackend();
    const session = new BackendSession(underTest);
    try {
      const missing = needs.find((need) => !isMet(need, underTest, options));
      if (missing === undefined) await run(session);
      else skip(this, words[0]);
    } finally {
      await session.close();
    }
  };
}

function isMet(
  need: BackendNeed,
  { backend, advance, lapse }: BackendUnderTest,
  { without = [] }: DescribeBackendOptions,
): boolean {
  switch (need) {
    case 'conditional stores':
      return backend.capabilities.hasConditionalStores;
    case 'scanning':
      return backend.capabilities.canScan;
    case 'bytes':
      return backend.capabilities.stores === 'bytes';
    case 'time':
      return advance !== undefined;
    case 'leases':
      return backend.capabilities.hasLeases;
    case 'lapse':
      return lapse !== undefined;
    case 'allOf':
    case 'release':
      return !without.includes(need);
  }
}

function skip(...holders: readonly unknown[]): void {
  for (const holder of holders) {
    const word = (holder as { skip?: unknown } | undefined)?.skip;
    if (typeof word === 'function') return void Reflect.apply(word, holder, []);
  }
}
