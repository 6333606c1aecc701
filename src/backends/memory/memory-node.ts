import type { EntryWrite } from '../../cache/backend.js';
import type { EntryKind, StoredEntry } from '../../cache/entry.js';
import type { EvictionNode } from './eviction-policy.js';
import type { ExpiringNode } from './expiry.js';
import type { KeptValue, ValueReader } from './isolation.js';
import type { TagMarker } from './tag-marker.js';

/** One cache's entries from one clear to the next. */
export class MemorySegment {
  /** In ascending order of the entries' ids, for an entry that replaces another keeps its place and its id. */
  readonly nodes: Map<string, MemoryNode> = new Map();
  /** Whether the cache was cleared since: what is still in here is void, and waits to be freed. */
  isCleared = false;

  constructor(readonly cacheName: string) {}
}

/**
 * An entry in memory, and at the same time what a read gives back: a hit allocates nothing.
 *
 * What readers see of it never changes. A key that is written again, or whose expiry is set, gets another node.
 */
export class MemoryNode implements StoredEntry, EvictionNode<MemoryNode>, ExpiringNode {
  readonly value: unknown;
  readonly kind: EntryKind;
  readonly tags: readonly string[];
  readonly createdAt: number;
  readonly loadCostMs: number;
  readonly confirmedAt: number | undefined;
  /** How a reader gets its value; `undefined` when all readers may have the kept one. */
  readonly reader: ValueReader | undefined;
  policyPrevious: MemoryNode | undefined = undefined;
  policyNext: MemoryNode | undefined = undefined;
  policyState = 0;
  expiryIndex = -1;

  constructor(
    readonly segment: MemorySegment,
    readonly id: number,
    readonly key: string,
    entry: EntryWrite['entry'],
    readonly sequence: number,
    kept: KeptValue,
    readonly sizeBytes: number,
    readonly markers: readonly TagMarker[] | undefined,
    readonly expiresAt: number = entry.expiresAt,
    readonly retainedUntil: number = entry.retainedUntil,
  ) {
    this.value = kept.value;
    this.kind = entry.kind;
    this.tags = entry.tags;
    this.createdAt = entry.createdAt;
    this.loadCostMs = entry.loadCostMs;
    this.confirmedAt = entry.confirmedAt;
    this.reader = kept.reader;
  }

  get source(): 'l1' {
    return 'l1';
  }

  /** The same entry with other times. */
  withTimes(expiresAt: number, retainedUntil: number): MemoryNode {
    const { segment, id, key, sequence, sizeBytes, markers } = this;
    return new MemoryNode(
      segment,
      id,
      key,
      this,
      sequence,
      this,
      sizeBytes,
      markers,
      expiresAt,
      retainedUntil,
    );
  }

  /** What a reader gets that must not have the kept value itself. */
  withValue(value: unknown): StoredEntry {
    const { kind, tags, sequence, createdAt, expiresAt, retainedUntil, loadCostMs } = this;
    const { confirmedAt, source } = this;
    return {
      value,
      kind,
      tags,
      sequence,
      createdAt,
      expiresAt,
      retainedUntil,
      loadCostMs,
      ...(confirmedAt !== undefined && { confirmedAt }),
      source,
    };
  }
}

/** Whether one of the entry's tags was invalidated after its load began. */
export function isVoid(node: MemoryNode): boolean {
  const markers = node.markers;
  if (markers === undefined) return false;
  for (let index = 0; index < markers.length; index++) {
    const marker = markers[index]!;
    if (marker.latest > node.sequence && marker.voids(node.sequence, node.tags)) return true;
  }
  return false;
}

/** Whether a reader may have the entry. */
export function isLive(node: MemoryNode, now: number): boolean {
  return node.retainedUntil > now && !isVoid(node);
}
