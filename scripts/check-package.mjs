/**
 * Packs the package as it would be published, and checks the tarball: its contents, its manifest (publint), the
 * types of each entry under each way of resolving (attw), and the ranges of its peers.
 *
 * What the entries load and how consumers use them is proved by `spec/package`.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { binary, failWith, root, runNode } from './run-command.mjs';

const DIRECTORY = 'build/pack';
const REQUIRED_PEERS = ['reflect-metadata', 'tsyringe'];
const REQUIRED_FILES = ['CHANGELOG.md', 'LICENSE', 'README.md', 'dist/index.js', 'dist/index.d.ts'];

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const problems = [...rangeProblems()];

rmSync(join(root, DIRECTORY), { recursive: true, force: true });
mkdirSync(join(root, DIRECTORY), { recursive: true });
const { status, stdout, stderr } = spawnSync(
  'npm',
  ['pack', '--json', '--ignore-scripts', '--pack-destination', DIRECTORY],
  { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
);
if (status !== 0) failWith(`npm pack failed:\n${stderr}`);
const [packed] = JSON.parse(stdout);
const paths = packed.files.map(({ path }) => path);
const foreign = paths.filter(
  (path) => !/^(?:dist\/|src\/|(?:CHANGELOG|README)\.md$|LICENSE$|package\.json$)/.test(path),
);
if (foreign.length > 0) problems.push(`files that nobody asked for: ${foreign.join(', ')}`);
for (const file of REQUIRED_FILES) {
  if (!paths.includes(file)) problems.push(`${file} is not in the tarball`);
}
for (const [entry, target] of Object.entries(manifest.exports)) {
  for (const file of typeof target === 'string' ? [target] : Object.values(target)) {
    if (!paths.includes(file.slice(2)))
      problems.push(`entry '${entry}' names ${file}, which is not in the tarball`);
  }
}

const tarball = join(DIRECTORY, packed.filename);
if ((await runNode([binary('publint'), 'run', tarball, '--strict'])) !== 0) {
  problems.push('publint found faults');
}
const attw = [
  binary('@arethetypeswrong/cli', 'attw'),
  tarball,
  '--profile',
  'esm-only',
  '--no-emoji',
];
if ((await runNode([...attw, '--format', 'ascii'])) !== 0) problems.push('attw found faults');

if (problems.length > 0) failWith(`package:\n- ${problems.join('\n- ')}`);
const sizeKb = Math.round(packed.size / 1024);
console.log(`package: ${packed.filename}, ${paths.length} files, ${sizeKb} KB packed`);

/** The core needs two peers; everything else is optional; every range has a lower bound. */
function* rangeProblems() {
  const {
    dependencies = {},
    peerDependencies = {},
    peerDependenciesMeta = {},
    devDependencies = {},
  } = manifest;
  if (Object.keys(dependencies).length > 0) yield `dependencies: there must be none`;
  for (const [name, range] of Object.entries(peerDependencies)) {
    const bounds = range.split(' || ');
    if (!bounds.every((bound) => /^(?:\^|>=)\d+\.\d+\.\d+/.test(bound))) {
      yield `peer ${name}: '${range}' has no lower bound`;
    }
    const isOptional = peerDependenciesMeta[name]?.optional === true;
    if (isOptional === REQUIRED_PEERS.includes(name)) {
      yield `peer ${name}: must ${isOptional ? 'not ' : ''}be optional`;
    }
    if (devDependencies[name] === undefined) yield `peer ${name}: not installed for the specs`;
  }
  for (const name of Object.keys(peerDependenciesMeta)) {
    if (peerDependencies[name] === undefined) yield `peerDependenciesMeta.${name}: no such peer`;
  }
  for (const [name, range] of Object.entries(devDependencies)) {
    if (!/^(?:npm:.+@)?\d+\.\d+\.\d+$/.test(range))
      yield `dev dependency ${name}: '${range}' is not pinned`;
  }
}
