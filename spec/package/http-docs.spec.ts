import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
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

describe('the pages about HTTP', () => {
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
