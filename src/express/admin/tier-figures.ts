import type { BackendCapabilities } from '../../cache/backend.js';
import type { CacheStatistics } from '../../cache/cache-statistics.js';
import { latencyBody } from './admin-statistics.js';

/** What a store tells of itself. */
type Facts = Readonly<Record<string, string | number>>;

/**
 * What is known of each tier: from the statistics who answered how often, how fast, and with how many bytes; from the store's
 * facts what it keeps. A read asks the own tier first, and the shared one when that had nothing fresh.
 *
 * Only reads and writes that asked a store take a time worth measuring, so those of the own tier have none.
 */
export function tierFigures(
  sum: CacheStatistics,
  facts: Facts,
  { isShared, goesOnAlone = false }: BackendCapabilities,
): object[] {
  const { hitsByTier, latency, misses, stales, bytesRead, bytesWritten } = sum;
  // Without its shared tier only one that has another goes on.
  const isTiered = isShared && (goesOnAlone || hitsByTier.l1 > 0);
  const unanswered = misses + stales;
  const tiers: object[] = [];
  if (!isShared || isTiered) {
    const asked = hitsByTier.l1 + hitsByTier.l2 + unanswered;
    tiers.push({
      tier: 'l1',
      hits: hitsByTier.l1,
      hit_rate: rate(hitsByTier.l1, asked),
      ...keptFacts(facts, isTiered ? 'l1.' : ''),
    });
  }
  if (isShared) {
    tiers.push({
      tier: 'l2',
      hits: hitsByTier.l2,
      hit_rate: rate(hitsByTier.l2, hitsByTier.l2 + unanswered),
      ...keptFacts(facts, isTiered ? 'l2.' : ''),
      bytes_read: bytesRead,
      bytes_written: bytesWritten,
      read: latencyBody(latency.read),
      write: latencyBody(latency.write),
    });
  }
  return tiers;
}

/** Names of facts, and what they are called here. `used_memory_human` is that of a whole server. */
const KEPT: readonly (readonly [fact: string, figure: string])[] = [
  ['entries', 'entries'],
  ['maxEntries', 'max_entries'],
  ['bytes', 'bytes'],
  ['maxBytes', 'max_bytes'],
  ['used_memory_human', 'server_memory'],
];

function keptFacts(facts: Facts, prefix: string): Facts {
  const kept: Record<string, string | number> = {};
  for (const [fact, figure] of KEPT) {
    const value = facts[prefix + fact];
    if (value !== undefined) kept[figure] = value;
  }
  return kept;
}

/** `null` where there is nothing to tell. */
function rate(hits: number, asked: number): number | null {
  return asked === 0 ? null : Math.round((hits / asked) * 1000) / 1000;
}
