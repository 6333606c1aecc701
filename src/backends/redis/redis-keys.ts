import { cacheSegment } from '../../cache/cache-key.js';
import type { CacheSpace } from '../../cache/backend.js';

/**
 * The names of everything that the backend keeps in Redis.
 *
 * | key | holds |
 * |---|---|
 * | `prefix:version:cache:key` | an entry: a frame (see `entry-frame.ts`) |
 * | `prefix:version:cache:key%~` | the fence of fills under way: lineage and number of holders |
 * | `prefix:version:cache:key%~turn` | the lease of a key that one process loads for all, and who waits for it |
 * | `prefix:version:cache` | the cache's generation, and the number below which fills are refused |
 * | `prefix:version:cache%~puts` | what was deleted or put while puts of unknown keys are under way |
 * | `prefix:version:cache%~globs` | the patterns that were deleted lately |
 * | `prefix:~seq` | the sequence, counted up by clears and invalidations of tags |
 * | `prefix:~tag:…` | a tag's marker: the number of its last invalidation, and rules for all-of ones |
 * | `prefix:~tags` | the tags that were invalidated lately |
 * | `prefix:~caches` | a set of all generation keys, for clearing them all |
 * | `prefix:~area:name:…` | what an application keeps beside its caches (`openArea`) |
 *
 * The registry only grows, by one member for each name and version of a cache that a program has ever declared under
 * the prefix: `clearAll` has to reach the entries of versions that no process has open any more. Its size depends on
 * programs, never on keys, tags or calls. The logs drop their older half beyond 10,000 names, and expire.
 *
 * A segment never holds `~` or `:`, so the kinds cannot meet.
 */
export class RedisKeys {
  readonly sequence: string;
  readonly registry: string;
  /** A tag stands behind it as it is: it is the last part of its key. */
  readonly tagPrefix: string;
  /** What all keys begin with. */
  readonly root: string;
  /** What stands before the names of the channels on which single processes are woken. */
  readonly wakeChannels: string;

  constructor(prefix: string) {
    this.root = `${prefix}:`;
    this.sequence = `${prefix}:~seq`;
    this.registry = `${prefix}:~caches`;
    this.tagPrefix = `${prefix}:~tag:`;
    this.wakeChannels = `${prefix}:~wake:`;
  }

  /** The key of a cache's generation. */
  generationOf(space: Pick<CacheSpace, 'name' | 'version'>): string {
    return `${this.root}${cacheSegment(space.version)}:${cacheSegment(space.name)}`;
  }

  /** Whether a key is that of a generation. */
  isGeneration(key: string): boolean {
    return key.startsWith(this.root) && GENERATION.test(key.slice(this.root.length));
  }

  /** What the keys of an area begin with. */
  areaOf(name: string): string {
    return `${this.root}~area:${cacheSegment(name)}:`;
  }

  markersOf(tags: readonly string[]): string[] {
    return tags.map((tag) => this.tagPrefix + tag);
  }
}

/** Version and name of a cache: no key of another kind has two segments without `~`. */
const GENERATION = /^[^:~]+:[^:~]+$/;

/** What stands before the key texts of the cache with this generation key. */
export function entryPrefix(generationKey: string): string {
  return `${generationKey}:`;
}

/** Whether what stands behind an entry prefix is the key of a fence or a lease: in a key text `%` begins an escape. */
export function isBookkeeping(key: string): boolean {
  return key.includes('%~');
}

/** A text as a literal inside a pattern of `SCAN`. */
export function escapeScanPattern(text: string): string {
  return text.replace(/[*?[\]\\^-]/g, '\\$&');
}
