import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';
import type { LoadRecord, OriginValue } from './operation-record.js';
import type { SeededChance } from './seeded-chance.js';

/** A load that fails on purpose, as databases do. */
export class OriginFault extends Error {
  override readonly name = 'OriginFault';
}

const FAULT_MESSAGE = 'the origin of the consistency checker failed on purpose';

/** The share of loads that fail. */
const FAULT_SHARE = 0.01;

/** What an origin needs from its process. */
export interface OriginOptions {
  readonly process: number;
  /** The longest load, in milliseconds. */
  readonly slowestLoadMs: number;
  readonly chance: SeededChance;
  readonly now: () => number;
  readonly emit: (record: LoadRecord) => void;
}

/**
 * The database behind the cache, whose version of every key is the time.
 *
 * A counter per key would have to be shared by all processes. The clock is shared already, and stricter: a value is
 * new at every moment, so each one that is served too late is seen, not only those of keys that happened to change. A
 * load gives the version of its beginning, as if it read first and computed then.
 */
export class VersionedOrigin {
  readonly #options: OriginOptions;

  constructor(options: OriginOptions) {
    this.#options = options;
  }

  /**
   * Loads a key, at once or after a while.
   *
   * @throws {@link OriginFault} now and then
   */
  async load(key: string): Promise<OriginValue> {
    const { process, now, emit } = this.#options;
    const startedAt = now();
    await this.#work();
    emit({ type: 'load', process, key, startedAt, endedAt: now() });
    if (this.#options.chance.next() < FAULT_SHARE) throw new OriginFault(FAULT_MESSAGE);
    return { key, at: startedAt, by: process };
  }

  /** Half of the loads end in the turn they began in or in the next one, a few take long. */
  async #work(): Promise<void> {
    const { chance, slowestLoadMs } = this.#options;
    const kind = chance.next();
    if (kind < 0.25) return;
    if (kind < 0.5) return turn();
    const longest = kind < 0.95 ? slowestLoadMs / 8 : slowestLoadMs;
    await pause(chance.next() * longest);
  }
}

/** Whether something failed because the origin did, whatever the cache wrapped around it. */
export function isOriginFault(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if (at.message.includes(FAULT_MESSAGE)) return true;
  }
  return false;
}
