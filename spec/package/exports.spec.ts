import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect } from 'chai';
import ts from 'typescript';
import { packageEntries, packageRoot } from '../support/package-root.js';

/**
 * The names that each entry exports are kept in `api/*.txt`, one a line with its kinds, so that a change of the public
 * surface is a change that a reviewer sees. `UPDATE_API=1 npm test -- --grep "public names"` writes them anew.
 */
const API_DIRECTORY = join(packageRoot, 'spec/package/api');
const UPDATE = process.env['UPDATE_API'] === '1';

/**
 * Files whose public types may say `any`, and why. Anything else that says it takes the checker away from users.
 */
const ANY_ALLOWED: Readonly<Record<string, string>> = {};

describe('package exports', function () {
  this.timeout(60_000);

  const program = ts.createProgram(
    packageEntries.map(({ types }) => types),
    {
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      target: ts.ScriptTarget.ES2022,
      types: ['node'],
      strict: true,
    },
  );
  const checker = program.getTypeChecker();

  for (const { specifier, types } of packageEntries) {
    it(`of ${specifier} are the public names that were reviewed`, () => {
      const file = join(API_DIRECTORY, `${specifier.replaceAll('/', '-')}.txt`);
      const actual = exportedNames(types);
      expect(actual, 'an entry without exports').not.to.deep.equal([]);
      if (UPDATE) {
        mkdirSync(API_DIRECTORY, { recursive: true });
        writeFileSync(file, `${actual.join('\n')}\n`);
      }
      const name = relative(packageRoot, file);
      expect(existsSync(file), `${name} is missing: write it with UPDATE_API=1`).to.equal(true);
      expect(actual, `if the change is meant, write ${name} anew with UPDATE_API=1`).to.deep.equal(
        readFileSync(file, 'utf8').trimEnd().split('\n'),
      );
    });

    it(`of ${specifier} exist at run time, when they are values`, async () => {
      const namespace = (await import(specifier)) as Record<string, unknown>;
      const values = exportedNames(types)
        .filter((line) => !/: (?:interface|type|.*only as a type)$/.test(line))
        .map((line) => line.slice(0, line.indexOf(':')));
      expect(Object.keys(namespace).sort()).to.deep.equal(values.sort());
    });
  }

  it('have no `any` in their types', () => {
    const places = program
      .getSourceFiles()
      .filter(({ fileName }) => fileName.startsWith(join(packageRoot, 'dist/')))
      .filter(({ fileName }) => !(relative(packageRoot, fileName) in ANY_ALLOWED))
      .flatMap(anyKeywords);
    expect(places).to.deep.equal([]);
  });

  function exportedNames(types: string): readonly string[] {
    const source = program.getSourceFile(types);
    if (source === undefined) throw new Error(`${types} is missing: run npm run build`);
    const symbol = checker.getSymbolAtLocation(source);
    if (symbol === undefined) return [];
    return checker
      .getExportsOfModule(symbol)
      .map((each) => `${each.name}: ${kindsOf(each)}`)
      .sort();
  }

  function kindsOf(symbol: ts.Symbol): string {
    const { flags } =
      (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol);
    const kinds: readonly (readonly [ts.SymbolFlags, string])[] = [
      [ts.SymbolFlags.Class, 'class'],
      [ts.SymbolFlags.Function, 'function'],
      [ts.SymbolFlags.Variable, 'const'],
      [ts.SymbolFlags.Interface, 'interface'],
      [ts.SymbolFlags.TypeAlias, 'type'],
    ];
    const names = kinds.filter(([flag]) => (flags & flag) !== 0).map(([, name]) => name);
    const isValue = (flags & ts.SymbolFlags.Value) !== 0;
    return names.join(', ') + (isValue && isTypeOnly(symbol) ? ' only as a type' : '');
  }
});

/** Whether a class or a constant is exported by `export type`, so that programs cannot use it as a value. */
function isTypeOnly(symbol: ts.Symbol): boolean {
  return (symbol.declarations ?? []).some(
    (each) => ts.isExportSpecifier(each) && (each.isTypeOnly || each.parent.parent.isTypeOnly),
  );
}

function anyKeywords(source: ts.SourceFile): readonly string[] {
  const places: string[] = [];
  const visit = (node: ts.Node): void => {
    if (node.kind === ts.SyntaxKind.AnyKeyword) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
      const text = source.text.split('\n')[line] ?? '';
      places.push(`${relative(packageRoot, source.fileName)}:${line + 1}: ${text.trim()}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return places;
}
