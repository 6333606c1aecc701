import { CacheManager, silentLogger } from 'cachewell';
import { InvalidOptionError } from '#internal/errors.js';
import type { WorldRow } from './world.js';

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

/** Options of a cache that decide where it is kept, and who loads. */
export interface KindRow {
  readonly name: string;
  readonly definition: Readonly<Record<string, unknown>>;
  /** Whether it is something else than any cache there. */
  isOf(world: WorldRow): boolean;
}

/** Caches with one load among all nodes, promise P2. */
export const CLUSTERED: KindRow = {
  name: 'one load among all',
  definition: { sync: 'cluster' },
  isOf: ({ hasLeases }) => hasLeases === true,
};
/** Caches that each process has for itself. */
export const OWN_TIER_ONLY: KindRow = {
  name: 'the own tier only',
  definition: { tiers: 'l1' },
  isOf: ({ hasOwnTiers }) => hasOwnTiers === true,
};
/** Caches of which no process has copies. */
export const SHARED_TIER_ONLY: KindRow = {
  name: 'the shared tier only',
  definition: { tiers: 'l2' },
  isOf: ({ hasOwnTiers }) => hasOwnTiers === true,
};
export const KINDS: readonly KindRow[] = [CLUSTERED, OWN_TIER_ONLY, SHARED_TIER_ONLY];
