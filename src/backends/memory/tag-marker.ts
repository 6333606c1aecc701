/** How many all-of invalidations a marker keeps apart before it joins the oldest into its any-of number. */
export const MAX_RULES = 16;

/** An invalidation of all entries that carry every one of several tags. */
interface AllOfRule {
  readonly tags: readonly string[];
  readonly sequence: number;
}

/**
 * What is known of a tag's invalidations.
 *
 * An entry is void when it was read from the source before an invalidation that hits it: at a lower sequence.
 * Invalidations by any of several tags need only their last number. One by all of several tags is kept as a rule,
 * at one of its tags, for it hits only the entries that carry them all.
 */
export class TagMarker {
  /** The number of the last invalidation of any kind: an entry at or above it needs no closer look. */
  latest: number;
  /** How many entries carry the tag. */
  holders = 0;
  private anyOf: number;
  private rules: AllOfRule[] | undefined = undefined;

  /** @param floor - below this number nothing is known, so everything is void */
  constructor(
    readonly tag: string,
    floor: number,
  ) {
    this.latest = floor;
    this.anyOf = floor;
  }

  /** Whether an entry with these tags, loaded at this sequence, is void. */
  voids(sequence: number, tags: readonly string[]): boolean {
    if (this.latest <= sequence) return false;
    if (this.anyOf > sequence) return true;
    if (this.rules === undefined) return false;
    return this.rules.some(
      (rule) => rule.sequence > sequence && rule.tags.every((tag) => tags.includes(tag)),
    );
  }

  /** Makes void every entry below the number. */
  invalidate(sequence: number): void {
    this.latest = sequence;
    this.anyOf = sequence;
    this.rules = undefined;
  }

  /** Makes void every entry below the number that carries all the tags, given in sorted order. */
  invalidateAllOf(tags: readonly string[], sequence: number): void {
    this.latest = sequence;
    this.rules ??= [];
    const position = this.rules.findIndex((rule) => isSame(rule.tags, tags));
    if (position >= 0) this.rules.splice(position, 1);
    this.rules.push({ tags, sequence });
    // Too many rules to check on each hit: the oldest one now hits all of the tag's older entries, which is safe.
    if (this.rules.length > MAX_RULES) this.anyOf = this.rules.shift()!.sequence;
  }
}

function isSame(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((tag, index) => tag === right[index]);
}
