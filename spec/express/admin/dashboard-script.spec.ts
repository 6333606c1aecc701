import { expect } from 'chai';
import ts from 'typescript';
import { DASHBOARD_SCRIPT } from '#internal/express/admin/dashboard/dashboard-page.js';
import { MARKUP } from '#internal/express/admin/dashboard/markup.js';
import { STYLE } from '#internal/express/admin/dashboard/style.js';

/** What the compiler has against scripts of the browser, for each of them. */
function faultsOf(...scripts: readonly string[]): string[][] {
  const options: ts.CompilerOptions = {
    allowJs: true,
    checkJs: true,
    noEmit: true,
    strict: true,
    noUncheckedIndexedAccess: true,
    noImplicitReturns: true,
    noUnusedLocals: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ES2022,
    lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    types: [],
  };
  const files = new Map(scripts.map((script, index) => [`/${index}.mjs`, script]));
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (name, version, ...rest) => {
    const script = files.get(name);
    return script === undefined
      ? read(name, version, ...rest)
      : ts.createSourceFile(name, `${script}\nexport {};\n`, version, true, ts.ScriptKind.JS);
  };
  const program = ts.createProgram([...files.keys()], options, host);
  return [...files].map(([name, script]) =>
    ts
      .getPreEmitDiagnostics(program, program.getSourceFile(name))
      .map(({ messageText, file, start }) => {
        const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start ?? 0).line;
        return `${script.split('\n')[line] ?? ''} — ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
      }),
  );
}

describe('the script of the dashboard', () => {
  it('passes the type check against the DOM, and the check can fail', () => {
    const planted = [
      "byId('pause').valu = 1;",
      "setText('pause', 'text');",
      'askJson();',
      'const unused = 1;',
    ];
    const [faults, found] = faultsOf(DASHBOARD_SCRIPT, DASHBOARD_SCRIPT + planted.join('\n'));
    expect(faults).to.deep.equal([]);
    expect(found).to.have.length(planted.length);
  }).timeout(60_000);

  it('never parses a text as markup or as code', () => {
    expect(DASHBOARD_SCRIPT).not.to.match(
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment|setHTML|\beval\b|new Function|srcdoc|javascript:/,
    );
  });

  it('asks for nothing from elsewhere', () => {
    const urls =
      `${DASHBOARD_SCRIPT}${MARKUP}${STYLE}`.match(/(?:https?:)?\/\/[\w.-]+\.\w+[^\s'"]*/g) ?? [];
    expect(urls).to.deep.equal(['http://www.w3.org/2000/svg']);
    expect(STYLE).not.to.match(/@import|url\(/);
  });

  it('could not end its own element, or that of the style sheet', () => {
    expect(DASHBOARD_SCRIPT).not.to.match(/<\/script|<!--/i);
    expect(STYLE).not.to.match(/<\//);
  });

  it('finds in the page every element that it names', () => {
    const ids = new Set([...MARKUP.matchAll(/ id="([\w-]+)"/g)].map(([, id]) => id));
    const named = [...DASHBOARD_SCRIPT.matchAll(/[bB]yId\('([\w-]+)'\)/g)].map(([, id]) => id);
    expect(named.length).to.be.above(30);
    expect(named.filter((id) => !ids.has(id))).to.deep.equal([]);
    expect(ids.size).to.equal([...MARKUP.matchAll(/ id="/g)].length);
  });
});
