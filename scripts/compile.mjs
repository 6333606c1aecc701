/**
 * Compiles a project and removes what an earlier run left of sources that are gone, so that neither the package nor
 * the test run contains a file that nobody wrote.
 *
 *   node scripts/compile.mjs tsconfig.build.json             with the compiler of the published build
 *   node scripts/compile.mjs --fast spec/tsconfig.json       with the native compiler, in a tenth of the time
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { binary, captureNode, failWith, root, runNode } from './run-command.mjs';

const OUTPUTS = /\.(?:d\.ts\.map|js\.map|d\.ts|js)$/;

const projects = process.argv.slice(2).filter((argument) => argument !== '--fast');
const tsc = process.argv.includes('--fast')
  ? binary('typescript-7.0', 'tsc')
  : binary('typescript', 'tsc');
if (projects.length === 0) failWith('usage: node scripts/compile.mjs [--fast] <tsconfig.json> …');

const codes = await Promise.all(
  projects.map(async (project) => {
    const code = await runNode([tsc, '-p', project]);
    prune(project);
    return code;
  }),
);
process.exit(codes.some((code) => code !== 0) ? 1 : 0);

function prune(project) {
  const { stdout, stderr } = captureNode([tsc, '-p', project, '--showConfig']);
  let compilerOptions;
  try {
    ({ compilerOptions } = JSON.parse(stdout));
  } catch {
    failWith(`${project} cannot be read:\n${stdout}${stderr}`);
  }
  const base = dirname(resolve(root, project));
  const outDir = resolve(base, compilerOptions.outDir);
  const rootDir = resolve(base, compilerOptions.rootDir);
  if (!existsSync(outDir)) return;
  for (const entry of readdirSync(outDir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !OUTPUTS.test(entry.name)) continue;
    const file = join(entry.parentPath, entry.name);
    const source = join(rootDir, relative(outDir, file)).replace(OUTPUTS, '.ts');
    if (!existsSync(source)) rmSync(file);
  }
}
