import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import ts from 'typescript';
import { packageRoot } from '../support/package-root.js';

/**
 * Where the defaults of an interface's options are in the code, for those whose place cannot be told from their names.
 *
 * Told from the names are: an interface `XOptions` whose defaults `resolveXOptions({})` gives, a class whose defaults
 * `new TheClass()` holds, and what the interface's own file puts in where the option is absent: `{ option = value }` or
 * `options.option ?? value`. An option `ttl` may be resolved as `ttlMs`, a `limit` as `limitBytes`, a claim `strict`
 * as `isStrict`.
 */
const DEFAULTS: Readonly<Record<string, (exported: Exported) => object>> = {
  CacheDefinition: (exported) => exported('BUILT_IN_DEFAULTS') as object,
  KeysOptions: (exported) => ({ count: exported('DEFAULT_KEYS_COUNT') }),
  WarmOptions: (exported) => ({ concurrency: exported('DEFAULT_WARM_CONCURRENCY') }),
  CloseOptions: (exported) => ({ timeout: exported('DEFAULT_CLOSE_TIMEOUT') }),
  CacheOptions: (exported) => managerDefaults(exported),
  CacheManagerOptions: (exported) => managerDefaults(exported),
  MemoryBackendOptions: (exported) => {
    const resolve = exported('resolveMemoryBackendOptions') as (options: object) => {
      readonly policy: () => object;
    };
    const LruPolicy = exported('LruPolicy') as new () => object;
    const resolved = resolve({});
    return { ...resolved, policy: resolved.policy() instanceof LruPolicy ? 'lru' : 'another' };
  },
  CacheSpace: (exported) => exported('DEFAULT_SPACE') as object,
  TieredBackendOptions: (exported) => ({
    maxStaleness: exported('DEFAULT_MAX_STALENESS'),
    heartbeat: exported('DEFAULT_HEARTBEAT'),
  }),
  RedisEndpointOptions: (exported) => exported('DEFAULT_REDIS_ENDPOINT') as object,
  RedisBackendOptions: (exported) => ({
    ...(exported('resolveRedisBackendOptions') as (options: object) => object)({}),
    ...(exported('DEFAULT_REDIS_ENDPOINT') as object),
    ...(exported('DEFAULT_REDIS_TIMES') as object),
  }),
  RedisWaitOptions: (exported) =>
    (exported('resolveWait') as (option: string, wait: object) => object)('wait', { replicas: 1 }),
  RedisBusOptions: (exported) => exported('DEFAULT_REDIS_TIMES') as object,
  ConsistencyOptions: (exported) =>
    (exported('resolveConsistencyOptions') as (options: object) => object)({
      subject: new URL('file:///subject.js'),
    }),
  HttpCacheOptions: (exported) => ({
    ...(exported('resolveHttpCachePolicyOptions') as (options: object) => object)({}),
    ...(exported('resolveHttpCacheOptions') as (options: object) => object)({}),
  }),
  HttpInvalidationOptions: (exported) => ({
    scope: exported('DEFAULT_INVALIDATION_SCOPE'),
    basePath: exported('DEFAULT_BASE_PATH'),
    invalidateTiming: exported('DEFAULT_INVALIDATE_TIMING'),
  }),
  RateLimitOptions: (exported) =>
    (exported('resolveRateLimitOptions') as (rate: string, options: object) => object)('1/s', {}),
  SetupCacheOptions: (exported) => ({ closeTimeout: exported('DEFAULT_SETUP_CLOSE_TIMEOUT') }),
  CacheDeserializationErrorOptions: (exported) =>
    new (exported('CacheDeserializationError') as new (message: string) => object)('message'),
};

type Exported = (name: string) => unknown;

interface DocumentedDefault {
  readonly owner: string;
  readonly kind: 'interface' | 'class';
  readonly property: string;
  readonly text: string;
  readonly place: string;
  readonly source: ts.SourceFile;
}

const UNIT_IN_WORDS =
  /^`?[\d_.]+\s*(?:[KMG]i?B|bytes|ms|s|m|h|d|milliseconds|seconds?|minutes?|hours?|days?)\b/i;
const LITERAL = /^(?:-?\d[\d_]*(?:\.\d+)?|'[^']*'|true|false|Infinity|undefined)$/;

describe('documented defaults', function () {
  this.timeout(30_000);

  const documented = sourceFiles().flatMap(documentedDefaults);
  let exports: ReadonlyMap<string, unknown>;

  before(async () => {
    exports = await everyExport();
  });

  it('are found in the source', () => {
    expect(documented.length).to.be.greaterThan(20);
  });

  for (const { owner, kind, property, text, place, source } of documented) {
    const value = text.replace(/^`(.*)`$/, '$1').replace(/^(\S+) \([^()]+\)$/, '$1');
    if (!LITERAL.test(value)) {
      it(`${owner}.${property} is described in words, when it is no literal`, () => {
        expect(
          text,
          `${place}: write a number or a duration alone, as in 1024 or '5s'`,
        ).not.to.match(UNIT_IN_WORDS);
      });
      continue;
    }

    it(`${owner}.${property} is ${value}, as its comment says`, () => {
      const literal = readLiteral(value);
      const found = defaultsOf(owner, kind, property, source);
      // An absent flag is off: there is no code that could say something else.
      if (found.length === 0 && (literal === false || literal === undefined)) return;
      expect(
        found,
        `${place}: say in ${TABLE} where the defaults of ${owner} are`,
      ).not.to.deep.equal([]);
      for (const each of found) {
        const actual = literal === false ? (each ?? false) : each;
        expect(comparable(actual), place).to.deep.equal(comparable(literal));
      }
    });
  }

  /** What the code takes for an absent option: one value, or the same at several places. */
  function defaultsOf(
    owner: string,
    kind: 'interface' | 'class',
    property: string,
    source: ts.SourceFile,
  ): readonly unknown[] {
    const exported: Exported = (name) => {
      if (!exports.has(name)) throw new Error(`the code exports no ${name}`);
      return exports.get(name);
    };
    const row = DEFAULTS[owner];
    if (row !== undefined) return [valueOf(row(exported), property)];
    const resolver = kind === 'interface' ? exports.get(`resolve${owner}`) : undefined;
    if (typeof resolver === 'function') {
      return [valueOf((resolver as (options: object) => object)({}), property)];
    }
    const constructor = kind === 'class' ? exports.get(owner) : undefined;
    if (typeof constructor === 'function') {
      return [valueOf(new (constructor as new () => object)(), property)];
    }
    return inlineDefaults(source, property)
      .map((text) => readDefault(text, exports))
      .filter((each) => each !== undefined)
      .map((each) => each.value);
  }
});

const TABLE = 'the table of spec/package/defaults.spec.ts';

/** What a file puts in where an option is absent, as written: a literal, or the name of a constant. */
function inlineDefaults(source: ts.SourceFile, property: string): readonly string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isBindingElement(node) && node.initializer !== undefined) {
      if ((node.propertyName ?? node.name).getText(source) === property) {
        found.push(node.initializer.getText(source));
      }
    }
    if (
      ts.isBinaryExpression(node) &&
      node.operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken &&
      ts.isPropertyAccessExpression(node.left) &&
      node.left.name.text === property
    ) {
      found.push(node.right.getText(source));
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function managerDefaults(exported: Exported): object {
  const resolve = exported('resolveManagerOptions') as (options: object) => { isStrict: boolean };
  const resolved = resolve({});
  return { ...resolved, strictCaches: resolved.isStrict };
}

/** The value of an option in the resolved form, where it may stand in a group of its own. */
function valueOf(defaults: object, property: string): unknown {
  const claim = `is${property.charAt(0).toUpperCase()}${property.slice(1)}`;
  const groups = Object.values(defaults).filter((value) =>
    isPlainObject(value),
  ) as readonly object[];
  for (const group of [defaults, ...groups]) {
    const name = [property, `${property}Ms`, `${property}Bytes`, claim].find(
      (each) => each in group,
    );
    if (name !== undefined) return (group as Readonly<Record<string, unknown>>)[name];
  }
  return undefined;
}

function isPlainObject(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.getPrototypeOf(value) === Object.prototype;
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Durations as milliseconds, so that `'1h'` and 3600000 are the same. */
function comparable(value: unknown): unknown {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(String(value)) ?? [];
  return amount === undefined ? value : Number(amount) * UNIT_MS[unit]!;
}

function readLiteral(text: string): unknown {
  if (text === 'undefined') return undefined;
  if (text === 'true' || text === 'false') return text === 'true';
  return text.startsWith("'") ? text.slice(1, -1) : Number(text.replaceAll('_', ''));
}

/** A default as the code writes it: a literal, the name of a constant, or a product such as `64 * 1024`. */
function readDefault(
  text: string,
  exports: ReadonlyMap<string, unknown>,
): { readonly value: unknown } | undefined {
  if (LITERAL.test(text)) return { value: readLiteral(text) };
  if (exports.has(text)) return { value: exports.get(text) };
  if (!/^\d[\d_]*(?: \* \d[\d_]*)+$/.test(text)) return undefined;
  return {
    value: text
      .split(' * ')
      .reduce((product, factor) => product * Number(factor.replaceAll('_', '')), 1),
  };
}

function sourceFiles(): readonly string[] {
  return readdirSync(join(packageRoot, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .sort();
}

function documentedDefaults(file: string): readonly DocumentedDefault[] {
  const text = readFileSync(join(packageRoot, 'src', file), 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  const found: DocumentedDefault[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isInterfaceDeclaration(node) || ts.isClassDeclaration(node)) {
      for (const member of node.members) {
        for (const tag of ts.getJSDocTags(member)) {
          if (tag.tagName.text !== 'defaultValue') continue;
          const { line } = source.getLineAndCharacterOfPosition(tag.getStart(source));
          found.push({
            owner: node.name?.text ?? 'anonymous',
            kind: ts.isClassDeclaration(node) ? 'class' : 'interface',
            property: member.name?.getText(source) ?? 'anonymous',
            text: (ts.getTextOfJSDocComment(tag.comment) ?? '').trim(),
            place: `src/${file}:${line + 1}`,
            source,
          });
        }
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** What the modules of the build export, by name. */
async function everyExport(): Promise<ReadonlyMap<string, unknown>> {
  const dist = join(packageRoot, 'dist');
  const all = new Map<string, unknown>();
  // tsyringe cannot be imported before the polyfill, and a file alone does not import it.
  await import('reflect-metadata');
  for (const file of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.js')) continue;
    const namespace = (await import(pathToFileURL(join(dist, file)).href)) as Record<
      string,
      unknown
    >;
    for (const [name, value] of Object.entries(namespace)) all.set(name, value);
  }
  return all;
}
