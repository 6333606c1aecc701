import type { EntryWrite } from '../../cache/backend.js';
import type { PendingCall } from './call-deadlines.js';
import { STORE } from './fill-scripts.js';
import type { RedisLike } from './redis-like.js';
import type { RedisFillToken, RedisStoreParts } from './redis-parts.js';
import type { RedisScript } from './redis-script.js';
import { parseTagMarker, type TagMarker } from './tag-marker.js';

/** A write whose tags are compared before it is sent. */
export interface TaggedWrite {
  readonly write: EntryWrite;
  /** The number of a set, once it is known. */
  sequence: number | undefined;
  isRefused: boolean;
}

/** Where a cache's entries lie, and what of the work on them scripts can do: on one server all, tags included. */
export interface StoreSite {
  /** Whether scripts see entries and tags at once. */
  readonly seesTags: boolean;
  readonly storeScript: RedisScript;
  /** The parts of the place where a key lies. */
  partsOf(key: string): RedisStoreParts;
  /** The keys that a script of this place begins with. */
  namesOf(parts: RedisStoreParts): readonly string[];
  markers(client: RedisLike, tags: readonly string[]): Promise<Map<string, TagMarker>>;
  /** The token of a put for the key that it turned out to have. */
  tokenFor(token: RedisFillToken, key: string): RedisFillToken;
  /** Where scripts do not see tags: refuses writes by them, and sees to their markers. */
  readonly compareTags?: (
    client: RedisLike,
    call: PendingCall,
    writes: readonly TaggedWrite[],
  ) => Promise<void>;
  /** Where scripts cannot do it: makes a generation anew that was lost. */
  readonly recover?: (client: RedisLike, parts: RedisStoreParts) => Promise<void>;
}

/** The keys of one place among others, and where they stood. */
export interface KeyGroup {
  readonly parts: RedisStoreParts;
  readonly keys: readonly string[];
  readonly indexes: readonly number[];
}

/** One server: one place, and scripts do everything. */
export function serverSite(parts: RedisStoreParts): StoreSite {
  return {
    seesTags: true,
    storeScript: STORE,
    partsOf: () => parts,
    namesOf: ({ generation, keys }) => [generation.key, keys.sequence, keys.registry],
    markers: async (client, tags) => {
      const reply = await client.mgetBuffer(...parts.keys.markersOf(tags));
      return new Map(tags.map((tag, index) => [tag, parseTagMarker(reply[index])]));
    },
    tokenFor: (token) => token,
  };
}

/** Groups keys by their places. */
export function groupKeys(site: StoreSite, keys: readonly string[]): readonly KeyGroup[] {
  const groups = new Map<RedisStoreParts, { keys: string[]; indexes: number[] }>();
  keys.forEach((key, index) => {
    const parts = site.partsOf(key);
    const group = groups.get(parts) ?? { keys: [], indexes: [] };
    groups.set(parts, group);
    group.keys.push(key);
    group.indexes.push(index);
  });
  return [...groups].map(([parts, group]) => ({ parts, ...group }));
}
