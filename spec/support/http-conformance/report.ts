import { format } from 'prettier';
import { installedVersion } from './installed-version.js';
import { measuredAt } from './measured-at.js';
import { reasonFor } from './known-misses.js';
import type { RunOutcome } from './pinned-check.js';
import { PUBLISHED_SCORES } from './published-scores.js';
import {
  CONFORMANCE_BACKENDS,
  CONFORMANCE_PROFILES,
  type ConformanceProfile,
} from './conformance-run.js';
import type { ConformanceSuite } from './suite.js';
import { scoreOf, type Judged, type Kind } from './verdicts.js';

/** The page docs/HTTP-CONFORMANCE.md. */
export function conformancePage(
  suite: ConformanceSuite,
  outcomes: readonly RunOutcome[],
): Promise<string> {
  const profiles = CONFORMANCE_PROFILES.map((profile) => ({
    profile,
    tests: testsOf(outcomes, profile),
  }));
  const text = [
    '# HTTP conformance',
    INTRODUCTION,
    `Run on ${measuredAt()}. Suite ${suite.version}, Node ${process.versions.node}, Express ${installedVersion('express')}.`,
    '## Scores',
    scores(outcomes),
    SCORES_LEGEND,
    '## By category',
    categories(suite, profiles),
    '## What is not passed',
    ...profiles.map(({ profile, tests }) => misses(profile, tests)),
    '## Answers to survey questions',
    SURVEY,
    survey(suite, profiles),
  ].join('\n\n');
  return format(text, { parser: 'markdown', printWidth: 100, singleQuote: true });
}

const INTRODUCTION = `<!-- Written by \`npm run http-conformance\`. Do not edit. -->

What \`httpCache\` gets in the public suite [http-tests/cache-tests](https://github.com/http-tests/cache-tests), which
compares the caches of browsers, proxies and CDNs, by the suite's own verdicts. Each of our runs is an Express application
with nothing but \`app.use(httpCache({ profile }))\` and \`app.use(httpInvalidation())\` before the suite's origin: _in-process_
the origin is the application's last handler, as a _proxy_ the application forwards to a server. Each store is tested
_plain_ and with the fast _lane_, where the cache is marked \`front\` and \`accelerate(app)\` listens in place of the application.

\`\`\`sh
git clone https://github.com/http-tests/cache-tests && (cd cache-tests && npm install undici@7)
npm run http-conformance -- --suite cache-tests
\`\`\`

The verdicts are pinned test by test in \`spec/golden/http-conformance\`: a run that gives another one for any test fails and
says which. They are the same for all stores, with and without the fast lane, or \`--update\` refuses them; a run
with the lane counts only if it has answered at least 100 requests before the application got them. Tests count seconds, so those with an unexpected verdict
are repeated alone before they count. The application without a cache, and the one with apicache, show that the run
itself is right.`;

const SCORES_LEGEND = `_Required_ tests are what the RFCs demand. _Violations_ are required tests that ran and failed.
_Optimal_ tests ask whether a cache makes use of what it may, and _behaviour_ tests only ask what it does. _Open_ are tests that
say nothing because their set-up, or a test that they build upon, failed. The profile \`safe\`
stores only responses with status 200 and without \`Set-Cookie\`, and honours less of what clients ask for; so it passes
fewer tests that a cache "may store", and violates nothing. As a proxy one more test passes because the connection to the
origin cuts the body to its declared length.

The scores of other caches were measured in July 2026 with the suite at commit b55b8bd, on Node 20.20 and Debian 12, by the same
verdicts; each had the settings that suit it best among those tried.`;

const SURVEY = `Tests of the kind _behaviour_ have no right answer. These are ours, decided once and pinned. "–" is a test whose
prerequisite the profile does not fulfil.`;

interface ProfileTests {
  readonly profile: ConformanceProfile;
  readonly tests: readonly Judged[];
}

function testsOf(outcomes: readonly RunOutcome[], profile: ConformanceProfile): readonly Judged[] {
  const outcome = outcomes.find(
    ({ run }) =>
      run.subject === 'cachewell' && run.profile === profile && run.mode === 'in-process',
  );
  if (outcome === undefined) throw new Error(`The profile ${profile} did not run.`);
  return outcome.tests;
}

function scores(outcomes: readonly RunOutcome[]): string {
  const rows = [...ownRows(outcomes)];
  for (const { run, tests } of outcomes) {
    if (run.subject === 'none') rows.push(['Express, no cache', ...figuresOf(tests)]);
    if (run.subject === 'apicache') {
      rows.push([`apicache ${installedVersion('apicache')}`, ...figuresOf(tests)]);
    }
  }
  for (const { cache, version, required, violations, optimal, check, open } of PUBLISHED_SCORES) {
    rows.push([`${cache} ${version}`, required, violations, optimal, check, open]);
  }
  // The best first; runs that score the same stay in their order.
  rows.sort((a, b) => Number(b[1]) - Number(a[1]));
  const { total } = scoreOf(outcomes[0]!.tests);
  return table(
    [
      'cache',
      `required / ${total.required}`,
      'violations',
      `optimal / ${total.optimal}`,
      `behaviour / ${total.check}`,
      'open',
    ],
    rows,
  );
}

/** One row for each profile and mode, or, should they score apart, one for those stores and lanes that score the same. */
function ownRows(outcomes: readonly RunOutcome[]): readonly (readonly (string | number)[])[] {
  const rows = new Map<string, RunOutcome[]>();
  for (const outcome of outcomes) {
    const { run, tests } = outcome;
    if (run.subject !== 'cachewell') continue;
    const name = [run.profile, run.mode, ...figuresOf(tests)].join();
    rows.set(name, [...(rows.get(name) ?? []), outcome]);
  }
  return [...rows.values()].map((same) => {
    const { run, tests } = same[0]!;
    const stores = CONFORMANCE_BACKENDS.flatMap((backend) => {
      const runs = same.filter((each) => each.run.backend === backend);
      const lanes = runs.map((each) => (each.run.isFront ? 'lane' : 'plain'));
      return lanes.length === 0 ? [] : [`${backend} (${lanes.join(' + ')})`];
    });
    const name = `**cachewell, \`${run.profile}\`**, ${run.mode}: ${stores.join(', ')}`;
    return [name, ...figuresOf(tests)];
  });
}

function figuresOf(tests: readonly Judged[]): readonly number[] {
  const { passed, violations, open } = scoreOf(tests);
  return [passed.required, violations, passed.optimal, passed.check, open];
}

function categories(suite: ConformanceSuite, profiles: readonly ProfileTests[]): string {
  const rows = suite.groups.map(({ id, name }) => [
    name,
    ...profiles.flatMap(({ tests }) => {
      const { total, passed } = scoreOf(tests.filter(({ group }) => group === id));
      return (['required', 'optimal', 'check'] as const).map((kind) =>
        total[kind] === 0 ? '' : `${passed[kind]} / ${total[kind]}`,
      );
    }),
  ]);
  return table(
    [
      'category',
      ...profiles.flatMap(({ profile }) => [`\`${profile}\` required`, 'optimal', 'behaviour']),
    ],
    rows,
  );
}

function misses(profile: ConformanceProfile, tests: readonly Judged[]): string {
  const missed = tests.filter(({ kind, verdict }) => kind !== 'check' && verdict !== 'pass');
  const rows = missed.map(({ id, kind, verdict }) => [
    `\`${id}\``,
    kind,
    VERDICT_WORDS[verdict] ?? verdict,
    reasonFor(profile, id),
  ]);
  return `### Profile \`${profile}\`\n\n${table(['test', 'kind', 'verdict', 'why'], rows)}`;
}

const VERDICT_WORDS: Readonly<Record<string, string>> = {
  fail: '**violation**',
  optional_fail: 'not done',
  setup_fail: 'open: set-up',
  dependency_fail: 'open: builds upon another',
  harness_fail: 'open: harness',
  retry: 'open: retried',
};

function survey(suite: ConformanceSuite, profiles: readonly ProfileTests[]): string {
  const kind: Kind = 'check';
  const rows = suite.groups.flatMap(({ tests }) =>
    tests
      .filter((test) => test.kind === kind)
      .map(({ id, name }) => [
        name.replaceAll('|', '\\|'),
        ...profiles.map(({ tests: judged }) => {
          const verdict = judged.find((each) => each.id === id)!.verdict;
          return verdict === 'yes' || verdict === 'no' ? verdict : '–';
        }),
      ]),
  );
  return table(['question', ...profiles.map(({ profile }) => `\`${profile}\``)], rows);
}

function table(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}
