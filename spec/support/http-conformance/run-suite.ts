import { runName, type ConformanceRun } from './conformance-run.js';
import { startConformanceServer } from './conformance-server.js';
import { ConformanceSuite, type RawResults } from './suite.js';

/** What one process is asked to do, as JSON in its first argument. */
export interface RunRequest {
  readonly suitePath: string;
  readonly run: ConformanceRun;
  readonly redisUrl: string | undefined;
  /** How many tests run at a time. */
  readonly chunkSize: number;
  /** Only these tests or groups. Empty: all tests. */
  readonly only: readonly string[];
  /** Whether every message is printed. */
  readonly isVerbose: boolean;
}

/** What it sends back. */
export interface RunResult {
  readonly results: RawResults;
  /** How many requests the fast lane has answered. */
  readonly inFront: number;
  /** Failures of the cache itself. */
  readonly faults: readonly string[];
}

/**
 * Runs the suite once, in a process of its own, because the suite keeps results in its modules, and sends what came out to
 * the process that started it.
 */
const { suitePath, run, redisUrl, chunkSize, only, isVerbose } = JSON.parse(
  process.argv[2]!,
) as RunRequest;
const suite = await ConformanceSuite.load(suitePath);
const groups = only.length === 0 ? suite.groups : suite.select(only);
if (groups.length === 0) throw new Error(`The suite has no test or group ${only.join(', ')}.`);
if (isVerbose) for (const { tests } of groups) for (const test of tests) test.dump = true;
const server = await startConformanceServer(run, await suite.handlers(), redisUrl);
const results: RawResults = await suite.run(groups, server.base, chunkSize);
const { faults, inFront } = server;
const outcome: RunResult = { results, inFront, faults: [...faults] };
await server.close();
const send = process.send?.bind(process);
if (send === undefined) throw new Error(`${runName(run)} was not started by another process.`);
// Connections of the suite's client would keep the process alive for seconds.
send(outcome, undefined, undefined, () => process.exit());
