import { cacheSegment } from '../../cache/cache-key.js';
import type { CacheSpace } from '../../cache/backend.js';

/**
 * The names of everything that the backend keeps in a Redis Cluster.
 *
 * | key | slot of | holds |
 * |---|---|---|
 * | `{prefix:version:cache:b}:key` | the bucket | an entry |
 * | `{prefix:version:cache:b}:key%~` | the bucket | the fence of fills under way |
 * | `{prefix:version:cache:b}` | the bucket | the bucket's generation, and the number below which fills are refused |
 * | `{prefix:version:cache:b}%~puts`, `…%~globs` | the bucket | as on one server |
 * | `{prefix:~}:seq` | the head | the sequence |
 * | `{prefix:~}:tags` | the head | the tags that were invalidated lately |
 * | `{prefix:~}:caches` | the head | the names of all caches |
 * | `{prefix:~}:lost` | the head | there after the sequence was lost, until all caches were cleared |
 * | `prefix:~tag:…` | the tag | a tag's marker |
 *
 * The registry only grows, by one member for each name and version of a cache that a program has ever declared under
 * the prefix: `clearAll` has to reach the entries of versions that no process has open any more. Its size depends on
 * programs, never on keys, tags or calls. The logs drop their older half beyond 10,000 names, and expire.
 *
 * A cache's entries lie in a fixed number of buckets, each in one slot with all that a script needs to store under a
 * fence. `b` is the last hexadecimal digit of the key text's FNV-1a hash: part of the stored data, as key texts are.
 */
export class ClusterKeys {
  readonly sequence: string;
  readonly tagLog: string;
  readonly registry: string;
  readonly lost: string;
  readonly tagPrefix: string;
  readonly root: string;

  constructor(prefix: string) {
    this.root = `${prefix}:`;
    this.sequence = `{${prefix}:~}:seq`;
    this.tagLog = `{${prefix}:~}:tags`;
    this.registry = `{${prefix}:~}:caches`;
    this.lost = `{${prefix}:~}:lost`;
    this.tagPrefix = `${prefix}:~tag:`;
  }

  /** The keys of the scripts that run in the head's slot. */
  get head(): readonly string[] {
    return [this.sequence, this.registry, this.tagLog, this.lost];
  }

  /** What stands before the bucket's digit. */
  cacheOf(space: Pick<CacheSpace, 'name' | 'version'>): string {
    return `${this.root}${cacheSegment(space.version)}:${cacheSegment(space.name)}`;
  }

  /** The cache whose bucket has this generation key; `undefined` for every other key. */
  cacheOfGeneration(key: string): string | undefined {
    const match = GENERATION.exec(key);
    if (match === null || !match[1]!.startsWith(this.root)) return undefined;
    return SEGMENTS.test(match[1]!.slice(this.root.length)) ? match[1] : undefined;
  }
}

/** In how many slots the entries of a cache lie. */
export const BUCKETS = 16;

const GENERATION = /^\{(.*):[0-9a-f]\}$/s;
const SEGMENTS = /^[^:~]+:[^:~]+$/;

/** The key of a bucket's generation: the hash tag of all its keys. */
export function bucketKey(cache: string, bucket: number): string {
  return `{${cache}:${bucket.toString(16)}}`;
}

/** The bucket of a key text. */
export function bucketOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index++) {
    hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  }
  return hash & (BUCKETS - 1);
}
