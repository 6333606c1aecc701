import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the checkout, seen from the compiled file. */
export const root: string = fileURLToPath(new URL('../../../', import.meta.url));

/** Where and when figures were measured: without it they say nothing. */
export interface Environment {
  /** The day, in UTC. */
  readonly date: string;
  /** Abbreviated; with `+` when files differed from it. */
  readonly commit: string;
  readonly node: string;
  readonly v8: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  /** Mean number of processes that wanted a core in the last minute, this one included. */
  readonly load: number;
  readonly versions: Readonly<Record<string, string>>;
}

/** @param packages - whose installed versions belong to the figures */
export function describeEnvironment(packages: readonly string[]): Environment {
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: commitName(),
    node: process.version,
    v8: process.versions.v8,
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown processor',
    cores: availableParallelism(),
    load: Math.round(loadavg()[0]! * 10) / 10,
    versions: Object.fromEntries(packages.map((name) => [name, installedVersion(name)])),
  };
}

/** One line for a report. */
export function environmentLine({
  date,
  commit,
  node,
  cpu,
  cores,
  platform,
  load,
  versions,
}: Environment): string {
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${date}, commit ${commit}, Node ${node} on ${platform}, ${cores} x ${cpu}, load ${load}`,
    ...packages,
  ].join(', ');
}

function commitName(): string {
  try {
    const commit = git('rev-parse', '--short=10', 'HEAD');
    return git('status', '--porcelain', '--', 'src', 'benchmarks/**/*.ts', 'package-lock.json') ===
      ''
      ? commit
      : `${commit}+`;
  } catch {
    // Not a checkout, or one without a commit.
    return 'none';
  }
}

function git(...args: string[]): string {
  return execFileSync('git', args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
}

function installedVersion(name: string): string {
  try {
    const manifest = readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8');
    return (JSON.parse(manifest) as { readonly version: string }).version;
  } catch {
    return 'not installed';
  }
}
