import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { KINDS, type Judged, type Kind, type Verdict } from './verdicts.js';

/** One test of the suite, as far as it matters here. */
export interface SuiteTest {
  readonly id: string;
  readonly name: string;
  /** Absent: required. */
  readonly kind?: Kind;
  readonly browser_only?: boolean;
  readonly depends_on?: readonly string[];
  /** Has the suite print every message of the test. */
  dump?: boolean;
}

/** Tests of one subject: the categories of the report. */
export interface SuiteGroup {
  readonly id: string;
  readonly name: string;
  readonly tests: readonly SuiteTest[];
}

/** What a test said: that it holds, or the name and the message of an error. */
export type RawResults = Readonly<Record<string, true | readonly [string, string]>>;

/** A handler of the suite's own origin server: it gets the segments behind the first one of the path. */
export type SuiteHandler = (
  segments: readonly string[],
  request: Pick<IncomingMessage, 'method' | 'url' | 'headers'>,
  response: ServerResponse,
) => void;

/** The two routes of the suite's origin that a test is steered by, and the one that is to be cached. */
export interface SuiteHandlers {
  readonly config: SuiteHandler;
  readonly state: SuiteHandler;
  readonly test: SuiteHandler;
}

interface Runner {
  runTests(
    groups: readonly SuiteGroup[],
    browserCache: boolean,
    base: string,
    chunkSize: number,
  ): Promise<void>;
  getResults(): RawResults;
}

interface ResultRules {
  readonly resultTypes: Readonly<Record<Verdict, unknown>>;
  determineTestResult(groups: readonly SuiteGroup[], id: string, results: RawResults): unknown;
}

/**
 * The suite `http-tests/cache-tests`, in a checkout that the user names. It is used as it is: its tests, its client, the
 * handlers of its origin, and its own rules of what passes.
 */
export class ConformanceSuite {
  /** Its version, and a digest of its tests: the version does not change when they do. */
  readonly version: string;
  readonly groups: readonly SuiteGroup[];
  readonly #path: string;
  readonly #rules: ResultRules;

  private constructor(path: string, groups: readonly SuiteGroup[], rules: ResultRules) {
    this.#path = path;
    this.#rules = rules;
    this.groups = groups;
    const digest = createHash('sha256').update(JSON.stringify(groups)).digest('hex');
    const manifest = readFileSync(join(path, 'package.json'), 'utf8');
    const { version } = JSON.parse(manifest) as { readonly version: string };
    this.version = `${version}-${digest.slice(0, 12)}`;
  }

  static async load(path: string): Promise<ConformanceSuite> {
    const root = resolve(path);
    const tests = await load<{ default: readonly SuiteGroup[] }>(root, 'tests/index.mjs');
    const rules = await load<ResultRules>(root, 'test-engine/lib/results.mjs');
    const groups = tests.default.map(({ id, name, tests: all }) => ({
      id,
      name,
      tests: all.filter(({ browser_only: isForBrowsers }) => isForBrowsers !== true),
    }));
    return new ConformanceSuite(root, groups, rules);
  }

  async handlers(): Promise<SuiteHandlers> {
    const handler = async (name: string): Promise<SuiteHandler> =>
      (await load<{ default: SuiteHandler }>(this.#path, `test-engine/server/handle-${name}.mjs`))
        .default;
    return {
      config: await handler('config'),
      state: await handler('state'),
      test: await handler('test'),
    };
  }

  /**
   * Runs tests against a server. The suite keeps results, and parts of its tests, in its modules: a process can do this
   * once.
   *
   * @param chunkSize - how many tests run at a time
   */
  async run(groups: readonly SuiteGroup[], base: string, chunkSize: number): Promise<RawResults> {
    const runner = await load<Runner>(this.#path, 'test-engine/client/runner.mjs');
    await runner.runTests(groups, false, base, chunkSize);
    return runner.getResults();
  }

  /** The groups with only those tests whose id, or whose group's id, is named. */
  select(names: readonly string[]): readonly SuiteGroup[] {
    return this.groups
      .map((group) => ({
        ...group,
        tests: group.tests.filter(({ id }) => names.includes(id) || names.includes(group.id)),
      }))
      .filter(({ tests }) => tests.length > 0);
  }

  /** The tests that a verdict hangs on: the test itself, and those that it builds upon. */
  basesOf(id: string): readonly string[] {
    const test = this.groups.flatMap(({ tests }) => tests).find((each) => each.id === id);
    return [id, ...(test?.depends_on ?? []).flatMap((each) => this.basesOf(each))];
  }

  /** Every test of the suite with its verdict, in the order of the suite. */
  judge(results: RawResults): readonly Judged[] {
    const words = new Map<unknown, Verdict>(
      (Object.keys(this.#rules.resultTypes) as Verdict[]).map((word) => [
        this.#rules.resultTypes[word],
        word,
      ]),
    );
    return this.groups.flatMap((group) =>
      group.tests.map(({ id, kind = 'required' }) => {
        if (!KINDS.includes(kind)) throw new Error(`${id} is of an unknown kind: ${kind}`);
        const verdict = words.get(this.#rules.determineTestResult(this.groups, id, results));
        if (verdict === undefined) throw new Error(`The suite gives ${id} no verdict.`);
        return { group: group.id, id, kind, verdict };
      }),
    );
  }
}

async function load<Module>(root: string, path: string): Promise<Module> {
  return (await import(pathToFileURL(join(root, path)).href)) as Module;
}
