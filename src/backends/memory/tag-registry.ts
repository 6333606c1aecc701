import type { TagSelection } from '../../cache/backend.js';
import { TagMarker } from './tag-marker.js';

/** How many markers of tags that no entry carries are kept, for the sake of fills under way. */
export const MAX_UNUSED_MARKERS = 4_096;

/**
 * The tags of a backend, and the sequence that orders their invalidations against loads.
 *
 * A marker is shared by all entries with its tag, which hold it directly: to check an entry is to compare numbers,
 * without a lookup. When its last entry has gone, a marker that was never invalidated is dropped. One that was
 * stays a while, because a load that began before may yet arrive with that tag. The number of such markers is
 * bounded; dropping one raises the floor, and a fill that is older than the floor is refused when it brings a tag
 * without a marker: nobody knows any more whether the tag was invalidated meanwhile.
 */
export class TagRegistry {
  private current = 0;
  private floor = 0;
  private readonly markers = new Map<string, TagMarker>();
  /** Without entries, in the order in which they lost the last one or were invalidated. */
  private readonly unused = new Set<TagMarker>();

  /** The number of the last invalidation: what a load that begins now is stamped with. */
  get sequence(): number {
    return this.current;
  }

  /** The number of markers. */
  get size(): number {
    return this.markers.size;
  }

  /** Whether a value that was loaded at this sequence may be stored under these tags. */
  admits(tags: readonly string[], sequence: number): boolean {
    for (const tag of tags) {
      const marker = this.markers.get(tag);
      if (marker === undefined ? this.floor > sequence : marker.voids(sequence, tags)) return false;
    }
    return true;
  }

  /** The markers that an entry with these tags holds from now on; `undefined` without tags. */
  hold(tags: readonly string[]): readonly TagMarker[] | undefined {
    if (tags.length === 0) return undefined;
    return tags.map((tag) => {
      const marker = this.marker(tag);
      if (marker.holders === 0) this.unused.delete(marker);
      marker.holders += 1;
      return marker;
    });
  }

  /** Gives back what `hold` gave, when the entry has gone. */
  release(markers: readonly TagMarker[] | undefined): void {
    if (markers === undefined) return;
    for (const marker of markers) {
      marker.holders -= 1;
      if (marker.holders === 0) this.keepUnused(marker);
    }
  }

  /** Costs the number of tags, however many entries carry them. No tags select no entry. */
  invalidate(selection: TagSelection): void {
    if ('anyOf' in selection) this.invalidateAnyOf(selection.anyOf);
    else this.invalidateAllOf([...new Set(selection.allOf)].sort());
  }

  private invalidateAnyOf(tags: readonly string[]): void {
    if (tags.length === 0) return;
    this.current += 1;
    for (const tag of tags) {
      const marker = this.marker(tag);
      marker.invalidate(this.current);
      if (marker.holders === 0) this.keepUnused(marker);
    }
  }

  private invalidateAllOf(tags: readonly string[]): void {
    if (tags.length < 2) return this.invalidateAnyOf(tags);
    this.current += 1;
    // The rule stands at the rarest tag: fewest entries have to look at it, or suffer when rules are joined.
    const rarest = tags.reduce((best, tag) =>
      this.holders(tag) < this.holders(best) ? tag : best,
    );
    const marker = this.marker(rarest);
    marker.invalidateAllOf(tags, this.current);
    if (marker.holders === 0) this.keepUnused(marker);
  }

  private holders(tag: string): number {
    return this.markers.get(tag)?.holders ?? 0;
  }

  private marker(tag: string): TagMarker {
    let marker = this.markers.get(tag);
    if (marker === undefined) {
      marker = new TagMarker(tag, this.floor);
      this.markers.set(tag, marker);
    }
    return marker;
  }

  private keepUnused(marker: TagMarker): void {
    this.unused.delete(marker);
    if (marker.latest <= this.floor) {
      this.markers.delete(marker.tag);
      return;
    }
    this.unused.add(marker);
    if (this.unused.size <= MAX_UNUSED_MARKERS) return;
    const oldest = this.unused.values().next().value!;
    this.unused.delete(oldest);
    this.markers.delete(oldest.tag);
    this.floor = Math.max(this.floor, oldest.latest);
  }
}
