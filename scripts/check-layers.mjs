/**
 * Checks the layers with the rules of `.dependency-cruiser.cjs`, and the rules themselves: each has a file in the
 * fixture that breaks it and says so, and a run that looked at too few modules is a failure, because the tool calls
 * an empty graph a success.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { captureNode, failWith, root, runNode } from './run-command.mjs';

const FIXTURE = join(root, 'spec/fixtures/layering-bad');
const CONFIG = join(root, '.dependency-cruiser.cjs');
const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');

/** The graph with type imports and dynamic ones, then the one that is loaded at once. */
const GRAPHS = ['full', 'static'];

function cruise(graph, cwd) {
  const { stdout, stderr } = captureNode(
    [cruiser, 'src', '--config', CONFIG, '--output-type', 'json'],
    { cwd, env: { ...process.env, LAYERS_GRAPH: graph } },
  );
  try {
    return JSON.parse(stdout);
  } catch {
    return failWith(`dependency-cruiser printed no graph of ${cwd}:\n${stdout}${stderr}`);
  }
}

function sourceFiles(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name));
}

const sources = sourceFiles(join(root, 'src')).length;
let failed = false;
for (const graph of GRAPHS) {
  const { modules, summary } = cruise(graph, root);
  const seen = modules.filter(({ source }) => source.startsWith('src/')).length;
  if (seen < sources) failWith(`dependency-cruiser saw ${seen} of ${sources} source files`);
  if (summary.violations.length === 0) continue;
  failed = true;
  await runNode([cruiser, 'src', '--config', CONFIG], {
    env: { ...process.env, LAYERS_GRAPH: graph },
  });
}

const broken = new Map();
for (const graph of GRAPHS) {
  for (const { from, rule } of cruise(graph, FIXTURE).summary.violations) {
    broken.set(`${from}: ${rule.name}`, true);
  }
}
const expected = sourceFiles(join(FIXTURE, 'src')).flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(/^\/\/ expect: (\S+)$/gm)].map(
    ([, rule]) => `${relative(FIXTURE, file)}: ${rule}`,
  ),
);
const silent = expected.filter((each) => !broken.has(each));
if (silent.length > 0) failWith(`layering rules that no longer work:\n${silent.join('\n')}`);

const named = new Set(expected.map((each) => each.split(': ')[1]));
const unproven = GRAPHS.flatMap((graph) => {
  process.env.LAYERS_GRAPH = graph;
  const require = createRequire(import.meta.url);
  delete require.cache[CONFIG];
  return require(CONFIG).forbidden.map(({ name }) => name);
}).filter((name) => !named.has(name));
if (unproven.length > 0) failWith(`layering rules without a fixture: ${unproven.join(', ')}`);
if (failed) process.exit(1);
console.log(`layers: ${sources} files keep them; ${named.size} rules fire on the fixture`);
