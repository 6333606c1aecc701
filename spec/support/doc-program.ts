import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import type { DocFence } from './doc-fences.js';
import { packageEntries, packageRoot } from './package-root.js';

/** A fence as a module of its own, on disk. */
export interface DocModule {
  readonly fence: DocFence;
  readonly dialect: 'standard' | 'legacy';
  readonly source: string;
  /** Where the compiled module lies. */
  readonly output: string;
  /** How many lines stand before the fence's own first line. */
  readonly linesBefore: number;
  readonly text: string;
}

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts', 'lib.decorators.d.ts'],
  types: ['node', 'mocha'],
  strict: true,
  skipLibCheck: true,
};

/** Makes a module of each fence that is not ignored, in a folder of its own below `build`. */
export function writeModules(fences: readonly DocFence[], folder: string): readonly DocModule[] {
  const directory = join(packageRoot, 'build', folder);
  rmSync(directory, { recursive: true, force: true });
  const exported = exportedNames();
  const modules: DocModule[] = [];
  let previous: DocModule | undefined;
  for (const [index, fence] of fences.entries()) {
    if (fence.ignored !== undefined) continue;
    const isContinued = fence.words.includes('continued');
    if (isContinued && previous?.fence.file !== fence.file) {
      throw new Error(`${fence.file}:${fence.line}: 'continued' without a fence before it`);
    }
    const before = isContinued ? previous!.text : '';
    const code = before === '' ? fence.code : `${before}\n${fence.code}`;
    const isLegacy =
      fence.words.includes('legacy') ||
      (isContinued && previous!.dialect === 'legacy') ||
      hasLegacyDecorator(code);
    const dialect = isLegacy ? 'legacy' : 'standard';
    const text =
      fence.isExample && !isContinued ? `${missingImports(code, exported)}\n${code}` : code;
    const name = `${String(index).padStart(3, '0')}-${fence.file.replaceAll(/[^a-z0-9]+/gi, '-')}-${fence.line}`;
    const module: DocModule = {
      fence,
      dialect,
      source: join(directory, dialect, `${name}.ts`),
      output: join(directory, 'out', dialect, `${name}.js`),
      linesBefore: text.split('\n').length - fence.code.split('\n').length,
      text,
    };
    mkdirSync(join(directory, dialect), { recursive: true });
    writeFileSync(module.source, `${text}\nexport {};\n`);
    modules.push(module);
    previous = module;
  }
  return modules;
}

/** Compiles the modules in their dialects, and gives what the compiler says, by the places in the documentation. */
export function compileModules(
  modules: readonly DocModule[],
  ambient: string,
): ReadonlyMap<DocModule, readonly string[]> {
  const problems = new Map<DocModule, string[]>(modules.map((module) => [module, []]));
  for (const dialect of ['standard', 'legacy'] as const) {
    const own = modules.filter((module) => module.dialect === dialect);
    if (own.length === 0) continue;
    const isLegacy = dialect === 'legacy';
    const program = ts.createProgram([...own.map(({ source }) => source), ambient], {
      ...OPTIONS,
      rootDir: dirname(dirname(own[0]!.source)),
      outDir: dirname(dirname(own[0]!.output)),
      experimentalDecorators: isLegacy,
      emitDecoratorMetadata: isLegacy,
    });
    for (const module of own) {
      const source = program.getSourceFile(module.source);
      const diagnostics = [
        ...program.getSyntacticDiagnostics(source),
        ...program.getSemanticDiagnostics(source),
      ];
      for (const { file, start, messageText } of diagnostics) {
        const line = file?.getLineAndCharacterOfPosition(start ?? 0).line ?? 0;
        const place = `${module.fence.file}:${module.fence.line + 1 + line - module.linesBefore}`;
        problems
          .get(module)!
          .push(`${place}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
      }
      program.emit(source);
    }
  }
  return problems;
}

/**
 * Standard decorators cannot stand on parameters, and those that libraries offer for fields (class-validator,
 * class-transformer) are not standard ones: code that has either is of the legacy dialect.
 */
function hasLegacyDecorator(code: string): boolean {
  let isFound = false;
  const visit = (node: ts.Node): void => {
    if (ts.isParameter(node) || ts.isPropertyDeclaration(node)) {
      isFound ||= node.modifiers?.some(ts.isDecorator) === true;
    }
    ts.forEachChild(node, visit);
  };
  visit(parse(code));
  return isFound;
}

/** Which entry exports a name; the core entry where several do. */
function exportedNames(): ReadonlyMap<string, string> {
  const program = ts.createProgram(
    packageEntries.map(({ types }) => types),
    OPTIONS,
  );
  const checker = program.getTypeChecker();
  const names = new Map<string, string>();
  for (const { specifier, types } of packageEntries) {
    const source = program.getSourceFile(types);
    const symbol = source && checker.getSymbolAtLocation(source);
    if (symbol === undefined) continue;
    for (const { name } of checker.getExportsOfModule(symbol)) {
      if (!names.has(name)) names.set(name, specifier);
    }
  }
  return names;
}

/** Imports, on one line, for the names of the package that an example uses without importing them. */
function missingImports(code: string, exported: ReadonlyMap<string, string>): string {
  const declared = new Set<string>();
  const used = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) used.add(node.text);
    const { name } = node as { readonly name?: ts.Node };
    const isDeclaration =
      ts.isImportSpecifier(node) ||
      ts.isVariableDeclaration(node) ||
      ts.isFunctionDeclaration(node) ||
      ts.isClassDeclaration(node) ||
      ts.isInterfaceDeclaration(node) ||
      ts.isTypeAliasDeclaration(node);
    if (isDeclaration && name !== undefined && ts.isIdentifier(name)) declared.add(name.text);
    ts.forEachChild(node, visit);
  };
  visit(parse(code));
  const byEntry = new Map<string, string[]>();
  for (const name of used) {
    const entry = exported.get(name);
    if (entry === undefined || declared.has(name)) continue;
    byEntry.set(entry, [...(byEntry.get(entry) ?? []), name]);
  }
  return [...byEntry]
    .map(([entry, names]) => `import { ${names.join(', ')} } from '${entry}';`)
    .join(' ');
}

function parse(code: string): ts.SourceFile {
  return ts.createSourceFile('fence.ts', code, ts.ScriptTarget.ES2022, true);
}
