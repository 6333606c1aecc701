import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import ts from 'typescript';
import { manifest, optionalPeers, packageEntries, packageRoot } from '../support/package-root.js';
import { runNode } from '../support/run-process.js';

/** The packages that importing an entry loads, exactly. Everything else waits for its first use. */
const LOADED: Readonly<Record<string, readonly string[]>> = {
  cachewell: ['reflect-metadata', 'tsyringe'],
  'cachewell/redis': [],
  'cachewell/msgpack': [],
  'cachewell/lz4': [],
  'cachewell/config': ['class-validator'],
  'cachewell/http': [],
  'cachewell/express': ['reflect-metadata', 'tsyringe'],
  'cachewell/testing': [],
};

/** The packages whose types an entry may name: a user of the entry has them anyway. */
const NAMED_IN_TYPES: Readonly<Record<string, readonly string[]>> = {
  cachewell: ['reflect-metadata', 'tsyringe'],
  'cachewell/redis': ['tsyringe'],
  'cachewell/msgpack': [],
  'cachewell/lz4': [],
  'cachewell/config': ['class-validator'],
  'cachewell/http': [],
  'cachewell/express': ['reflect-metadata', 'tsyringe'],
  'cachewell/testing': [],
};

describe('package entries', function () {
  this.timeout(30_000);

  it('are those whose needs this spec knows', () => {
    const specifiers = packageEntries.map(({ specifier }) => specifier);
    expect(Object.keys(LOADED)).to.have.members(specifiers);
    expect(Object.keys(NAMED_IN_TYPES)).to.have.members(specifiers);
  });

  for (const { specifier, types } of packageEntries) {
    describe(specifier, () => {
      it('loads exactly the packages that it says it needs', async () => {
        expect(await loadedPackages(specifier)).to.deep.equal(LOADED[specifier] ?? []);
      });

      it('can be loaded with require', async () => {
        const code = `process.stdout.write(typeof require('${specifier}'))`;
        const stdout = await runNode(['--input-type=commonjs', '-e', code], { cwd: packageRoot });
        expect(stdout).to.equal('object');
      });

      it('names no further package in its types', () => {
        const named = packagesNamedInTypes(types);
        const allowed = NAMED_IN_TYPES[specifier] ?? [];
        expect(named.filter((name) => !allowed.includes(name))).to.deep.equal([]);
      });
    });
  }

  it('list as optional every peer that no entry needs by itself', () => {
    const required = Object.keys(manifest.peerDependencies).filter(
      (name) => !optionalPeers.includes(name),
    );
    expect(required).to.have.members(['reflect-metadata', 'tsyringe']);
  });

  it('give no file of the build a default export', () => {
    const files = readdirSync(join(packageRoot, 'dist'), { recursive: true, encoding: 'utf8' });
    const guilty = files
      .filter((file) => file.endsWith('.js'))
      .filter((file) =>
        /^export default|as default\b/m.test(readFileSync(join(packageRoot, 'dist', file), 'utf8')),
      );
    expect(guilty).to.deep.equal([]);
  });
});

interface Request {
  readonly specifier: string;
  readonly parent: string;
}

async function loadedPackages(specifier: string): Promise<readonly string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'cachewell-entries-'));
  const log = join(directory, 'imports.jsonl');
  try {
    await runNode(
      [
        '--import',
        join(packageRoot, 'scripts/record-imports.mjs'),
        '--input-type=module',
        '-e',
        `await import('${specifier}')`,
      ],
      { cwd: packageRoot, env: { ...process.env, RECORD_IMPORTS_TO: log } },
    );
    const own = pathToFileURL(join(packageRoot, 'dist/')).href;
    const requests = readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Request)
      .filter(({ parent }) => parent.startsWith(own));
    return [
      ...new Set(
        requests
          .map((request) => request.specifier)
          .filter(isPackage)
          .map(packageName),
      ),
    ].sort();
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The packages named by a declaration file and by all that it leads to. */
function packagesNamedInTypes(entry: string): readonly string[] {
  const names = new Set<string>();
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const source = readFileSync(file, 'utf8');
    const { importedFiles, typeReferenceDirectives } = ts.preProcessFile(source, true, true);
    for (const { fileName } of typeReferenceDirectives) names.add(fileName);
    for (const { fileName } of importedFiles) {
      if (isPackage(fileName)) names.add(packageName(fileName));
      else if (fileName.startsWith('.'))
        visit(join(file, '..', fileName.replace(/\.js$/, '.d.ts')));
      else if (!isBuiltin(fileName)) names.add(`${fileName} in ${relative(packageRoot, file)}`);
    }
  };
  visit(entry);
  return [...names].sort();
}

function isPackage(specifier: string): boolean {
  return !/^(?:[./#]|file:|data:)/.test(specifier) && !isBuiltin(specifier);
}

function packageName(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}
