import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import { resolveHttpCacheOptions } from '#internal/express/resolve-http-cache-options.js';
import { HTTP_PROFILES, type ProfileRules } from '#internal/http/http-profile.js';
import { resolveHttpCachePolicyOptions } from '#internal/http/policy-options.js';
import { codeSpans, markdownTable } from '../support/markdown-table.js';
import { packageRoot } from '../support/package-root.js';

const read = (path: string): string => readFileSync(join(packageRoot, path), 'utf8');

/** The string literals of a union type, as its source has them. */
function members(path: string, type: string): readonly string[] {
  const [, body] = new RegExp(`export type ${type} =([^;]+);`).exec(read(path)) ?? [];
  if (body === undefined) throw new Error(`${path} has no type ${type}`);
  return [...body.matchAll(/'([^']+)'/g)].map(([, name]) => name!);
}

const sorted = (names: Iterable<string>): readonly string[] => [...new Set(names)].sort();

/** Which row of the table of profiles tells of a rule. A rule without one does not compile. */
const ROW_OF_RULE: Readonly<Record<keyof ProfileRules, string>> = {
  statuses: 'statuses that may be stored',
  storesSetCookie: 'response with `Set-Cookie`',
  guardsCredentials: 'request with `Cookie`, ',
  credentialHeaders: 'request with a field whose name looks like a credential, ',
  storesUnstated: 'response that says nothing about its lifetime',
  heuristicFraction: 'heuristic lifetime',
  respectRequestCacheControl: "client's `Cache-Control`",
  onNoCache: "client's `Cache-Control`",
  staleIfErrorMs: 'stale instead of an error, ',
  hidesRange: '`Range` of a miss',
  storesPost: 'answer to a POST ',
};

/** A row without a rule of its own: a part of `guardsCredentials`. */
const OF_ANOTHER = 'request with `Authorization`, ';

/** The names in which two sets of options differ. */
function differing(one: object, other: object): readonly string[] {
  const values = other as Record<string, unknown>;
  return Object.entries(one)
    .filter(([name, value]) => !isDeepStrictEqual(value, values[name]))
    .map(([name]) => name);
}

describe('the pages about HTTP', () => {
  it('have a row for every rule in which the profiles differ, and no other', () => {
    const { safe, rfc9111 } = HTTP_PROFILES;
    const rules = Object.keys(ROW_OF_RULE) as (keyof ProfileRules)[];
    expect(sorted(differing(safe, rfc9111))).to.deep.equal(sorted(rules));
    const rows = markdownTable('HTTP.md', 'rule|`safe`|`rfc9111`');
    const told = [...new Set(Object.values(ROW_OF_RULE)), OF_ANOTHER];
    expect(rows).to.have.length(told.length);
    for (const start of told) {
      const [, ours, theirs] = rows.find(([rule]) => rule!.startsWith(start)) ?? [];
      expect(ours, start).to.be.a('string').that.is.not.equal(theirs);
    }
    const row = (rule: keyof ProfileRules): readonly string[] =>
      rows.find(([start]) => start!.startsWith(ROW_OF_RULE[rule]))!.slice(1);
    expect(row('statuses')[0]).to.equal(String(safe.statuses));
    expect(row('heuristicFraction')).to.satisfy(
      ([ours, theirs]: string[]) =>
        ours === 'none' &&
        safe.heuristicFraction === 0 &&
        theirs!.startsWith('a tenth') &&
        rfc9111.heuristicFraction === 0.1,
    );
    const times: Record<number, string> = { 60_000: 'for a minute', 86_400_000: 'for a day' };
    expect(row('staleIfErrorMs')).to.deep.equal([
      times[safe.staleIfErrorMs],
      times[rfc9111.staleIfErrorMs],
    ]);
  });

  it('say that this is all that differs, and nothing else does', () => {
    const [safe, rfc9111] = (['safe', 'rfc9111'] as const).map((profile) => ({
      // The policies are made of the rules and the options of the policy.
      ...resolveHttpCacheOptions({ profile, ttl: '1m' }),
      ...resolveHttpCachePolicyOptions({ profile, ttl: '1m' }),
      policy: undefined,
      widePolicy: undefined,
      strictPolicy: undefined,
    }));
    expect(sorted(differing(safe!, rfc9111!))).to.deep.equal(
      sorted([
        'profile',
        'rules',
        // As the rules of these names say.
        'statuses',
        'requestControl',
        'onNoCache',
        'staleIfErrorMs',
        'credentials',
        'storesPost',
      ]),
    );
  });

  it('have the table of profiles that stands beside the rules', () => {
    const [comment] = read('src/http/http-profile.ts').split('*/');
    const rows = comment!
      .split('\n')
      .filter((line) => line.startsWith(' * |'))
      .map((line) => line.slice(3).split('|').slice(1, -1));
    const table = rows.slice(2).map((cells) => cells.map((cell) => cell.trim()));
    expect(table.length).to.be.greaterThan(5);
    expect(markdownTable('HTTP.md', 'rule|`safe`|`rfc9111`')).to.deep.equal(table);
  });

  it('have every reason for which a request goes past the cache', () => {
    const ticket = read('src/express/request-ticket.ts');
    const ours = [...ticket.matchAll(/refuse\('([\w-]+)'\)/g)].map(([, reason]) => reason!);
    expect(ours).to.include('attribute');
    const reasons = markdownTable('CACHING_LIMITS.md', 'reason|when|what to do').map(
      ([cell]) => codeSpans(cell!)[0]!,
    );
    expect(sorted(reasons)).to.deep.equal(
      sorted([
        ...members('src/http/cache-decision.ts', 'BypassReason'),
        ...ours,
        'callback',
        'target-…',
      ]),
    );
  });

  it('have every reason for which a response is not stored', () => {
    const reasons = markdownTable('CACHING_LIMITS.md', 'reason|when').flatMap(([cell]) =>
      codeSpans(cell!),
    );
    expect(sorted(reasons)).to.deep.equal(
      sorted([
        ...members('src/http/cache-decision.ts', 'NotStoredReason'),
        ...members('src/express/route-answer.ts', 'UnstoredReason'),
      ]),
    );
  });

  it('have every form of URL that is not cached', () => {
    const forms = markdownTable('CACHING_LIMITS.md', '`target-…`|the path').map(
      ([cell]) => codeSpans(cell!)[0]!,
    );
    expect(sorted(forms)).to.deep.equal(
      sorted(members('src/http/request-target.ts', 'TargetRefusal')),
    );
  });

  for (const [attack, , proofs] of markdownTable(
    'SECURITY.md',
    'attack|what answers it|proved by',
  )) {
    it(`have a proof of: ${attack}`, () => {
      const files = [...proofs!.matchAll(/\]\(([^)]+)\)/g)].map(([, target]) =>
        read(join(dirname('docs/SECURITY.md'), target!)),
      );
      expect(files).to.not.be.empty;
      const [name = ''] = /\(`.*`\)$/.exec(attack!) ?? [];
      for (const span of codeSpans(name)) {
        expect(
          files.some((text) => text.includes(span)),
          span,
        ).to.equal(true);
      }
    });
  }

  it('have every attack that has a specification by name', () => {
    const suite = ['http-security-suite', 'http-error-attacks', 'http-key-attacks']
      .map((name) => read(`spec/support/${name}.ts`))
      .join('\n');
    const names = [...suite.matchAll(/it\([`'"]([\w-]+)(?: and ([\w-]+))?: /g)].flatMap(
      ([, ...each]) => each.filter((name) => name !== undefined),
    );
    // Those whose names stand in a list: each row begins with one.
    for (const [, list] of suite.matchAll(/for \(const \[name, \w+\] of \[([^]+?)\] as const/g)) {
      names.push(...[...list!.matchAll(/\['([\w-]+)', /g)].map(([, name]) => name!));
    }
    const page = markdownTable('SECURITY.md', 'attack|what answers it|proved by').flatMap(
      ([attack]) => codeSpans(/\(`.*`\)$/.exec(attack!)?.[0] ?? ''),
    );
    expect(sorted(page)).to.deep.equal(sorted(names));
  });
});
