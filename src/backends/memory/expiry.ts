/** What the queue needs of an entry. */
export interface ExpiringNode {
  /** Milliseconds since the epoch; `Infinity` = never. */
  readonly retainedUntil: number;
  /** The entry's place in the queue, -1 outside. Belongs to the queue. */
  expiryIndex: number;
}

/**
 * The entries that will expire, the next one first.
 *
 * A binary heap whose entries know their place, so that one that is evicted or deleted leaves at once instead of
 * keeping its value alive until its time. Entries with one ttl arrive in the order in which they expire: adding
 * one is then a push and a single comparison. Leaving costs O(log n).
 */
export class ExpiryQueue<Node extends ExpiringNode> {
  private readonly heap: Node[] = [];

  get size(): number {
    return this.heap.length;
  }

  /** The entry that expires first. */
  peek(): Node | undefined {
    return this.heap[0];
  }

  /** Takes an entry in, unless it never expires. */
  add(node: Node): void {
    if (node.retainedUntil === Infinity) return;
    this.heap.push(node);
    this.up(node, this.heap.length - 1);
  }

  /** Lets an entry go, if it is in. */
  remove(node: Node): void {
    const index = node.expiryIndex;
    if (index < 0) return;
    node.expiryIndex = -1;
    const last = this.heap.pop()!;
    if (last === node) return;
    this.up(last, index);
    this.down(last, last.expiryIndex);
  }

  private up(node: Node, from: number): void {
    const heap = this.heap;
    let index = from;
    while (index > 0) {
      const parentIndex = (index - 1) >>> 1;
      const parent = heap[parentIndex]!;
      if (parent.retainedUntil <= node.retainedUntil) break;
      heap[index] = parent;
      parent.expiryIndex = index;
      index = parentIndex;
    }
    heap[index] = node;
    node.expiryIndex = index;
  }

  private down(node: Node, from: number): void {
    const heap = this.heap;
    const size = heap.length;
    let index = from;
    for (;;) {
      let childIndex = 2 * index + 1;
      if (childIndex >= size) break;
      let child = heap[childIndex]!;
      const right = heap[childIndex + 1];
      if (right !== undefined && right.retainedUntil < child.retainedUntil) {
        child = right;
        childIndex += 1;
      }
      if (node.retainedUntil <= child.retainedUntil) break;
      heap[index] = child;
      child.expiryIndex = index;
      index = childIndex;
    }
    heap[index] = node;
    node.expiryIndex = index;
  }
}
