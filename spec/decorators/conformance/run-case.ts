import { inspect } from 'node:util';
import { CacheManager, silentLogger, type CacheBackend } from 'cachewell';
import { METHOD_ERROR, type Counters, type Outcome, type Step } from './conformance-case.js';
import { decoratedHost, type Style } from './decorated-host.js';
import type { OperationSpec } from './operation-spec.js';

/** Does what a case says with the library, and writes down what happens. */
export async function runCase(
  backend: CacheBackend,
  operations: readonly OperationSpec[],
  steps: readonly Step[],
  style: Style,
): Promise<Outcome> {
  await using manager = new CacheManager({ backend, logger: silentLogger });
  const trace: string[] = [];
  followEvents(manager, trace);
  const asked = new Map<string, number>();
  let outcome: Step | undefined;
  const host = decoratedHost(
    operations,
    style,
    manager,
    async (...args) => {
      trace.push(`run ${args.join(',')}`);
      if (outcome === undefined || 'seed' in outcome) throw new Error('the method ran by itself');
      if (outcome.throws === true) throw METHOD_ERROR;
      return outcome.gives;
    },
    (operation, option) => {
      const name = `${option} of operation ${operation + 1}`;
      asked.set(name, (asked.get(name) ?? 0) + 1);
    },
  );
  for (const step of steps) {
    if ('seed' in step) {
      const [cache, key] = step.seed.split('/') as [string, string];
      const part = /^\d+$/.test(key) ? Number(key) : key;
      await manager.cache(cache).set(part, step.value, { tags: step.tags });
      continue;
    }
    outcome = step;
    asked.clear();
    trace.push(await settled(host.answer(...step.call)));
    for (const [name, times] of asked) {
      if (times > 1) trace.push(`${name} was asked ${times} times`);
    }
  }
  const result = {
    trace: inPhases(trace),
    contents: await contentsOf(manager),
    counters: countersOf(manager),
  };
  expectNothingHeld(manager, trace);
  return result;
}

/** The outcome as text, so that a difference is a difference of lines. */
export function outcomeText({ trace, contents, counters }: Outcome): string {
  const entries = Object.entries(contents).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    ...inPhases(trace),
    '--- contents',
    ...entries.map(([place, value]) => `${place}: ${inspect(value)}`),
    '--- counters',
    ...Object.entries(counters).map(([name, value]) => `${name}: ${String(value)}`),
  ].join('\n');
}

async function settled(answer: Promise<unknown>): Promise<string> {
  try {
    return `= ${inspect(await answer)}`;
  } catch (error) {
    if (error === METHOD_ERROR) return `! ${METHOD_ERROR.message}`;
    return `! ${error instanceof Error ? error.constructor.name : String(error)}`;
  }
}

function followEvents(manager: CacheManager, trace: string[]): void {
  manager.on('hit', ({ cache, key }) => trace.push(`hit ${cache}/${key}`));
  manager.on('miss', ({ cache, key }) => trace.push(`miss ${cache}/${key}`));
  manager.on('set', ({ cache, key }) => trace.push(`set ${cache}/${key}`));
  manager.on('invalidate', (event) => {
    if (event.scope === 'keys') trace.push(`evict ${event.cache}/${event.keys.join(',')}`);
    else if (event.scope === 'pattern') trace.push(`evict ${event.cache}~${event.pattern}`);
    else if (event.scope === 'cache') trace.push(`clear ${event.cache}`);
    else if (event.scope === 'tags') trace.push(`tags ${event.tags.join(',')}`);
    else trace.push('clear all');
  });
}

/** Stores of one phase, and evicts of one phase, run side by side: their order among themselves means nothing. */
function inPhases(trace: readonly string[]): readonly string[] {
  const phases: string[][] = [];
  let last = '';
  for (const line of trace) {
    const phase = line.startsWith('set ')
      ? 'set'
      : /^(?:evict|clear|tags) /.test(line)
        ? 'evict'
        : '';
    if (phase !== '' && phase === last) phases.at(-1)!.push(line);
    else phases.push([line]);
    last = phase;
  }
  return phases.flatMap((lines) => lines.sort());
}

async function contentsOf(manager: CacheManager): Promise<Record<string, unknown>> {
  const contents: Record<string, unknown> = {};
  for (const name of manager.caches()) {
    for await (const [key, value] of manager.cache(name)) contents[`${name}/${key}`] = value;
  }
  return contents;
}

function countersOf(manager: CacheManager): Counters {
  const { hits, misses, sets, deletes, loads, errors } = manager.statistics();
  return { hits, misses, sets, deletes, loads, errors };
}

/** Whatever happened: no load may be left for others to join, and no token for the store to remember. */
function expectNothingHeld(manager: CacheManager, trace: readonly string[]): void {
  const held = manager.caches().reduce((sum, name) => sum + manager.core(name).flights.size, 0);
  const loading = heldTokens(manager.backend);
  if (held === 0 && loading === 0) return;
  throw new Error(
    `${held} flights and ${loading} tokens are left over after:\n${trace.join('\n')}`,
  );
}

function heldTokens(backend: CacheBackend): number {
  if (backend.name !== 'memory') return 0;
  return Number((backend.info() as { loading?: number }).loading ?? 0);
}
