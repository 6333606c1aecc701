import type { CallBudget } from './call-budget.js';
import type { DueCheck } from './freshness.js';

/** How a load is done. */
export interface FillOptions {
  /** Whether callers of one key wait for one load. */
  readonly isShared: boolean;
  /** Whether they do so in all processes that share the store. */
  readonly isClustered?: boolean | undefined;
  /** Whether to load even if an entry has appeared meanwhile. */
  readonly isRefresh: boolean;
  /**
   * Whether the load goes without a context around it. Only for loads that nothing within them can wait for, and that hold
   * no turn of the cluster: the context is what shows a load that waits for itself. It costs every promise of the process.
   */
  readonly isUntracked?: boolean | undefined;
  /**
   * When the caller came, as a place in `nextOrder`; absent: when the fill begins. A load that began after it is recent enough for
   * the caller, so those whose lookups take long, or fail, need not load once more than those whose lookups did not. It is taken after
   * whatever the caller's own call has invalidated.
   */
  readonly arrivedAt?: number | undefined;
  /** How long the call may still wait for the store. */
  readonly budget?: CallBudget | undefined;
  /** Ends this caller's waiting. */
  readonly signal?: AbortSignal | undefined;
  /** How long this caller waits at the most; absent: as long as it takes. */
  readonly hardTimeoutMs?: number | undefined;
  /** How long a key is left alone after its load has failed, as long as there is an entry to serve. */
  readonly staleThrottleMs?: number | undefined;
}

/** How one load runs. */
export interface RunOptions extends FillOptions {
  /** Whether the lookup has seen an entry that is expired. */
  readonly isStaleKnown?: boolean | undefined;
  /**
   * Whether it ends without loading (`FlightResult.isUnshared`) when another process has loaded what is for its caller alone. Otherwise
   * it loads then for all that wait for it here, as after every turn that leaves nothing behind.
   */
  readonly endsUnshared?: boolean | undefined;
  /** For a refresh that nobody waits for: whether the entry that is there then still needs it. */
  readonly isDue?: DueCheck | undefined;
}
