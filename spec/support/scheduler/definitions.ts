import { CacheManager, silentLogger } from 'cachewell';
import { InvalidOptionError } from '#internal/errors.js';

/** Options of a cache under which it loads at other times than on a miss. */
export interface DefinitionRow {
  readonly name: string;
  readonly definition: Readonly<Record<string, unknown>>;
  /** How long the first values have been there when a scenario begins. In milliseconds. */
  readonly primedForMs: number;
  /** What has to happen beside the fill. */
  readonly beside?: string;
  /** What the library says of the options, where it does not know them yet. */
  readonly pending: string | undefined;
}

function row(given: Omit<DefinitionRow, 'pending'>): DefinitionRow {
  return { ...given, pending: refusal(given.definition) };
}

function refusal(definition: DefinitionRow['definition']): string | undefined {
  try {
    new CacheManager({ logger: silentLogger }).cache('probe', definition);
    return undefined;
  } catch (error) {
    if (error instanceof InvalidOptionError) return error.message;
    throw error;
  }
}

/** The ways of filling that options bring about. */
export const DEFINITIONS: readonly DefinitionRow[] = [
  row({
    name: 'a background refresh of a stale entry',
    definition: { ttl: '1s', staleWhileRevalidate: '1h' },
    primedForMs: 2_000,
  }),
  row({
    name: 'a refresh ahead',
    definition: { ttl: '1m', refreshAhead: 0.5 },
    primedForMs: 40_000,
  }),
  row({
    name: 'a late completion after a soft timeout',
    definition: { ttl: '1s', staleIfError: '1h', softTimeout: '10ms' },
    primedForMs: 2_000,
    beside: '20 ms pass',
  }),
];
