/**
 * Lints the repository, then proves on a fixture that the rules still fire: each file there names, in its first
 * line, the rule that it breaks.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { binary, captureNode, failWith, root, runNode } from './run-command.mjs';

const FIXTURE = 'spec/fixtures/lint-bad';
const oxlint = binary('oxlint');

const code = await runNode([oxlint]);
if (code !== 0) process.exit(code);

// A configuration of its own, because the repository's ignores the fixtures.
const { stdout, stderr } = captureNode([
  oxlint,
  '--type-aware',
  `--config=${FIXTURE}/oxlint.json`,
  '--format=json',
  `${FIXTURE}/src`,
]);
let diagnostics;
try {
  ({ diagnostics } = JSON.parse(stdout));
} catch {
  failWith(`oxlint printed no JSON for ${FIXTURE}:\n${stdout}${stderr}`);
}

const silent = [];
let expectations = 0;
const directory = join(root, FIXTURE, 'src');
for (const file of readdirSync(directory)) {
  const [, rule] = /^\/\/ expect: (\S+)/.exec(readFileSync(join(directory, file), 'utf8')) ?? [];
  if (rule === undefined) continue;
  expectations++;
  const fired = diagnostics.some((each) => basename(each.filename) === file && each.code === rule);
  if (!fired) silent.push(`${file}: ${rule} did not fire`);
}
if (expectations === 0) failWith(`no fixture in ${FIXTURE}`);
if (silent.length > 0) failWith(`rules that no longer work:\n${silent.join('\n')}`);
console.log(`lint: clean; ${expectations} rules fire on the fixture`);
