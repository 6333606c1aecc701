import { CacheBackendError } from '../../errors.js';
import type { PendingCall } from './call-deadlines.js';
import type { ClusterHead } from './cluster-head.js';
import { bucketKey, bucketOf, BUCKETS } from './cluster-keys.js';
import { BUCKET_RAISE, BUCKET_STORE } from './cluster-scripts.js';
import type { ClusterTags } from './cluster-tags.js';
import type { RedisLike } from './redis-like.js';
import { entryPrefix } from './redis-keys.js';
import type { RedisFillToken, RedisStoreParts } from './redis-parts.js';
import { runScript, type RedisScript } from './redis-script.js';
import { RedisStamp } from './redis-stamp.js';
import { lifetimeText, markerLifetimeMs } from './redis-write-stamp.js';
import type { StoreSite, TaggedWrite } from './store-site.js';
import { isVoidBy, type TagMarker } from './tag-marker.js';

/** What a store on a Cluster shares with the backend. */
export interface ClusterParts {
  readonly head: ClusterHead;
  readonly tags: ClusterTags;
  /** Of the head's numbers. */
  readonly stamp: RedisStamp;
}

/** A put's token for any key: one for each bucket. */
export interface ClusterWatchToken extends RedisFillToken {
  readonly buckets: readonly { readonly generation: number; readonly lineage: string }[];
}

/** So often a number is taken anew because others were faster; each time at least one of them got through. */
const MOST_RAISES = 64;

/** The buckets of one cache on a Cluster. */
export class ClusterPlaces implements StoreSite {
  readonly seesTags = false;
  readonly storeScript: RedisScript = BUCKET_STORE;
  /** The name of the cache: what stands before a bucket's digit. */
  readonly cache: string;
  readonly buckets: readonly RedisStoreParts[];
  readonly #cluster: ClusterParts;

  /** @param parts - what the buckets share; their generations and clocks are their own */
  constructor(cache: string, parts: RedisStoreParts, cluster: ClusterParts) {
    this.cache = cache;
    this.#cluster = cluster;
    this.buckets = Array.from({ length: BUCKETS }, (_, bucket): RedisStoreParts => {
      const key = bucketKey(cache, bucket);
      const generation = { key, entryPrefix: entryPrefix(key), value: undefined };
      return { ...parts, generation, stamp: new RedisStamp() };
    });
  }

  partsOf(key: string): RedisStoreParts {
    return this.buckets[bucketOf(key)]!;
  }

  /** Scripts of a bucket look only at its generation. */
  namesOf({ generation }: RedisStoreParts): readonly string[] {
    return [generation.key, generation.key, generation.key];
  }

  markers(client: RedisLike, tags: readonly string[]): Promise<Map<string, TagMarker>> {
    return this.#cluster.tags.read(client, tags);
  }

  tokenFor(token: RedisFillToken, key: string): RedisFillToken {
    const { buckets } = token as Partial<ClusterWatchToken>;
    return buckets === undefined ? token : { ...token, ...buckets[bucketOf(key)]! };
  }

  /**
   * Compares a write's tags with their markers, after making the absent ones, and before its frame is sent: what is
   * invalidated after that has a higher number than the frame, so that readers refuse it.
   *
   * A set has the number that this process knew when it was called. If a marker is higher, the number is asked for
   * once, as on one server, where a set is repeated then.
   */
  readonly compareTags = async (
    client: RedisLike,
    call: PendingCall,
    writes: readonly TaggedWrite[],
  ): Promise<void> => {
    const { head, tags, stamp } = this.#cluster;
    const lifetimes = new Map<string, string>();
    const now = writes.length === 0 ? 0 : this.buckets[0]!.context.clock.now();
    for (const { write } of writes) {
      const lifetime = lifetimeText(markerLifetimeMs(write.entry, now));
      for (const tag of write.entry.tags) {
        lifetimes.set(tag, longer(lifetimes.get(tag), lifetime));
      }
    }
    for (const each of writes) {
      if (each.write.fence.kind === 'set') each.sequence ??= stamp.sequence;
    }
    if (writes.some((each) => each.write.fence.kind === 'set' && each.sequence === undefined)) {
      await head.look(client);
      for (const each of writes) each.sequence ??= stamp.sequence;
    }
    const markers = await tags.prepare(client, lifetimes);
    const isHit = (each: TaggedWrite): boolean => {
      const { fence, entry } = each.write;
      const sequence = fence.kind === 'set' ? each.sequence! : fence.token.sequence;
      return entry.tags.some((tag) => isVoidBy(markers.get(tag)!, sequence, entry.tags));
    };
    const hit = writes.filter(isHit);
    const sets = hit.filter(({ write }) => write.fence.kind === 'set');
    if (sets.length > 0 && !call.isSettled) {
      const sequence = await head.look(client);
      for (const each of sets) each.sequence = sequence;
    }
    for (const each of hit) each.isRefused = isHit(each);
  };

  /** Gives a bucket a new generation in place of a lost one, and registers the cache with it. */
  readonly recover = async (client: RedisLike, { generation }: RedisStoreParts): Promise<void> => {
    const number = await this.#cluster.head.take(client, this.cache);
    const reply = await runScript(client, BUCKET_RAISE, [generation.key], [String(number), '1']);
    generation.value = Number(reply);
  };
}

/**
 * Gives buckets the generation of a number, which makes their entries and tokens void. Where another clear was
 * faster, or the sequence was lost, a higher number is taken: so each bucket gets a generation that it never had.
 */
export async function raiseAll(
  client: RedisLike,
  { head, stamp }: ClusterParts,
  generationKeys: readonly string[],
  number: number,
): Promise<void> {
  let open = generationKeys;
  let current = number;
  for (let attempt = 0; attempt < MOST_RAISES; attempt++) {
    const replies = await Promise.all(
      open.map((key) => runScript(client, BUCKET_RAISE, [key], [String(current), '0'])),
    );
    const raised = replies.map(Number);
    open = open.filter((_, index) => raised[index] !== current);
    if (open.length === 0) return;
    for (const generation of raised) stamp.note(generation);
    current = await head.take(client);
  }
  throw new CacheBackendError('clear: others clear without a pause.');
}

/** The longer of two lifetimes, as scripts take them: `0` is without end. */
function longer(one: string | undefined, other: string): string {
  if (one === undefined || one === '0') return one ?? other;
  return other === '0' || Number(other) > Number(one) ? other : one;
}
