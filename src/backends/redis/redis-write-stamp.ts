import type { EntryWrite } from '../../cache/backend.js';
import type { StoreSite } from './store-site.js';
import { newLineage, type RedisFillToken, type RedisStoreParts } from './redis-parts.js';

/** What the script is told about a write, and what stands in its frame. */
export interface WriteStamp {
  /** Fill, put or set, as the script names them. */
  readonly kind: 'f' | 'p' | 's';
  /** The lineage that must hold. */
  readonly lineage: string;
  /** The lineage of the new entry. */
  readonly frameLineage: number;
  readonly generation: number;
  readonly sequence: number;
}

/**
 * The stamp of a write, by its token or, for a set, by what is known now; `undefined` for a foreign token.
 *
 * @param sequence - of a set
 */
export function stampOf(
  { fence, key }: EntryWrite,
  parts: RedisStoreParts,
  site: StoreSite,
  sequence: number,
): WriteStamp | undefined {
  if (fence.kind === 'set') {
    return {
      kind: 's',
      lineage: '0',
      frameLineage: newLineage(),
      generation: parts.generation.value ?? 0,
      sequence,
    };
  }
  const token = site.tokenFor(fence.token as RedisFillToken, key);
  const { lineage, generation } = token;
  if (typeof lineage !== 'string' || typeof generation !== 'number') return undefined;
  const isFill = fence.kind === 'fill';
  return {
    kind: isFill ? 'f' : 'p',
    lineage,
    frameLineage: isFill ? Number(lineage) : newLineage(),
    generation,
    sequence: token.sequence,
  };
}

/** A lifetime as scripts take it: whole milliseconds, 0 = without end. */
export function lifetimeText(milliseconds: number): string {
  if (milliseconds === Infinity) return '0';
  return String(Math.max(1, Math.ceil(Math.min(milliseconds, 2 ** 48))));
}

/**
 * How long the markers of an entry's tags are kept: as long as the entry can live at all, which is longer than it is
 * kept now where reads keep it alive. An entry without its markers is void.
 */
export function markerLifetimeMs(
  { expiresAt, retainedUntil }: Pick<EntryWrite['entry'], 'expiresAt' | 'retainedUntil'>,
  now: number,
): number {
  return Math.max(expiresAt, retainedUntil) - now;
}
