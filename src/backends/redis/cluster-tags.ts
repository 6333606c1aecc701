import type { ClusterHead } from './cluster-head.js';
import type { ClusterKeys } from './cluster-keys.js';
import { CLAIM_MARK, MARK_CLAIM, MARK_CONFIRM, MARK_RAISE, MARK_RULE } from './cluster-scripts.js';
import { newLineage } from './redis-parts.js';
import type { RedisLike } from './redis-like.js';
import { runScript } from './redis-script.js';
import type { RedisStamp } from './redis-stamp.js';
import { NO_MARKER, parseTagMarker, type TagMarker } from './tag-marker.js';

/** What markers of tags say, by tag. */
export type Markers = ReadonlyMap<string, TagMarker>;

/**
 * The markers of tags on a Cluster, each in a slot of its own, and the log in the head that tells of those that are
 * absent.
 *
 * An invalidation takes its number in the head, which logs it in the same step, and then raises the markers that are
 * there; it is done when both are. Who stores an entry needs every marker to be there, for readers refuse what has
 * none. An absent one is made in three steps: it is claimed, the log is read, and the claim is replaced by the number
 * that the log gives, if it still holds. An invalidation that gets between these steps is either in the log when it is
 * read, or breaks the claim: it raises markers only after it was logged. If the marker is evicted in between, the
 * claim is gone as well. So a marker never has a lower number than the last invalidation that was done, and a step
 * that is executed late, by a server that was frozen, does nothing: a raise only raises, and a claim is unique.
 */
export class ClusterTags {
  readonly #keys: ClusterKeys;
  readonly #head: ClusterHead;
  readonly #stamp: RedisStamp;
  readonly #fillTimeoutMs: number;

  constructor(keys: ClusterKeys, head: ClusterHead, stamp: RedisStamp, fillTimeoutMs: number) {
    this.#keys = keys;
    this.#head = head;
    this.#stamp = stamp;
    this.#fillTimeoutMs = fillTimeoutMs;
  }

  /** Reads markers, side by side. */
  async read(client: RedisLike, tags: readonly string[]): Promise<Map<string, TagMarker>> {
    const texts = await Promise.all(
      tags.map((tag) => client.callBuffer('get', this.#keys.tagPrefix + tag)),
    );
    return new Map(tags.map((tag, index) => [tag, this.#parse(texts[index])]));
  }

  /** The same, and keeps those that are there for as long as an entry needs them. */
  async keep(client: RedisLike, tags: readonly string[], lifetime: string): Promise<Markers> {
    const replies = await Promise.all(tags.map((tag) => this.#claim(client, tag, lifetime, '')));
    return new Map(tags.map((tag, index) => [tag, replies[index]!.marker]));
  }

  /**
   * The same for entries that are about to be stored, after making those that are absent.
   *
   * @param lifetimes - by tag, as scripts take them
   */
  async prepare(client: RedisLike, lifetimes: ReadonlyMap<string, string>): Promise<Markers> {
    const tags = [...lifetimes.keys()];
    const claims = await Promise.all(
      tags.map((tag) => this.#claim(client, tag, lifetimes.get(tag)!, newClaim())),
    );
    const markers = new Map(tags.map((tag, index) => [tag, claims[index]!.marker]));
    const claimed = tags.filter((_, index) => claims[index]!.claim !== '');
    if (claimed.length === 0) return markers;
    const numbers = await this.#head.logged(client, claimed);
    const confirmed = await Promise.all(
      claimed.map((tag, index) => {
        const { claim } = claims[tags.indexOf(tag)]!;
        const args = [claim, numbers[index]!, lifetimes.get(tag)!, String(this.#fillTimeoutMs)];
        return runScript(client, MARK_CONFIRM, [this.#keys.tagPrefix + tag], args);
      }),
    );
    claimed.forEach((tag, index) => markers.set(tag, this.#parse(confirmed[index])));
    return markers;
  }

  /** Invalidates each tag by itself. Resolves with what {@link LoggedInvalidation.lost} says. */
  async invalidateEach(client: RedisLike, tags: readonly string[]): Promise<string> {
    const { number, lost } = await this.#head.invalidate(client, tags);
    await Promise.all(
      tags.map((tag) =>
        runScript(client, MARK_RAISE, [this.#keys.tagPrefix + tag], [String(number)]),
      ),
    );
    return lost;
  }

  /**
   * Invalidates what has all tags of a rule, at the marker of one of them. An absent marker is claimed first, so that
   * it can be made with the rule: fills under way may carry the tag without the others.
   */
  async invalidateByRule(client: RedisLike, tag: string, rule: string): Promise<string> {
    const { claim } = await this.#claim(client, tag, '', newClaim());
    const { number, lost, before } = await this.#head.invalidate(client, [tag]);
    const args = [String(number), rule, claim, before, String(this.#fillTimeoutMs)];
    await runScript(client, MARK_RULE, [this.#keys.tagPrefix + tag], args);
    return lost;
  }

  /** A marker and, where it is absent, the claim that holds: ours or another one's, which serves as well. */
  async #claim(
    client: RedisLike,
    tag: string,
    lifetime: string,
    claim: string,
  ): Promise<{ readonly marker: TagMarker; readonly claim: string }> {
    const reply = (await runScript(
      client,
      MARK_CLAIM,
      [this.#keys.tagPrefix + tag],
      [lifetime, String(this.#fillTimeoutMs), claim],
    )) as [unknown, Buffer];
    if (Number(reply[0]) === 1) return { marker: this.#parse(reply[1]), claim: '' };
    return { marker: NO_MARKER, claim: String(reply[1]) };
  }

  /** A number that the sequence does not reach is of one that was lost: the next look at the head lifts it. */
  #parse(bytes: unknown): TagMarker {
    const marker = parseTagMarker(bytes as Buffer | null);
    this.#stamp.note(marker.number);
    for (const rule of marker.rules) this.#stamp.note(rule.number);
    return marker;
  }
}

function newClaim(): string {
  return `${CLAIM_MARK}${newLineage()}`;
}
