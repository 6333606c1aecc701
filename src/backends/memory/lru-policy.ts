import type { EvictionNode, EvictionPolicy } from './eviction-policy.js';

/**
 * Evicts what has not been used for longest.
 *
 * A doubly linked list through the entries themselves, newest first: a hit is a few pointer writes, and none when
 * the entry was the last one used. `policyPrevious` points to the next newer entry, `policyNext` to the next older.
 */
export class LruPolicy<Node extends EvictionNode<Node>> implements EvictionPolicy<Node> {
  private newest: Node | undefined = undefined;
  private oldest: Node | undefined = undefined;

  onInsert(node: Node): void {
    const newest = this.newest;
    node.policyNext = newest;
    if (newest === undefined) this.oldest = node;
    else newest.policyPrevious = node;
    this.newest = node;
  }

  onHit(node: Node): void {
    const newer = node.policyPrevious;
    if (newer === undefined) return;
    const older = node.policyNext;
    newer.policyNext = older;
    if (older === undefined) this.oldest = newer;
    else older.policyPrevious = newer;
    const newest = this.newest!;
    newest.policyPrevious = node;
    node.policyPrevious = undefined;
    node.policyNext = newest;
    this.newest = node;
  }

  onUpdate(previous: Node, next: Node): void {
    const newer = previous.policyPrevious;
    const older = previous.policyNext;
    next.policyPrevious = newer;
    next.policyNext = older;
    if (newer === undefined) this.newest = next;
    else newer.policyNext = next;
    if (older === undefined) this.oldest = next;
    else older.policyPrevious = next;
    // A reader may hold the entry on: its links must not keep the neighbours alive.
    previous.policyPrevious = undefined;
    previous.policyNext = undefined;
  }

  onRemove(node: Node): void {
    const newer = node.policyPrevious;
    const older = node.policyNext;
    if (newer === undefined) this.newest = older;
    else newer.policyNext = older;
    if (older === undefined) this.oldest = newer;
    else older.policyPrevious = newer;
    // A reader may hold the entry on: its links must not keep the neighbours alive.
    node.policyPrevious = undefined;
    node.policyNext = undefined;
  }

  victim(): Node | undefined {
    return this.oldest;
  }
}
