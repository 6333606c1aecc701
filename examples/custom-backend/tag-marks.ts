import type { TagSelection } from 'cachewell';

/** How many tags, and how many combinations of them, are remembered. */
const MOST_TAGS = 10_000;
const MOST_RULES = 100;

/**
 * When each tag was invalidated, as the number of an invalidation. An entry keeps the number that was current when its
 * load began, so it is void when one of its tags has a higher one. To invalidate a tag is to write one number, whatever
 * the number of its entries.
 */
export class TagMarks {
  #sequence = 0;
  #floor = 0;
  #last = new Map<string, number>();
  #rules: { readonly tags: readonly string[]; readonly sequence: number }[] = [];

  /** The number of the last invalidation. */
  get sequence(): number {
    return this.#sequence;
  }

  invalidate(selection: TagSelection): void {
    this.#sequence += 1;
    const sequence = this.#sequence;
    if ('anyOf' in selection) {
      for (const tag of selection.anyOf) this.#last.set(tag, sequence);
    } else if (selection.allOf.length > 0) {
      this.#rules.push({ tags: selection.allOf, sequence });
    }
    if (this.#last.size <= MOST_TAGS && this.#rules.length <= MOST_RULES) return;
    // What is forgotten must not count as "nothing happened": everything tagged that is older is void.
    this.#floor = sequence;
    this.#last.clear();
    this.#rules = [];
  }

  /** Whether something loaded at this number is void under these tags. */
  voids(tags: readonly string[], sequence: number): boolean {
    if (tags.length === 0 || sequence === this.#sequence) return false;
    if (this.#floor > sequence || tags.some((tag) => (this.#last.get(tag) ?? 0) > sequence)) {
      return true;
    }
    return this.#rules.some(
      (rule) => rule.sequence > sequence && rule.tags.every((tag) => tags.includes(tag)),
    );
  }
}
