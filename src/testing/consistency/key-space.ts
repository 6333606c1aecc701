import type { EntryTags } from './consistency-subject.js';

/** Keys of one group match one glob. */
const GROUP_SIZE = 8;
const FIRST_TAGS = 4;
const SECOND_TAGS = 2;
/** Keys of one class have the same tags, so that a bulk load may give them all to each of its entries. */
const CLASSES = FIRST_TAGS * SECOND_TAGS;

/** The keys of a run, and which of them an invalidation hits. A key's groups and tags follow from its number. */
export class KeySpace {
  readonly keys: readonly string[];
  readonly #scopes = new Map<string, readonly string[]>();
  readonly #tags = new Map<string, EntryTags>();

  constructor(size: number) {
    this.keys = Array.from({ length: size }, (_, index) => keyName(index));
    this.keys.forEach((key, index) => {
      const tags = [firstTag(index), secondTag(index)] as const;
      const [known, found] = index % (2 * CLASSES) < CLASSES ? tags : [tags[1], tags[0]];
      this.#tags.set(key, { known: [known], found: [found] });
      this.#scopes.set(key, [
        keyScope(key),
        patternScope(groupPrefix(index)),
        ...tags.map(tagScope),
        allTagsScope(tags),
        CLEAR_SCOPE,
      ]);
    });
  }

  scopesOf = (key: string): readonly string[] => this.#scopes.get(key) ?? [keyScope(key)];

  /** Half of the keys know one of their tags before the load, the other half the other one. */
  tagsOf(key: string): EntryTags {
    return this.#tags.get(key)!;
  }

  /** The prefix of a key's group. */
  groupOf(key: string): string {
    return key.slice(0, key.indexOf('-') + 1);
  }

  /** Up to `count` keys with the tags of one class. */
  sameTags(index: number, count: number): readonly string[] {
    const { length } = this.keys;
    const members: string[] = [];
    for (let at = index % CLASSES; at < length && members.length < count; at += CLASSES) {
      members.push(this.keys[at]!);
    }
    return members;
  }
}

export const CLEAR_SCOPE = 'clear';

export function keyScope(key: string): string {
  return `key ${key}`;
}

export function patternScope(prefix: string): string {
  return `pattern ${prefix}*`;
}

export function tagScope(tag: string): string {
  return `tag ${tag}`;
}

export function allTagsScope(tags: readonly string[]): string {
  return `tags ${[...tags].sort().join(' and ')}`;
}

function keyName(index: number): string {
  return `${groupPrefix(index)}${index}`;
}

function groupPrefix(index: number): string {
  return `g${Math.floor(index / GROUP_SIZE)}-`;
}

function firstTag(index: number): string {
  return `t${index % FIRST_TAGS}`;
}

function secondTag(index: number): string {
  return `u${Math.floor(index / FIRST_TAGS) % SECOND_TAGS}`;
}
