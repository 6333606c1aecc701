import type {
  BackendCapabilities,
  BackendContext,
  BackendEvent,
  BackendHealth,
  BackendStore,
  CacheBackend,
  CacheSpace,
  CallOptions,
  CommandArea,
  TagSelection,
} from '../../cache/backend.js';
import { deferring } from '../../cache/deferral/deferring.js';
import type { MaybePromise } from '../../cache/maybe-promise.js';
import { CacheClosedError, CacheConfigurationError } from '../../errors.js';
import { spaceId } from './coherence-message.js';
import { Coherence } from './coherence.js';
import { DegradedParts } from './degraded-parts.js';
import { DEFAULT_SPACE, L1Trust } from './l1-trust.js';
import { OwnTierStore } from './own-tier-store.js';
import { ProcessTier } from './process-tier.js';
import { sharedTier } from './shared-tier.js';
import {
  resolveTieredBackendOptions,
  type TieredBackendOptions,
} from './tiered-backend-options.js';
import { invalidateTiers, type TieredParts } from './tiered-parts.js';
import { TieredStore } from './tiered-store.js';
import { WorkUnderWay } from './work-under-way.js';

/**
 * Keeps copies of a shared store's entries in the process, and keeps them true.
 *
 * The shared tier decides what is stored; the own tier holds copies, each under a fence of its own, so that nothing
 * that was invalidated comes back (promise P1). An invalidation is made in the shared tier, then told to the other
 * processes by the bus, then made in the own tier; it has succeeded when all three have. A process drops what it is
 * told within a message's time; if a message may be missing it drops everything, and it never serves what was neither
 * loaded, read, nor proved true within `maxStaleness` (promise P3). A copy never outlives its original.
 *
 * While the shared tier fails, trusted entries are served on, and what is loaded is kept here for `maxStaleness` at the
 * most. Invalidations that it cannot take are kept and replayed before it is read again; after that the other processes
 * are told to drop everything. A process whose bus has failed for more than five minutes, while it still reaches the shared tier, may
 * invalidate without others noticing before it speaks again: those calls fail, and say so.
 *
 * Per cache, `tiers` in its definition chooses both tiers, only the own one (invalidations still travel), or only the
 * shared one; all processes must agree.
 *
 * @example
 * ```ts
 * const manager = new CacheManager({
 *   backend: new TieredBackend({
 *     l2: new RedisBackend({ url: 'redis://localhost:6379' }),
 *     bus: new RedisBus({ url: 'redis://localhost:6379' }),
 *     maxStaleness: '3s',
 *   }),
 * });
 * ```
 */
export class TieredBackend implements CacheBackend {
  readonly name = 'tiered';
  readonly capabilities: BackendCapabilities;
  readonly #l1: CacheBackend;
  readonly #l2: CacheBackend;
  readonly #trust: L1Trust;
  readonly #ownTier: ProcessTier;
  readonly #coherence: Coherence | undefined;
  readonly #work = new WorkUnderWay();
  readonly #stores = new Map<string, BackendStore>();
  /** Caches that are kept in the own tier only: there, an entry's expiry is not a mere copy's. */
  readonly #ownCaches = new Set<string>();
  #parts: TieredParts | undefined = undefined;
  #closing: Promise<void> | undefined = undefined;

  /** @throws {@link InvalidOptionError} when an option is unknown or has a value that it cannot have */
  constructor(options: TieredBackendOptions) {
    const { l1, l2, bus, maxStalenessMs, heartbeatMs } = resolveTieredBackendOptions(options);
    this.#l1 = l1;
    // What is carried out late, others may have copied meanwhile.
    this.#l2 = deferring(l2, { onReplayed: () => this.#coherence?.oweEpoch() });
    this.#trust = new L1Trust(maxStalenessMs);
    this.#ownTier = new ProcessTier(l1);
    this.#coherence =
      bus === undefined
        ? undefined
        : new Coherence({ bus, heartbeatMs, trust: this.#trust, ownTier: this.#ownTier });
    this.capabilities = Object.freeze({
      ...l2.capabilities,
      isShared: true,
      keepsInvalidations: true,
      goesOnAlone: true,
    });
  }

  get callTimeoutMs(): number | undefined {
    return this.#l2.callTimeoutMs;
  }

  get prefix(): string | undefined {
    return this.#l2.prefix;
  }

  attach(context: BackendContext): void {
    if (this.#closing !== undefined) throw closed('attach');
    if (this.#parts?.context === context) return;
    if (this.#parts !== undefined) {
      throw new CacheConfigurationError(
        'This TieredBackend already belongs to another CacheManager. Make a backend for each manager.',
      );
    }
    const degradedParts = new DegradedParts((event) => context.report(event));
    this.#ownTier.attach({ ...context, report: (event) => this.#onOwnEvent(context, event) });
    this.#l2.attach({
      ...context,
      report: (event) => this.#onSharedEvent(context, degradedParts, event),
    });
    this.#parts = {
      context,
      trust: this.#trust,
      ownTier: this.#ownTier,
      coherence: this.#coherence,
      work: this.#work,
      callTimeoutMs: this.#l2.callTimeoutMs,
      isSharedTierOut: false,
    };
    this.#coherence?.attach({
      ...context,
      prefix: this.#l2.prefix,
      degradedParts,
      isSharedTierHealthy: () => this.#l2.health().status === 'healthy',
    });
  }

  /** @throws {@link CacheConfigurationError} when the backend belongs to no manager yet */
  open(space: CacheSpace): BackendStore {
    if (this.#closing !== undefined) throw closed('open');
    const id = spaceId(space);
    let store = this.#stores.get(id);
    if (store === undefined) {
      store = this.#make(space, this.#attached(`open cache '${space.name}'`));
      this.#stores.set(id, store);
    }
    return store;
  }

  invalidateTags(selection: TagSelection, options?: CallOptions): Promise<void> {
    return invalidateTiers(this.#attached('invalidate tags'), 'invalidateTags', options, {
      shared: (call) => this.#l2.invalidateTags(selection, call),
      message: { kind: 'tags', selection },
      own: () => this.#l1.invalidateTags(selection),
    });
  }

  clearAll(options?: CallOptions): Promise<void> {
    return invalidateTiers(this.#attached('clear all caches'), 'clearAll', options, {
      shared: (call) => this.#l2.clearAll(call),
      message: { kind: 'clearAll' },
      own: () => this.#l1.clearAll(),
    });
  }

  /** On the server of the shared tier. */
  openArea(name: string): CommandArea | undefined {
    return this.#l2.openArea?.(name);
  }

  /** Asks the shared tier. */
  ping(): MaybePromise<void> {
    return this.#l2.ping();
  }

  /** `degraded` while the shared tier or the bus does not answer: the own tier goes on, within `maxStaleness`. */
  health(): BackendHealth {
    if (this.#closing !== undefined) return { status: 'unavailable' };
    const shared = this.#l2.health();
    if (shared.status === 'unavailable') return shared;
    if (shared.status !== 'healthy') return { ...shared, status: 'degraded' };
    return { ...shared, ...this.#coherence?.health() };
  }

  /**
   * The facts of both tiers, as `l1.` and `l2.`, and of the bus: `bus`, `bus_status` (`healthy`, or `degraded` while messages
   * may be missing), `senders` (other processes that are heard), `suspected` (those that fell silent without a bye), `distrusts` (how often
   * everything was dropped here because a message may have been missing). Of a shared tier that does not answer,
   * `l2.breaker` is what is known.
   */
  async info(): Promise<Readonly<Record<string, string | number>>> {
    const { distrusts } = this.#ownTier;
    return {
      ...ofTier('l1', await this.#l1.info()),
      ...ofTier('l2', await this.#sharedFacts()),
      ...this.#coherence?.info(),
      distrusts,
    };
  }

  async #sharedFacts(): Promise<Readonly<Record<string, string | number>>> {
    try {
      return await this.#l2.info();
    } catch (error) {
      // The other facts are wanted most while it is away.
      const { breaker } = this.#l2.health();
      if (breaker === undefined || this.#closing !== undefined) throw error;
      return { breaker };
    }
  }

  /**
   * Lets writes and invalidations that are under way finish, and the shared tier take those that it missed; says
   * goodbye, and closes the bus and the own tier.
   */
  close(timeoutMs: number): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<void> {
    const until = performance.now() + timeoutMs;
    const remainingMs = (): number => Math.max(0, until - performance.now());
    const isDone = await this.#work.close(timeoutMs);
    const closings = [
      // First: what it carries out late, others must hear of before they are told that nothing more will come.
      () => this.#l2.close(remainingMs()),
      () => this.#coherence?.close(remainingMs(), isDone),
      () => this.#l1.close(remainingMs()),
    ];
    const failures: unknown[] = [];
    for (const closing of closings) {
      try {
        await closing();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  #make(space: CacheSpace, parts: TieredParts): BackendStore {
    const { tiers = DEFAULT_SPACE.tiers } = space;
    if (tiers === 'l2') return sharedTier(this.#l2.open(space));
    const l1 = this.#ownTier.open(space);
    if (tiers === 'both') {
      return new TieredStore(parts, space, l1, sharedTier(this.#l2.open(space)));
    }
    this.#ownCaches.add(space.name);
    return new OwnTierStore(parts, space, l1);
  }

  #attached(purpose: string): TieredParts {
    if (this.#parts !== undefined) return this.#parts;
    throw new CacheConfigurationError(
      `This TieredBackend cannot ${purpose} before it is attached. Give it to a CacheManager.`,
    );
  }

  /** That a copy's time is up is no news: the entry itself may live on in the shared tier. */
  #onOwnEvent(context: BackendContext, event: BackendEvent): void {
    if (event.type === 'expire' && !this.#ownCaches.has(event.cache)) return;
    context.report(event);
  }

  #onSharedEvent(context: BackendContext, degradedParts: DegradedParts, event: BackendEvent): void {
    switch (event.type) {
      case 'degraded':
        degradedParts.degraded('l2', event.error);
        return;
      case 'recovered':
        degradedParts.recovered('l2');
        return;
      default:
        context.report(event);
    }
  }
}

function closed(operation: string): CacheClosedError {
  return new CacheClosedError(`TieredBackend was closed: '${operation}' came too late`);
}

function ofTier(
  tier: 'l1' | 'l2',
  facts: Readonly<Record<string, string | number>>,
): Readonly<Record<string, string | number>> {
  return Object.fromEntries(Object.entries(facts).map(([name, fact]) => [`${tier}.${name}`, fact]));
}
