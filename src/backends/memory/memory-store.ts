import type {
  BackendStore,
  CacheSpace,
  EntryOutline,
  EntryWrite,
  FillStart,
  FillToken,
  ReadHints,
  ScanPage,
  ScanRequest,
  StoreOutcome,
} from '../../cache/backend.js';
import type { StoredEntry } from '../../cache/entry.js';
import type { KeyPattern } from '../../cache/key-pattern.js';
import { andThen, isPromiseLike, type MaybePromise } from '../../cache/maybe-promise.js';
import type { CacheClock } from '../../clock.js';
import {
  CacheBackendError,
  CacheClosedError,
  CacheDeserializationError,
  CacheSerializationError,
  isCacheError,
  type CacheError,
} from '../../errors.js';
import type { EntryPool } from './entry-pool.js';
import type { EvictionPolicy } from './eviction-policy.js';
import { FillTokens } from './fill-tokens.js';
import { keepValue, type KeptValue, type ValueReader } from './isolation.js';
import { isLive, isVoid, MemoryNode, MemorySegment } from './memory-node.js';
import { ENTRY_OVERHEAD_BYTES, estimateSize, textSize } from './memory-size.js';
import { ScanWalks } from './scan-walks.js';
import type { WeighedEntries } from './weighed-entries.js';

/**
 * The entries of one cache in memory. Every answer is given at once, except where a cache's model takes its time
 * to revive a value.
 *
 * A `put` or `set` whose value cannot be kept voids its key: what was there before is no longer the caller's truth.
 */
export class MemoryStore implements BackendStore {
  private readonly pool: EntryPool;
  private readonly space: CacheSpace;
  private readonly clock: CacheClock;
  private readonly policy: EvictionPolicy<MemoryNode>;
  private readonly weighed: WeighedEntries | undefined;
  private readonly tokens = new FillTokens();
  private readonly walks = new ScanWalks();
  private segment: MemorySegment;
  /** Those of the segment, one step nearer for the hot path. */
  private nodes: Map<string, MemoryNode>;
  private lastId = 0;
  private lastTags: readonly string[] | undefined;
  private lastTagsBytes = 0;
  private isClosed = false;

  constructor(pool: EntryPool, space: CacheSpace) {
    this.pool = pool;
    this.space = space;
    this.clock = pool.context.clock;
    this.policy = pool.policy;
    this.weighed = pool.weighed;
    this.segment = new MemorySegment(space.name);
    this.nodes = this.segment.nodes;
  }

  /** The number of entries, expired and void ones that are not yet freed included. */
  get size(): number {
    return this.nodes.size;
  }

  /** The number of keys that are being loaded or put. */
  get loading(): number {
    return this.tokens.size;
  }

  get(key: string, _hints?: ReadHints, now?: number): MaybePromise<StoredEntry | undefined> {
    const node = this.nodes.get(key);
    if (node === undefined) return this.absent();
    // The clock is read only for entries that can expire: it costs more than the rest of a hit.
    if (node.retainedUntil !== Infinity && node.retainedUntil <= (now ?? this.clock.now())) {
      return this.pool.expire(node) as undefined;
    }
    if (node.markers !== undefined && isVoid(node)) return this.pool.remove(node) as undefined;
    this.policy.onHit(node);
    if (node.sizeBytes > 0) this.weighed?.use(node);
    return node.reader === undefined ? node : this.readWith(node.reader, node);
  }

  getMany(keys: readonly string[]): MaybePromise<readonly (StoredEntry | undefined)[]> {
    this.expectOpen('getMany');
    return all(keys.map((key) => this.get(key)));
  }

  begin(keys: readonly string[]): MaybePromise<readonly FillStart[]> {
    this.expectOpen('begin');
    const sequence = this.pool.tags.sequence;
    return all(
      keys.map((key) => {
        const token = this.tokens.take(key, sequence);
        return andThen(this.get(key), (entry): FillStart => ({ token, entry }));
      }),
    );
  }

  watch(): FillToken {
    this.expectOpen('watch');
    return this.tokens.watch(this.pool.tags.sequence);
  }

  release(tokens: readonly FillToken[]): void {
    for (const token of tokens) this.tokens.end(token);
  }

  store(writes: readonly EntryWrite[]): readonly StoreOutcome[] {
    this.expectOpen('store');
    return writes.map((write) => this.write(write));
  }

  delete(keys: readonly string[]): number {
    this.expectOpen('delete');
    let count = 0;
    for (const key of keys) if (this.void(key)) count += 1;
    return count;
  }

  deletePattern(pattern: KeyPattern): number {
    this.expectOpen('deletePattern');
    this.tokens.voidMatching(pattern);
    let count = 0;
    const now = this.clock.now();
    for (const node of this.nodes.values()) {
      if (!pattern.matches(node.key)) continue;
      if (isLive(node, now)) count += 1;
      this.pool.remove(node);
    }
    return count;
  }

  clear(): void {
    this.expectOpen('clear');
    const previous = this.segment;
    this.segment = new MemorySegment(this.space.name);
    this.nodes = this.segment.nodes;
    this.tokens.voidAll();
    this.walks.forget();
    this.pool.retire(previous);
  }

  expire(key: string, ttlMs: number, retainMs: number): boolean {
    this.expectOpen('expire');
    const node = this.live(key);
    if (node === undefined) return false;
    const now = this.clock.now();
    this.pool.replace(node, node.withTimes(now + ttlMs, now + retainMs));
    return true;
  }

  touch(key: string, retainMs: number): void {
    const node = this.isClosed ? undefined : this.live(key);
    if (node === undefined) return;
    this.pool.replace(node, node.withTimes(node.expiresAt, this.clock.now() + retainMs));
  }

  scan(request: ScanRequest): ScanPage {
    this.expectOpen('scan');
    return this.walks.page(this.nodes, request, this.lastId, this.clock.now());
  }

  outlines(keys: readonly string[]): readonly (EntryOutline | undefined)[] {
    this.expectOpen('outlines');
    const now = this.clock.now();
    return keys.map((key) => {
      const node = this.nodes.get(key);
      if (node === undefined || !isLive(node, now)) return undefined;
      return { expiresAt: node.expiresAt, value: node.value };
    });
  }

  /** Empties the store and refuses everything from now on. */
  close(): void {
    if (this.isClosed) return;
    this.clear();
    this.isClosed = true;
  }

  private write(write: EntryWrite): StoreOutcome {
    const { key, entry, fence } = write;
    const kept = this.keep(write);
    const sizeBytes = kept instanceof Error ? 0 : this.sizeOf(write, kept);
    // A dead entry is freed, and reported, first. From here on nothing of the caller's runs, no listener either:
    // checking the fence and storing are one step.
    this.live(key);
    const previous = this.nodes.get(key);
    const isHeld =
      fence.kind === 'set' ||
      (this.tokens.holds(key, fence.token) &&
        this.pool.tags.admits(entry.tags, fence.token.sequence));
    if (fence.kind !== 'set') this.tokens.end(fence.token);
    const failure = kept instanceof Error ? kept : this.tooLarge(key, sizeBytes);
    if (fence.kind !== 'fill') {
      this.tokens.void(key);
      if (!isHeld || failure !== undefined) this.void(key);
    }
    if (failure !== undefined) return failure;
    if (!isHeld) return 'refused';
    const sequence = fence.kind === 'set' ? this.pool.tags.sequence : fence.token.sequence;
    const id = previous?.id ?? ++this.lastId;
    const { segment, pool } = this;
    const markers = pool.tags.hold(entry.tags);
    const node = new MemoryNode(
      segment,
      id,
      key,
      entry,
      sequence,
      kept as KeptValue,
      sizeBytes,
      markers,
    );
    if (previous === undefined) pool.insert(node);
    else pool.replace(previous, node, fence.kind !== 'fill');
    return 'stored';
  }

  private keep(write: EntryWrite): KeptValue | CacheError {
    const { entry, framing } = write;
    const model = framing?.model ?? this.space.framing?.model;
    try {
      return keepValue(this.pool.limits.isolation, entry.value, entry.kind, model);
    } catch (error) {
      if (isCacheError(error)) return error;
      const message = `The model of cache '${this.space.name}' failed to turn a value into plain data`;
      return new CacheSerializationError(message, 'value', { cause: error });
    }
  }

  private sizeOf(write: EntryWrite, kept: KeptValue): number {
    const { maxBytes, weighs } = this.pool.limits;
    if (maxBytes === Infinity) return 0;
    const known = this.space.sizes?.bytesOf(kept.value);
    if (known === undefined && weighs === 'known') return 0;
    const bytes = ENTRY_OVERHEAD_BYTES + textSize(write.key) + this.sizeOfTags(write.entry.tags);
    return bytes + (known ?? estimateSize(kept.value, maxBytes));
  }

  /** Entries that follow each other often have one list of tags. */
  private sizeOfTags(tags: readonly string[]): number {
    if (tags === this.lastTags) return this.lastTagsBytes;
    let bytes = 0;
    for (const tag of tags) bytes += textSize(tag);
    this.lastTags = tags;
    this.lastTagsBytes = bytes;
    return bytes;
  }

  private tooLarge(key: string, sizeBytes: number): CacheBackendError | undefined {
    const { maxBytes } = this.pool.limits;
    if (sizeBytes <= maxBytes) return undefined;
    return new CacheBackendError(
      `MemoryBackend cannot store an entry of cache '${this.space.name}' (key '${shorten(key)}'): it takes more than all of maxBytes (${maxBytes}). Raise maxBytes, or store less under one key.`,
    );
  }

  /** The live entry, without counting as a use. A dead one is freed. */
  private live(key: string): MemoryNode | undefined {
    const node = this.nodes.get(key);
    if (node === undefined) return undefined;
    if (node.retainedUntil !== Infinity && node.retainedUntil <= this.clock.now()) {
      this.pool.expire(node);
      return undefined;
    }
    if (!isVoid(node)) return node;
    this.pool.remove(node);
    return undefined;
  }

  /** Removes a key and its tokens. Gives whether there was a live entry. */
  private void(key: string): boolean {
    this.tokens.void(key);
    const node = this.live(key);
    if (node !== undefined) this.pool.remove(node);
    return node !== undefined;
  }

  private readWith(reader: ValueReader, node: MemoryNode): MaybePromise<StoredEntry | undefined> {
    try {
      const value = reader.read(node.value);
      if (!isPromiseLike(value)) return node.withValue(value);
      return Promise.resolve(value).then(
        (revived) => node.withValue(revived),
        (error: unknown) => this.unreadable(node, error),
      );
    } catch (error) {
      return this.unreadable(node, error);
    }
  }

  /** An entry that no longer fits its model counts as absent, and goes. */
  private unreadable(node: MemoryNode, cause: unknown): undefined {
    const { key } = node;
    if (this.nodes.get(key) === node) this.pool.remove(node);
    const cache = this.space.name;
    const error = isCacheError(cause)
      ? cause
      : new CacheDeserializationError(`The model of cache '${cache}' failed to revive a value`, {
          cause,
        });
    this.pool.context.report({ type: 'error', cache, key, operation: 'get', error });
  }

  /** A closed store is empty, so a hit need not ask whether it is. */
  private absent(): undefined {
    this.expectOpen('get');
  }

  private expectOpen(operation: string): void {
    if (!this.isClosed) return;
    throw new CacheClosedError(
      `MemoryBackend was closed: '${operation}' on cache '${this.space.name}' has no store to work on`,
    );
  }
}

function all<Value>(values: readonly MaybePromise<Value>[]): MaybePromise<readonly Value[]> {
  return values.some(isPromiseLike) ? Promise.all(values) : (values as readonly Value[]);
}

function shorten(key: string): string {
  return key.length <= 60 ? key : `${key.slice(0, 60)}…`;
}
