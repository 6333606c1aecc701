/**
 * Compiles the files of spec/types with every supported compiler in both decorator dialects, as a package that has
 * installed the built one (so build first): libraries' declarations are checked too, with and without
 * `exactOptionalPropertyTypes`.
 *
 * The line below `// @ts-expect-error TEXT` must be refused with one error, and TEXT (or one of several, parted by
 * ' / ') must stand at the head of its message. Every other line must compile. A compiler takes any message for that
 * comment, so it is given copies in which the comment is an ordinary one.
 *
 *   node scripts/check-types.mjs              all of it
 *   node scripts/check-types.mjs --messages   and prints every message of every compiler
 */
import { spawn } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { binary, failWith, root } from './run-command.mjs';

const SPECS = join(root, 'spec/types');
const COPIES = join(root, 'build/types');

const COMPILERS = { 5.9: 'typescript-5.9', '6.0': 'typescript', '7.0': 'typescript-7.0' };

/** The folder that holds what only the other dialect knows. */
const FOREIGN = { standard: 'legacy', legacy: 'standard' };

/** The compiler's settings under which the files are compiled. */
const MODES = [
  { dialect: 'standard', exact: 'on' },
  { dialect: 'legacy', exact: 'on' },
  { dialect: 'standard', exact: 'off' },
  // Only a program without errors is asked whether its own declarations can be written.
  { dialect: 'legacy', exact: 'off', only: 'accepted' },
];

/** How far into a message its sentence may begin: a reader should see it before any type is unrolled. */
const HEAD = 150;

const MARKER = /^(\s*\/\/) @ts-expect-error (.+)$/;
const ERROR = /^(.+?)\((\d+),\d+\): error (TS\d+: .+)$/;

const printsMessages = process.argv.includes('--messages');
const specs = readSpecs();
if (specs.length === 0) failWith(`no files in ${SPECS}`);
writeCopies();

const runs = Object.entries(COMPILERS).flatMap(([version, packageName]) =>
  MODES.map((mode) => ({ version, packageName, ...mode })),
);

const faults = [];
const queue = [...runs];
await Promise.all(
  Array.from({ length: availableParallelism() }, async () => {
    for (let run = queue.shift(); run !== undefined; run = queue.shift()) {
      compare(run, await compile(run));
    }
  }),
);
if (faults.length > 0) failWith(`types: ${faults.length} faults\n${faults.join('\n')}`);

const counts = Object.keys(FOREIGN).map((dialect) => {
  const own = specs.filter((spec) => spec.folder !== FOREIGN[dialect]);
  const refusals = own.reduce((sum, { expected }) => sum + expected.size, 0);
  return `${dialect} ${own.length} files with ${refusals} refusals`;
});
console.log(
  `types: ${runs.length} runs as expected (TypeScript ${Object.keys(COMPILERS).join(', ')}; ` +
    `${counts.join(', ')}; exactOptionalPropertyTypes on and off)`,
);

function readSpecs() {
  const names = readdirSync(SPECS, { recursive: true }).filter((name) => name.endsWith('.ts'));
  return names.sort().map((name) => {
    const lines = readFileSync(join(SPECS, name), 'utf8').split('\n');
    const expected = new Map();
    for (const [index, line] of lines.entries()) {
      const text = MARKER.exec(line)?.[2];
      // Lines count from 1, and the refused one is the next.
      if (text !== undefined) expected.set(index + 2, text.split(' / '));
    }
    const copy = lines.map((line) => line.replace(MARKER, '$1 refused: $2')).join('\n');
    return { name, folder: dirname(name), expected, copy };
  });
}

function writeCopies() {
  rmSync(COPIES, { recursive: true, force: true });
  installPackage();
  for (const { name, folder, copy } of specs) {
    mkdirSync(join(COPIES, folder), { recursive: true });
    writeFileSync(join(COPIES, name), copy);
  }
  for (const { dialect, exact, only } of MODES) {
    const config = {
      extends: join(root, 'tsconfig.base.json'),
      compilerOptions: {
        experimentalDecorators: dialect === 'legacy',
        exactOptionalPropertyTypes: exact === 'on',
        skipLibCheck: false,
        declaration: only !== undefined,
        sourceMap: false,
      },
      include: [only ?? '.'],
      exclude: [FOREIGN[dialect]],
    };
    writeFileSync(join(COPIES, configName(dialect, exact)), JSON.stringify(config));
  }
}

/** Copies instead of a link: what lies in the checkout's own folders may be imported by path, a package's may not. */
function installPackage() {
  const home = join(COPIES, 'node_modules/cachewell');
  cpSync(join(root, 'dist'), join(home, 'dist'), {
    recursive: true,
    filter: (path) => statSync(path).isDirectory() || path.endsWith('.d.ts'),
  });
  cpSync(join(root, 'package.json'), join(home, 'package.json'));
  writeFileSync(join(COPIES, 'package.json'), JSON.stringify({ name: 'consumer', type: 'module' }));
}

function configName(dialect, exact) {
  return `tsconfig.${dialect}-${exact}.json`;
}

function compile({ packageName, dialect, exact }) {
  const args = [binary(packageName, 'tsc'), '--pretty', 'false', '-p', configName(dialect, exact)];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: COPIES,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => (output += chunk));
    child.on('error', reject);
    child.on('close', () => resolve(output));
  });
}

function compare({ version, dialect, exact, only }, output) {
  const label = `TypeScript ${version}, ${dialect}, exact ${exact}`;
  const missing = new Map();
  for (const { name, folder, expected } of specs) {
    if (folder === FOREIGN[dialect] || (only !== undefined && folder !== only)) continue;
    for (const [line, texts] of expected) missing.set(`${name}:${line}`, texts);
  }
  for (const line of output.split('\n')) {
    // Further lines of a message are indented.
    if (line === '' || line.startsWith(' ')) continue;
    const [, file, at, message] = ERROR.exec(line) ?? [];
    const place = `${file?.replaceAll('\\', '/')}:${at}`;
    if (printsMessages && exact === 'on') console.log(`${label}: ${place}: ${message ?? line}`);
    const texts = missing.get(place);
    if (texts === undefined) {
      faults.push(`${label}: not expected: ${line}`);
      continue;
    }
    missing.delete(place);
    const isReadable = texts.some((text) => {
      const start = message.indexOf(text);
      return start >= 0 && start <= HEAD;
    });
    if (!isReadable) {
      faults.push(
        `${label}: ${place}: expected '${texts.join("' or '")}' at the head of: ${message}`,
      );
    }
  }
  for (const [place, texts] of missing)
    faults.push(`${label}: ${place}: compiles, expected: ${texts[0]}`);
}
