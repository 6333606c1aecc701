import type { BackendContext } from '../../cache/backend.js';
import { CacheBackendError } from '../../errors.js';
import type { EvictionPolicy } from './eviction-policy.js';
import { ExpiryQueue } from './expiry.js';
import type { ResolvedMemoryBackendOptions } from './memory-backend-options.js';
import { isVoid, type MemoryNode, type MemorySegment } from './memory-node.js';
import { SweepTimer } from './sweep-timer.js';
import type { TagRegistry } from './tag-registry.js';
import { WeighedEntries } from './weighed-entries.js';

/** How many entries one tick of the timer frees: a fraction of a millisecond. */
const SWEEP_SLICE = 1_000;
/** The pause between the slices of one sweep, for the event loop to do other work. */
const SLICE_PAUSE_MS = 1;

/**
 * The entries of all caches of one backend, under one bound, one policy and one expiry queue.
 *
 * A cleared cache's entries stay in the books until they are freed, so the bounds hold for what memory really
 * holds, at every moment. They are freed first when room is needed, else in slices by the timer: clearing itself
 * costs the same however many they are.
 */
export class EntryPool {
  readonly policy: EvictionPolicy<MemoryNode>;
  /** Those that alone count against the bound in bytes; `undefined` = all do. */
  readonly weighed: WeighedEntries | undefined;
  private readonly expiry = new ExpiryQueue<MemoryNode>();
  private readonly cleared: IterableIterator<MemoryNode>[] = [];
  private readonly timer = new SweepTimer(() => this.sweep(SWEEP_SLICE));
  private entries = 0;
  private bytes = 0;

  constructor(
    readonly limits: ResolvedMemoryBackendOptions,
    readonly context: BackendContext,
    readonly tags: TagRegistry,
  ) {
    this.weighed = limits.weighs === 'known' ? new WeighedEntries() : undefined;
    // The policy is not asked for victims of a bound that is not one of all entries.
    const { maxEntries } = limits;
    const maxBytes = this.weighed === undefined ? limits.maxBytes : Infinity;
    this.policy = limits.policy<MemoryNode>({ maxEntries, maxBytes });
  }

  /** The estimated size of all entries that are measured, cleared ones that are not yet freed included. */
  get sizeBytes(): number {
    return this.bytes;
  }

  /** Takes in an entry whose key is absent. */
  insert(node: MemoryNode): void {
    node.segment.nodes.set(node.key, node);
    this.account(node);
    this.policy.onInsert(node);
    this.enforce();
  }

  /** Puts an entry in the place of another of its key; `isUse`: on behalf of somebody who wants it. */
  replace(previous: MemoryNode, next: MemoryNode, isUse = false): void {
    next.segment.nodes.set(next.key, next);
    this.discount(previous, next);
    this.account(next);
    this.policy.onUpdate(previous, next);
    if (isUse) this.policy.onHit(next);
    this.enforce();
  }

  remove(node: MemoryNode): void {
    node.segment.nodes.delete(node.key);
    this.discount(node, undefined);
    this.policy.onRemove(node);
  }

  /** Removes an entry whose time is up. */
  expire(node: MemoryNode): void {
    this.remove(node);
    if (node.segment.isCleared || isVoid(node)) return;
    this.context.report({ type: 'expire', cache: node.segment.cacheName, key: node.key });
  }

  /** Takes note that a cache was cleared. */
  retire(segment: MemorySegment): void {
    segment.isCleared = true;
    if (segment.nodes.size === 0) return;
    this.cleared.push(segment.nodes.values());
    if (this.limits.sweepIntervalMs === Infinity) return;
    this.timer.schedule(SLICE_PAUSE_MS, this.context.clock.now());
  }

  /** Frees up to `limit` expired and cleared entries; gives their number. */
  sweep(limit: number): number {
    const now = this.context.clock.now();
    let freed = 0;
    for (; freed < limit; freed++) {
      const next = this.expiry.peek();
      if (next === undefined || next.retainedUntil > now) break;
      this.expire(next);
    }
    while (freed < limit && this.freeCleared()) freed++;
    this.scheduleSweep(now, freed === limit || this.cleared.length > 0);
    return freed;
  }

  /** Lets go of the timer, and of all entries: of what was cleared, which must be everything. */
  close(): void {
    this.timer.stop();
    while (this.freeCleared());
  }

  private account(node: MemoryNode): void {
    this.entries += 1;
    this.bytes += node.sizeBytes;
    if (node.sizeBytes > 0) this.weighed?.add(node);
    this.expiry.add(node);
    if (node.expiryIndex === 0) this.scheduleSweep(this.context.clock.now(), false);
  }

  private discount(node: MemoryNode, successor: MemoryNode | undefined): void {
    this.entries -= 1;
    this.bytes -= node.sizeBytes;
    if (node.sizeBytes > 0) this.weighed?.remove(node);
    this.expiry.remove(node);
    if (node.markers !== successor?.markers) this.tags.release(node.markers);
  }

  private scheduleSweep(now: number, isUnfinished: boolean): void {
    const interval = this.limits.sweepIntervalMs;
    if (interval === Infinity) return;
    if (isUnfinished) return this.timer.schedule(SLICE_PAUSE_MS, now);
    const next = this.expiry.peek();
    if (next !== undefined) this.timer.schedule(Math.max(next.retainedUntil - now, interval), now);
  }

  private enforce(): void {
    const { maxEntries, maxBytes } = this.limits;
    while (this.entries > maxEntries || this.bytes > maxBytes) {
      this.makeRoom(this.entries > maxEntries ? 'entries' : 'bytes');
    }
  }

  /** Frees one entry: a void one rather than an expired one, an expired one rather than one that may be read. */
  private makeRoom(reason: 'entries' | 'bytes'): void {
    if (this.freeCleared()) return;
    const next = this.expiry.peek();
    if (next !== undefined && next.retainedUntil <= this.context.clock.now()) {
      return this.expire(next);
    }
    const victim =
      reason === 'bytes' && this.weighed !== undefined ? this.weighed.oldest : this.policy.victim();
    if (victim === undefined) {
      throw new CacheBackendError(
        `MemoryBackend is over its bound of ${reason}, and its eviction policy names no victim`,
      );
    }
    const wasVoid = isVoid(victim);
    this.remove(victim);
    if (wasVoid) return;
    const { key, segment } = victim;
    this.context.report({ type: 'evict', cache: segment.cacheName, key, reason });
  }

  /** Frees one entry of a cleared cache, if there is any. */
  private freeCleared(): boolean {
    for (let nodes = this.cleared[0]; nodes !== undefined; nodes = this.cleared[0]) {
      const next = nodes.next();
      if (next.done !== true) {
        this.remove(next.value);
        return true;
      }
      this.cleared.shift();
    }
    return false;
  }
}
