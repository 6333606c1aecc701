/**
 * What a policy sees of an entry, and the fields that it may use.
 *
 * The three `policy…` fields belong to the policy alone: nobody else reads or writes them while the entry is in
 * its care, so a policy needs no map of its own to find an entry's place. Whoever creates an entry leaves them
 * `undefined` and 0.
 */
export interface EvictionNode<Self> {
  readonly key: string;
  /** The entry's size, estimated; 0 when it is not measured, as without `maxBytes`. */
  readonly sizeBytes: number;
  policyPrevious: Self | undefined;
  policyNext: Self | undefined;
  /** For what else a policy must know of an entry: its segment, its visited bit, its frequency. */
  policyState: number;
}

/** The bounds that a policy works for, so that an adaptive one can size its segments and its sketch. */
export interface EvictionLimits {
  /** `Infinity` = no bound in entries. */
  readonly maxEntries: number;
  /** `Infinity` = no bound in bytes. */
  readonly maxBytes: number;
}

/**
 * Decides which entry goes when a bound is reached.
 *
 * One policy serves one backend, with the entries of all its caches. The backend keeps the books (entries, bytes,
 * expiry) and asks for a victim as long as a bound is exceeded; the policy only keeps an order. All calls are
 * synchronous and cost O(1), amortized; none may throw. An entry is in the policy's care from `onInsert` (or as
 * the `next` of `onUpdate`) until `onRemove` (or as the `previous` of `onUpdate`); no other calls name it.
 */
export interface EvictionPolicy<Node extends EvictionNode<Node>> {
  /** A key that was absent got an entry. Called before the bound is enforced: an admission filter may make it the next victim. */
  onInsert(node: Node): void;
  /** An entry was read. On the hot path of every hit. */
  onHit(node: Node): void;
  /**
   * A key's entry was replaced: `next` takes the place of `previous`. It counts as no use: a refresh in the background
   * must not keep alive what nobody reads. Where it is one, `onHit` follows.
   */
  onUpdate(previous: Node, next: Node): void;
  /** An entry is gone, for whatever reason, being the victim included. The policy forgets it and clears its fields. */
  onRemove(node: Node): void;
  /** The entry to go next, still in the policy's care; `undefined` when there is none. */
  victim(): Node | undefined;
}

/** Makes the policy of one backend. */
export type EvictionPolicyFactory = <Node extends EvictionNode<Node>>(
  limits: EvictionLimits,
) => EvictionPolicy<Node>;
