import { CacheManager, silentLogger, type CacheBackend } from 'cachewell';
import type { Cache } from '#internal/cache/cache.js';
import type { Invalidation, Reach } from './origin.js';
import type { Schedule } from './schedule.js';
import type { VirtualTime } from './virtual-time.js';

/** One process of a world, as far as caches can tell. */
export interface WorldNode {
  readonly index: number;
  readonly manager: CacheManager;
  readonly cache: Cache<readonly [string], number>;
}

/** How a manager runs transactions. */
export type Transact = CacheManager['transaction'];

/** Some processes, and what they share, with every step between them in a schedule. */
export interface World {
  readonly nodes: readonly WorldNode[];
  readonly reach: Reach;
  /** Told of each invalidation that is acknowledged. */
  readonly acknowledged?: ((invalidation: Invalidation) => void) | undefined;
  /** What can be lost of what the store keeps, as when it runs full; gives what was lost. */
  readonly lose?: ((random: number) => string | undefined) | undefined;
  /** Makes the store forget the scripts that it was told. */
  readonly forgetScripts?: (() => void) | undefined;
}

/** What worlds are made with. */
export interface WorldSettings {
  readonly schedule: Schedule;
  readonly time: VirtualTime;
  /** The definition of the cache that everything happens in. */
  readonly definition: Readonly<Record<string, unknown>>;
  /** Changes a node's backend, to prove that a fault in it is found. */
  readonly spoil?: ((backend: CacheBackend) => CacheBackend) | undefined;
  /** The same for the tier that a node has for itself, where it has one. */
  readonly spoilOwnTier?: ((backend: CacheBackend) => CacheBackend) | undefined;
  /** The same for a node's transactions. */
  readonly spoilTransactions?: ((transact: Transact) => Transact) | undefined;
}

/** A kind of world. */
export interface WorldRow {
  readonly name: string;
  /** How many nodes it has. */
  readonly size: number;
  /** How many of the random schedules happen in it, compared with the other worlds. */
  readonly share: number;
  /** Whether other worlds show what it does in all orders of two operations; random schedules it has all the same. */
  readonly isImplied?: boolean | undefined;
  /** Whether it has so many orders that in the ordinary run only the representatives meet each other. */
  readonly isCostly?: boolean | undefined;
  /** Whether the store tells who may load (`sync: 'cluster'`). */
  readonly hasLeases?: boolean | undefined;
  /** Whether nodes keep copies of what the shared store has. */
  readonly hasOwnTiers?: boolean | undefined;
  /** Why it is not there yet. */
  readonly pending?: string | undefined;
  build(settings: WorldSettings): World;
}

/** An acknowledged invalidation binds every node that reads the shared store itself. */
export const everywhere: Reach = () => true;

/** What a node's steps write. */
export function nodeState(index: number): string {
  return `node ${index}`;
}

/** What a node has been told by others, which binds its reads. */
export function messagesTo(index: number): string {
  return `messages to node ${index}`;
}

/** Makes a node on a backend. */
export function makeNode(
  index: number,
  backend: CacheBackend,
  { time, definition, spoil, spoilTransactions }: WorldSettings,
): WorldNode {
  const manager = new CacheManager({
    backend: spoil === undefined ? backend : spoil(backend),
    clock: { now: time.now },
    logger: silentLogger,
    // A failing invalidation must not look like one that was acknowledged.
    onError: 'throw',
    random: () => 0.5,
  });
  if (spoilTransactions !== undefined) {
    manager.transaction = spoilTransactions(manager.transaction.bind(manager));
  }
  const cache = manager.cache<readonly [string], number>('users', definition);
  return { index, manager, cache };
}
