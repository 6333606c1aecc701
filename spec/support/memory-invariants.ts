import { strict as assert } from 'node:assert';
import type { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import type { MemoryNode, MemorySegment } from '#internal/backends/memory/memory-node.js';
import type { TagMarker } from '#internal/backends/memory/tag-marker.js';
import type { WeighedEntries } from '#internal/backends/memory/weighed-entries.js';

/** The private side of a `MemoryBackend`, as far as its books go. */
interface Internals {
  readonly options: { readonly maxEntries: number; readonly maxBytes: number };
  readonly stores: ReadonlyMap<string, StoreInternals>;
  readonly tags: {
    readonly floor: number;
    readonly current: number;
    readonly markers: ReadonlyMap<string, TagMarker>;
    readonly unused: ReadonlySet<TagMarker>;
  };
  readonly pool: {
    readonly entries: number;
    readonly bytes: number;
    readonly weighed: WeighedEntries | undefined;
    readonly policy: { readonly newest?: MemoryNode; readonly oldest?: MemoryNode };
    readonly expiry: { readonly heap: readonly MemoryNode[] };
    readonly timer: { readonly isPending: boolean };
  };
}

interface StoreInternals {
  readonly segment: MemorySegment;
  readonly nodes: ReadonlyMap<string, MemoryNode>;
  readonly lastId: number;
  readonly tokens: {
    readonly claims: ReadonlyMap<string, { readonly holders: number }>;
    readonly watches: { readonly watchers: number; readonly keys: ReadonlyMap<string, number> };
  };
}

/** How many of what a backend holds, for specs that expect nothing to be left. */
export interface MemoryHoldings {
  readonly entries: number;
  readonly bytes: number;
  readonly expiring: number;
  readonly claims: number;
  readonly holders: number;
  readonly watchers: number;
  readonly markersInUse: number;
  readonly hasTimer: boolean;
}

/**
 * Compares all books of a memory backend with each other: index, policy list, expiry queue, byte totals, tag
 * counts, tokens. Throws at the first that disagrees.
 */
export function checkMemoryInvariants(backend: MemoryBackend): MemoryHoldings {
  const { options, stores, tags, pool } = backend as unknown as Internals;
  const nodes = policyOrder(pool.policy);
  const known = new Set(nodes);
  assert.equal(known.size, nodes.length, 'an entry stands twice in the policy list');
  assert.equal(pool.entries, nodes.length, 'entry count and policy list disagree');
  assert.equal(pool.bytes, sum(nodes.map((node) => node.sizeBytes)), 'byte total is wrong');
  assert.ok(pool.entries <= options.maxEntries, 'more entries than allowed');
  assert.ok(pool.bytes <= options.maxBytes, 'more bytes than allowed');
  if (pool.weighed !== undefined) checkWeighed(pool.weighed, nodes);
  checkIndex(stores, nodes, known);
  checkExpiry(pool.expiry.heap, nodes);
  const markersInUse = checkTags(tags, nodes);
  return {
    entries: nodes.length,
    bytes: pool.bytes,
    expiring: pool.expiry.heap.length,
    markersInUse,
    hasTimer: pool.timer.isPending,
    ...checkTokens(stores),
  };
}

function checkWeighed({ size, oldest }: WeighedEntries, nodes: readonly MemoryNode[]): void {
  const measured = nodes.filter(({ sizeBytes }) => sizeBytes > 0);
  assert.equal(size, measured.length, 'entries of known sizes and their order disagree');
  if (oldest === undefined) assert.equal(size, 0);
  else assert.ok(measured.includes(oldest), 'an entry that has gone is kept in the order');
}

function policyOrder({ newest, oldest }: Internals['pool']['policy']): MemoryNode[] {
  const nodes: MemoryNode[] = [];
  let previous: MemoryNode | undefined;
  for (let node = newest; node !== undefined; node = node.policyNext) {
    assert.equal(node.policyPrevious, previous, 'policy links disagree');
    nodes.push(node);
    previous = node;
  }
  assert.equal(previous, oldest, 'the policy list does not end at its oldest entry');
  return nodes;
}

function checkIndex(
  stores: Internals['stores'],
  nodes: readonly MemoryNode[],
  known: ReadonlySet<MemoryNode>,
): void {
  for (const node of nodes) {
    assert.equal(node.segment.nodes.get(node.key), node, 'an entry is in no index');
  }
  const current = new Set<MemorySegment>();
  for (const store of stores.values()) {
    current.add(store.segment);
    assert.equal(store.nodes, store.segment.nodes, 'a store reads another segment');
    assert.equal(store.segment.isCleared, false, 'a store writes to a cleared segment');
    let lastId = 0;
    for (const [key, node] of store.nodes) {
      assert.equal(node.key, key, 'an entry stands under another key');
      assert.ok(known.has(node), 'an entry is not in the policy list');
      assert.ok(node.id > lastId && node.id <= store.lastId, 'ids do not ascend');
      lastId = node.id;
    }
  }
  for (const { segment } of nodes) {
    assert.equal(segment.isCleared, !current.has(segment), 'a segment does not know its state');
  }
}

function checkExpiry(heap: readonly MemoryNode[], nodes: readonly MemoryNode[]): void {
  const expiring = nodes.filter((node) => node.retainedUntil !== Infinity);
  assert.deepEqual(new Set(heap), new Set(expiring), 'expiry queue and entries disagree');
  assert.equal(heap.length, expiring.length, 'an entry stands twice in the expiry queue');
  for (const [index, node] of heap.entries()) {
    assert.equal(node.expiryIndex, index, 'an entry does not know its place in the expiry queue');
    const parent = heap[(index - 1) >>> 1];
    if (index > 0) assert.ok(parent!.retainedUntil <= node.retainedUntil, 'heap order is broken');
  }
  for (const node of nodes) {
    if (node.retainedUntil === Infinity) assert.equal(node.expiryIndex, -1);
  }
}

function checkTags(
  { floor, current, markers, unused }: Internals['tags'],
  nodes: readonly MemoryNode[],
): number {
  assert.ok(floor <= current, 'the floor is above the sequence');
  const holders = new Map<TagMarker, number>();
  for (const node of nodes) {
    assert.deepEqual(
      (node.markers ?? []).map(({ tag }) => tag),
      node.tags,
      'markers and tags disagree',
    );
    for (const marker of node.markers ?? []) holders.set(marker, (holders.get(marker) ?? 0) + 1);
  }
  for (const [tag, marker] of markers) {
    assert.equal(marker.tag, tag, 'a marker stands under another tag');
    assert.equal(marker.holders, holders.get(marker) ?? 0, `holders of '${tag}' are miscounted`);
    assert.equal(unused.has(marker), marker.holders === 0, `'${tag}' is unused or not`);
    if (marker.holders === 0) assert.ok(marker.latest > floor, `'${tag}' is kept for nothing`);
  }
  for (const marker of holders.keys()) {
    assert.equal(markers.get(marker.tag), marker, `'${marker.tag}' has lost its marker`);
  }
  assert.ok(
    [...unused].every((marker) => markers.has(marker.tag)),
    'an unused marker is lost',
  );
  return holders.size;
}

function checkTokens(
  stores: Internals['stores'],
): Pick<MemoryHoldings, 'claims' | 'holders' | 'watchers'> {
  let claims = 0;
  let holders = 0;
  let watchers = 0;
  for (const { tokens } of stores.values()) {
    for (const [key, claim] of tokens.claims) {
      assert.ok(claim.holders > 0, `the claim of '${key}' has no holder`);
      claims += 1;
      holders += claim.holders;
    }
    watchers += tokens.watches.watchers;
    if (tokens.watches.watchers === 0) {
      assert.equal(tokens.watches.keys.size, 0, 'voided keys are remembered for nobody');
    }
  }
  return { claims, holders, watchers };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
