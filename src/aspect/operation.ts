import { expectCodec, expectCompress, expectSync, normalizeTags } from '../cache/cache-settings.js';
import {
  expectIdleAlone,
  expectTimeOption,
  PLAIN_TIMES,
  resolveTimes,
  RETENTION_OPTIONS,
  TIME_OPTIONS,
} from '../cache/time-settings.js';
import { toMilliseconds } from '../duration.js';
import { DecoratorUsageError, InvalidOptionError } from '../errors.js';
import {
  describeValue,
  expectBoolean,
  expectFunction,
  expectInteger,
  expectNumber,
  expectOneOf,
  expectOptions,
  expectText,
  rejectUnknown,
} from '../options.js';
import type {
  CacheableOptions,
  CacheConfigOptions,
  CacheEvictOptions,
  CachePutOptions,
} from './operation-options.js';

/** What a decorator asks for, checked. */
export type Operation =
  | { readonly kind: 'cacheable'; readonly options: CacheableOptions }
  | { readonly kind: 'put'; readonly options: CachePutOptions }
  | { readonly kind: 'evict'; readonly options: CacheEvictOptions };

const COMMON = ['cache', 'key', 'keyGenerator', 'condition', 'onError', 'manager'] as const;
const STORING = [
  ...COMMON,
  'unless',
  'ttl',
  'nullTtl',
  'jitter',
  'tags',
  'tagsOf',
  'compress',
  'codec',
  ...RETENTION_OPTIONS,
] as const;

const KNOWN: Readonly<Record<Operation['kind'], readonly string[]>> = {
  cacheable: [...STORING, ...TIME_OPTIONS, 'refresh', 'sync', 'each', 'cacheErrors'],
  put: [...STORING, 'keyOf'],
  evict: [...COMMON, 'keyOf', 'keys', 'allEntries', 'beforeInvocation', 'tags', 'pattern'],
};

const CONFIG = [
  'cache',
  'keyGenerator',
  'ttl',
  'nullTtl',
  'jitter',
  'sync',
  'tags',
  'onError',
  'compress',
  'codec',
  'manager',
  ...TIME_OPTIONS,
] as const;

const DECORATOR = { cacheable: 'Cacheable', put: 'CachePut', evict: 'CacheEvict' } as const;

/** The options that exclude each other. */
const EXCLUSIVE: Readonly<Record<Operation['kind'], readonly (readonly [string, string])[]>> = {
  cacheable: [
    ['key', 'keyGenerator'],
    ['key', 'each'],
    ['cacheErrors', 'each'],
  ],
  put: [
    ['key', 'keyGenerator'],
    ['keyOf', 'key'],
    ['keyOf', 'keyGenerator'],
  ],
  evict: [
    ['key', 'keyGenerator'],
    ['key', 'keys'],
    ['keyOf', 'key'],
    ['keyOf', 'keys'],
    ['keyOf', 'keyGenerator'],
    ['keyOf', 'beforeInvocation'],
    ['keys', 'keyGenerator'],
    ['allEntries', 'key'],
    ['allEntries', 'keys'],
    ['allEntries', 'keyOf'],
    ['allEntries', 'keyGenerator'],
    ['allEntries', 'pattern'],
  ],
};

/**
 * Checks the options of an operation and freezes them.
 *
 * @param member - the decorated member, for messages
 * @throws {@link InvalidOptionError} when an option is unknown or has no valid value
 * @throws {@link DecoratorUsageError} when two options exclude each other
 */
export function makeOperation<Kind extends Operation['kind']>(
  kind: Kind,
  options: object,
  member: PropertyKey,
): Operation {
  const decorator = DECORATOR[kind];
  const owner = `@${decorator} on '${String(member)}'`;
  expectOptions(owner, options);
  rejectUnknown(owner, options, KNOWN[kind]);
  const given = options as Readonly<Record<string, unknown>>;
  for (const [first, second] of EXCLUSIVE[kind]) {
    if (isOn(given[first]) && isOn(given[second])) {
      throw new DecoratorUsageError(
        decorator,
        member,
        `the options '${first}' and '${second}' exclude each other; keep one of them`,
      );
    }
  }
  for (const name of Object.keys(given)) {
    if (given[name] !== undefined) CHECKS[name]!(`${owner}.${name}`, given[name]);
  }
  expectIdleAlone(owner, resolveTimes(owner, given, PLAIN_TIMES));
  return Object.freeze({ kind, options: Object.freeze({ ...options }) }) as Operation;
}

/**
 * Checks the options of `@CacheConfig` and freezes them.
 *
 * @throws {@link InvalidOptionError} when an option is unknown or has no valid value
 */
export function makeClassConfig(options: object, className: string): CacheConfigOptions {
  const owner = `@CacheConfig on '${className}'`;
  expectOptions(owner, options);
  rejectUnknown(owner, options, CONFIG);
  const given = options as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(given)) {
    if (given[name] !== undefined) CHECKS[name]!(`${owner}.${name}`, given[name]);
  }
  expectIdleAlone(owner, resolveTimes(owner, given, PLAIN_TIMES));
  return Object.freeze({ ...options });
}

/** `false` switches an option off, so that it contradicts nothing. */
function isOn(value: unknown): boolean {
  return value !== undefined && value !== false;
}

type Check = (option: string, value: unknown) => unknown;

const duration: Check = (option, value) =>
  typeof value === 'function' ? undefined : toMilliseconds(value as number, option);

const tags: Check = (option, value) =>
  typeof value === 'function' ? undefined : normalizeTags(value, option);

const CHECKS: Readonly<Record<string, Check>> = {
  cache: expectCaches,
  key: expectFunction,
  keyOf: expectFunction,
  keys: expectFunction,
  keyGenerator: expectFunction,
  condition: expectFunction,
  unless: expectFunction,
  refresh: expectFunction,
  ttl: duration,
  nullTtl: duration,
  jitter: (option, value) => expectNumber(option, value, 0, 1),
  sync: expectSync,
  tags,
  tagsOf: expectFunction,
  onError: (option, value) => expectOneOf(option, value, ['bypass', 'throw']),
  compress: expectCompress,
  codec: expectCodec,
  manager: expectManagerOption,
  each: expectEach,
  cacheErrors: expectCachedErrors,
  allEntries: expectBoolean,
  beforeInvocation: expectBoolean,
  pattern: (option, value) => (typeof value === 'function' ? undefined : expectText(option, value)),
  ...Object.fromEntries(TIME_OPTIONS.map((name) => [name, expectTimeOption])),
};

function expectCaches(option: string, value: unknown): void {
  const all: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (all.length === 0) {
    throw new InvalidOptionError(option, 'expected at least one cache, got an empty list');
  }
  for (const each of all) {
    const name = typeof each === 'object' && each !== null && 'name' in each ? each.name : each;
    expectText(option, name);
  }
}

export function expectManagerOption(option: string, value: unknown): void {
  if ((typeof value === 'object' && value !== null) || typeof value === 'function') return;
  throw new InvalidOptionError(
    option,
    `expected a CacheManager or a function that gives one, got ${describeValue(value)}`,
  );
}

function expectEach(option: string, value: unknown): void {
  expectOptions(option, value);
  const each = value as NonNullable<CacheableOptions['each']>;
  rejectUnknown(option, each, ['arg', 'idOf']);
  expectInteger(`${option}.arg`, each.arg, 0, 1000);
  if (each.idOf !== undefined) expectFunction(`${option}.idOf`, each.idOf);
}

function expectCachedErrors(option: string, value: unknown): void {
  if (!Array.isArray(value)) {
    throw new InvalidOptionError(option, `expected a list of rules, got ${describeValue(value)}`);
  }
  for (const [index, rule] of value.entries()) {
    const at = `${option}[${index}]`;
    expectOptions(at, rule);
    rejectUnknown(at, rule as object, ['error', 'ttl', 'revive']);
    const { error, ttl, revive } = rule as { error: unknown; ttl?: unknown; revive?: unknown };
    expectFunction(`${at}.error`, error);
    if (ttl !== undefined) toMilliseconds(ttl as number, `${at}.ttl`);
    if (revive !== undefined) expectFunction(`${at}.revive`, revive);
  }
}
