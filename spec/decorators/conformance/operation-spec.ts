import type { CachingOptions } from 'cachewell';

/**
 * An operation as data, so that one description can be turned into decorator options for the library and be read by
 * the model that says what Spring would do.
 */
export interface OperationSpec {
  readonly kind: 'cacheable' | 'put' | 'evict';
  /** @defaultValue ['a'] */
  readonly caches?: readonly string[];
  /** All arguments; the first one; always 'k'; a function that throws. @defaultValue 'args' */
  readonly key?: 'args' | 'first' | 'constant' | 'throws';
  /** From the `id` of the result. */
  readonly keyOf?: true;
  /** Evicts the first argument and the one after it. */
  readonly keys?: true;
  /** Always so, or only while the first argument is odd. */
  readonly condition?: boolean | 'odd' | 'throws';
  /** Always so, or for `null` only. */
  readonly unless?: boolean | 'null' | 'throws';
  readonly refresh?: true;
  readonly sync?: false;
  readonly ttl?: 0 | '5m';
  readonly nullTtl?: 0 | '1m';
  /** `all` is fixed, `arg` is the tag `arg:<first argument>`, `result` is `id:<id of the result>` by `tagsOf`. */
  readonly tags?: 'all' | 'arg' | 'result';
  /** Evicts by tag: `all`, or `arg:<first argument>`. */
  readonly evictTags?: 'all' | 'arg';
  readonly pattern?: string;
  readonly allEntries?: true;
  readonly before?: true;
}

/** Is told that a callback of an operation was called: the operation's number and the option. */
export type Asked = (operation: number, option: string) => void;

type Options = Record<string, unknown>;

/** The options of `@Caching`, or of one stacked decorator, that a list of operations stands for. */
export function cachingOptions(
  operations: readonly OperationSpec[],
  asked: Asked,
  firstNumber = 0,
): CachingOptions {
  const caching: Record<OperationSpec['kind'], Options[]> = { cacheable: [], put: [], evict: [] };
  operations.forEach((operation, index) =>
    caching[operation.kind].push(optionsOf(operation, firstNumber + index, asked)),
  );
  return caching as CachingOptions;
}

/** One operation in words, for titles. */
export function describeOperation({ kind, caches, ...details }: OperationSpec): string {
  const words = Object.entries(details).map(([name, value]) =>
    value === true ? name : `${name} ${String(value)}`,
  );
  const where = caches === undefined ? '' : ` in ${caches.join('+')}`;
  return `${kind}${where}${words.length === 0 ? '' : ` (${words.join(', ')})`}`;
}

function optionsOf(operation: OperationSpec, number: number, asked: Asked): Options {
  const { caches = ['a'], kind, tags } = operation;
  const options: Options = { cache: caches.length === 1 ? caches[0] : caches };
  const callback = (option: string, body: (...args: never[]) => unknown): void => {
    options[option] = (...args: never[]) => {
      asked(number, option);
      return body(...args);
    };
  };
  if (operation.key === 'first') callback('key', (first: number) => first);
  if (operation.key === 'constant') callback('key', () => 'k');
  if (operation.key === 'throws') callback('key', fail);
  if (operation.keyOf === true) callback('keyOf', (result: { id: number }) => result.id);
  if (operation.keys === true) callback('keys', (first: number) => [[first], first + 1]);
  if (operation.condition === 'odd') callback('condition', (first: number) => first % 2 === 1);
  else if (operation.condition === 'throws') callback('condition', fail);
  else if (operation.condition !== undefined) callback('condition', () => operation.condition);
  if (operation.unless === 'null') callback('unless', (result: unknown) => result === null);
  else if (operation.unless === 'throws') callback('unless', fail);
  else if (operation.unless !== undefined) callback('unless', () => operation.unless);
  if (operation.refresh === true) callback('refresh', () => true);
  if (tags === 'all') options['tags'] = ['all'];
  if (tags === 'arg') callback('tags', (first: number) => [`arg:${first}`]);
  if (tags === 'result') callback('tagsOf', (result: { id: number }) => [`id:${result.id}`]);
  if (operation.evictTags === 'all') options['tags'] = ['all'];
  if (operation.evictTags === 'arg') callback('tags', (first: number) => [`arg:${first}`]);
  for (const name of ['sync', 'ttl', 'nullTtl', 'pattern', 'allEntries'] as const) {
    if (operation[name] !== undefined) options[name] = operation[name];
  }
  if (operation.before === true && kind === 'evict') options['beforeInvocation'] = true;
  return options;
}

function fail(): never {
  throw new TypeError('a callback of the case failed');
}
