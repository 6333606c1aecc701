import type { ReadHints } from '../../cache/backend.js';
import type { StoredEntry } from '../../cache/entry.js';
import type { OpenedFrame } from '../../cache/entry-framer.js';
import type { MaybePromise } from '../../cache/maybe-promise.js';
import { decimalOf } from './decimal-text.js';
import { RedisGetBatch, type ReadPair } from './redis-get-batch.js';
import type { RedisLike } from './redis-like.js';
import { RedisLookBatch } from './redis-look-batch.js';
import type { RedisStoreParts } from './redis-parts.js';
import { READ } from './entry-scripts.js';
import { runScript } from './redis-script.js';
import { groupKeys, type StoreSite } from './store-site.js';
import { isVoidBy, parseTagMarker, type TagMarker } from './tag-marker.js';

type Reply = readonly (Buffer | null)[];
/** A frame under its key, and whether its generation and tags are known to hold. */
interface Found {
  readonly key: string;
  readonly frame: OpenedFrame;
}

const NO_TAGS: readonly string[] = [];

/**
 * Reads entries of one cache.
 *
 * The usual read is an `MGET` of the entry and its cache's generation, compared here: no script runs for a hit.
 * Where a cache turns out to hold entries with tags that the reader does not name beforehand, or with expiries that
 * only the server's clock can tell, what is needed is asked for in the same round trip from then on. Calls that wait for
 * other processes get it in one command, by a script: behind a wait at once, before it where there is something to add.
 */
export class RedisReads {
  readonly #parts: RedisStoreParts;
  readonly #site: StoreSite;
  readonly #batches = new Map<RedisStoreParts, RedisGetBatch>();
  readonly #looks = new Map<RedisStoreParts, RedisLookBatch>();
  #readsByScript = false;
  #asksTimes = false;

  /** @param parts - what all places share */
  constructor(parts: RedisStoreParts, site: StoreSite) {
    this.#parts = parts;
    this.#site = site;
  }

  get(key: string, hints: ReadHints | undefined): Promise<StoredEntry | undefined> {
    if (this.#site.seesTags && this.#asksInOne(hints)) return this.#lookOne(key, hints);
    const isPlain =
      hints?.tags === undefined && hints?.needsTimes !== true && hints?.turns !== 'again';
    if (!isPlain || this.#readsByScript || this.#asksTimes) {
      return this.#call('get', [key], hints, (entries) => entries[0]);
    }
    const parts = this.#site.partsOf(key);
    const name = parts.generation.entryPrefix + key;
    return parts.connection.call(
      'get',
      (client) => this.#batch(parts).read(client, name),
      (pair, client) => this.#only(key, parts, pair, client),
      hints,
    );
  }

  getMany(
    keys: readonly string[],
    hints: ReadHints | undefined,
  ): Promise<readonly (StoredEntry | undefined)[]> {
    return this.#call('getMany', keys, hints, (entries) => entries);
  }

  /**
   * Entries from frames that are live as far as the script of `begin` could tell.
   *
   * @param markers - those that were read beside it
   */
  async liveEntries(
    client: RedisLike,
    keys: readonly string[],
    values: Reply,
    hints: ReadHints | undefined,
    times: Promise<number[]> | undefined,
    markers?: Map<string, TagMarker>,
  ): Promise<(StoredEntry | undefined)[]> {
    const found = this.#open(keys, values, 'begin');
    if (this.#site.seesTags) return this.#entries(client, found, hints, times, 'begin');
    return this.#finish(client, found, hints, markers, times, 'begin');
  }

  /** Asks for the remaining times beside another command, where they are needed. */
  times(
    client: RedisLike,
    keys: readonly string[],
    hints: ReadHints | undefined,
  ): Promise<number[]> | undefined {
    if (hints?.needsTimes !== true && !this.#asksTimes) return undefined;
    const times = Promise.all(
      keys.map((key) => client.pttl(this.#site.partsOf(key).generation.entryPrefix + key)),
    );
    // Awaited only behind the command that it travels with, whose failure may come first.
    times.catch(() => undefined);
    return times;
  }

  #only(
    key: string,
    parts: RedisStoreParts,
    { bytes, generation }: ReadPair,
    client: RedisLike,
  ): MaybePromise<StoredEntry | undefined> {
    if (bytes === null) return undefined;
    const { reader } = parts;
    const frame = reader.open(key, bytes, 'get');
    if (frame === undefined || frame.generation !== generationOf(parts, generation)) {
      return undefined;
    }
    if (frame.tags.length === 0 && frame.ttlMs === frame.retainMs) {
      return reader.entry(key, frame, 'get');
    }
    return this.#finish(client, [{ key, frame }], undefined, undefined, undefined, 'get').then(
      (entries) => entries[0],
    );
  }

  #call<Result>(
    operation: string,
    keys: readonly string[],
    hints: ReadHints | undefined,
    finish: (entries: readonly (StoredEntry | undefined)[]) => Result,
  ): Promise<Result> {
    return this.#parts.connection.call(
      operation,
      (client) => this.#read(client, operation, keys, hints),
      finish,
      hints,
    );
  }

  async #read(
    client: RedisLike,
    operation: string,
    keys: readonly string[],
    hints: ReadHints | undefined,
  ): Promise<readonly (StoredEntry | undefined)[]> {
    const { generation, keys: layout } = this.#parts;
    if (this.#asksInOne(hints)) return this.#look(client, operation, keys, hints);
    if (this.#readsByScript && hints?.tags === undefined) {
      const names = keys.map((key) => generation.entryPrefix + key);
      const reply = runScript(client, READ, [generation.key, ...names], [layout.tagPrefix]);
      const times = this.times(client, keys, hints);
      const found = this.#open(keys, (await reply) as Reply, operation);
      return this.#entries(client, found, hints, times, operation);
    }
    const tags = hints?.tags ?? NO_TAGS;
    const { seesTags } = this.#site;
    const beside = seesTags ? layout.markersOf(tags) : [];
    const groups = groupKeys(this.#site, keys);
    const reading = Promise.all(
      groups.map(({ parts, keys: names }) =>
        client.mgetBuffer(
          ...names.map((key) => parts.generation.entryPrefix + key),
          parts.generation.key,
          ...beside,
        ),
      ),
    );
    const elsewhere = seesTags || tags.length === 0 ? undefined : this.#site.markers(client, tags);
    elsewhere?.catch(() => undefined);
    const times = this.times(client, keys, hints);
    const replies = await reading;
    const found = new Array<Found | undefined>(keys.length).fill(undefined);
    groups.forEach(({ parts, keys: names, indexes }, place) => {
      const reply = replies[place]!;
      const current = generationOf(parts, reply[names.length]);
      this.#open(names, reply, operation).forEach((each, index) => {
        if (each?.frame.generation === current) found[indexes[index]!] = each;
      });
    });
    const markers =
      (await elsewhere) ??
      new Map(
        beside.map((_, index) => {
          return [tags[index]!, parseTagMarker(replies[0]![keys.length + 1 + index])];
        }),
      );
    return this.#finish(client, found, hints, markers, times, operation);
  }

  #asksInOne(hints: ReadHints | undefined): boolean {
    if (hints?.turns === undefined) return false;
    return hints.turns === 'again' || hints.needsTimes === true || this.#asksTimes;
  }

  /** Entries and times in one command for each place; on a Cluster, tags beside it. */
  async #look(
    client: RedisLike,
    operation: string,
    keys: readonly string[],
    hints: ReadHints | undefined,
  ): Promise<readonly (StoredEntry | undefined)[]> {
    const { seesTags } = this.#site;
    const known = hints?.tags ?? NO_TAGS;
    const found = new Array<Found | undefined>(keys.length).fill(undefined);
    const remaining = new Array<number>(keys.length).fill(0);
    const reading = groupKeys(this.#site, keys).map(async ({ parts, keys: names, indexes }) => {
      const { entryPrefix } = parts.generation;
      const looked = await this.#looksOf(parts).send(
        client,
        names.map((key) => entryPrefix + key),
      );
      const values = looked.map(({ bytes }) => bytes);
      this.#open(names, values, operation).forEach((each, index) => {
        found[indexes[index]!] = each;
        remaining[indexes[index]!] = looked[index]!.remainingMs;
      });
    });
    const elsewhere =
      seesTags || known.length === 0 ? undefined : this.#site.markers(client, known);
    elsewhere?.catch(() => undefined);
    await Promise.all(reading);
    for (const each of found) if (each !== undefined) this.#learn(each.frame, hints);
    const times = Promise.resolve(remaining);
    return seesTags
      ? this.#entries(client, found, hints, times, operation)
      : this.#finish(client, found, hints, await elsewhere, times, operation);
  }

  /** The same for one key where the script sees all, joined with those of other callers. */
  #lookOne(key: string, hints: ReadHints | undefined): Promise<StoredEntry | undefined> {
    const parts = this.#site.partsOf(key);
    const { connection, generation, reader } = parts;
    return connection.call(
      'get',
      (client) => this.#looksOf(parts).read(client, generation.entryPrefix + key),
      ({ bytes, remainingMs }) => {
        const frame = bytes === null ? undefined : reader.open(key, bytes, 'get');
        if (frame === undefined) return undefined;
        this.#learn(frame, hints);
        return reader.entry(key, frame, 'get', remainingMs);
      },
      hints,
    );
  }

  /** What further reads will need. */
  #learn(frame: OpenedFrame, hints: ReadHints | undefined): void {
    if (hasTwoExpiries(frame)) this.#asksTimes = true;
    if (hints?.tags === undefined && frame.tags.length > 0 && this.#site.seesTags) {
      this.#readsByScript = true;
    }
  }

  #looksOf(parts: RedisStoreParts): RedisLookBatch {
    const known = this.#looks.get(parts);
    if (known !== undefined) return known;
    const tagPrefix = this.#site.seesTags ? parts.keys.tagPrefix : '';
    const looks = new RedisLookBatch(parts.generation.key, tagPrefix);
    this.#looks.set(parts, looks);
    return looks;
  }

  #batch(parts: RedisStoreParts): RedisGetBatch {
    const known = this.#batches.get(parts);
    if (known !== undefined) return known;
    const batch = new RedisGetBatch(parts.generation.key);
    this.#batches.set(parts, batch);
    return batch;
  }

  /** Checks tags, after reading the markers of those that were not expected. */
  async #finish(
    client: RedisLike,
    found: readonly (Found | undefined)[],
    hints: ReadHints | undefined,
    markers: Map<string, TagMarker> = new Map(),
    times: Promise<number[]> | undefined,
    operation: string,
  ): Promise<(StoredEntry | undefined)[]> {
    const missing = new Set<string>();
    for (const each of found) {
      for (const tag of each?.frame.tags ?? NO_TAGS) if (!markers.has(tag)) missing.add(tag);
    }
    if (missing.size > 0) {
      if (hints?.tags === undefined) this.#readsByScript = this.#site.seesTags;
      const read = await this.#site.markers(client, [...missing]);
      for (const [tag, marker] of read) markers.set(tag, marker);
    }
    const live = found.map((each) =>
      each === undefined || isVoid(each.frame, markers) ? undefined : each,
    );
    return this.#entries(client, live, hints, times, operation);
  }

  async #entries(
    client: RedisLike,
    found: readonly (Found | undefined)[],
    hints: ReadHints | undefined,
    times: Promise<number[]> | undefined,
    operation: string,
  ): Promise<(StoredEntry | undefined)[]> {
    let remaining = await times;
    if (remaining === undefined && found.some((each) => hasTwoExpiries(each?.frame))) {
      this.#asksTimes = true;
      const keys = found.map((each) => each?.key ?? '');
      remaining = await this.times(client, keys, hints);
    }
    return Promise.all(
      found.map(async (each, index) =>
        each === undefined
          ? undefined
          : this.#parts.reader.entry(each.key, each.frame, operation, remaining?.[index]),
      ),
    );
  }

  #open(keys: readonly string[], values: Reply, operation: string): (Found | undefined)[] {
    return keys.map((key, index) => {
      const bytes = values[index];
      if (bytes === null || bytes === undefined) return undefined;
      const frame = this.#parts.reader.open(key, bytes, operation);
      return frame === undefined ? undefined : { key, frame };
    });
  }
}

/** The number of a generation key's value, and `NaN`, which equals nothing, when there is none. */
function generationOf(parts: RedisStoreParts, bytes: Buffer | null | undefined): number {
  const generation = decimalOf(bytes);
  if (generation === generation) {
    parts.generation.value = generation;
    parts.stamp.note(generation);
  }
  return generation;
}

function isVoid({ tags, sequence }: OpenedFrame, markers: ReadonlyMap<string, TagMarker>): boolean {
  return tags.some((tag) => isVoidBy(markers.get(tag)!, sequence, tags));
}

function hasTwoExpiries(frame: OpenedFrame | undefined): boolean {
  return frame !== undefined && frame.ttlMs !== frame.retainMs;
}
