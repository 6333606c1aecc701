import type { MemoryNode } from './memory-node.js';

/**
 * The entries whose sizes are known without a walk through their values, in the order of their last use.
 *
 * They have a bound in bytes though no other entry is measured. Where it is reached only one of them can make room, so
 * the policy, which has all entries in one order, is of no use: it would name any number of others first, and nothing
 * would be won by their going.
 */
export class WeighedEntries {
  /** In ascending order of their last use: a set keeps the order in which it was given its members. */
  readonly #order = new Set<MemoryNode>();
  #latest: MemoryNode | undefined = undefined;

  get size(): number {
    return this.#order.size;
  }

  /** The one that was not used for longest. */
  get oldest(): MemoryNode | undefined {
    return this.#order.values().next().value;
  }

  add(node: MemoryNode): void {
    this.#order.add(node);
    this.#latest = node;
  }

  /** Lets an entry go, if it is in. */
  remove(node: MemoryNode): void {
    this.#order.delete(node);
    // Not to keep its value alive.
    if (this.#latest === node) this.#latest = undefined;
  }

  /** An entry that is in was read. */
  use(node: MemoryNode): void {
    if (node === this.#latest) return;
    this.#order.delete(node);
    this.add(node);
  }
}
