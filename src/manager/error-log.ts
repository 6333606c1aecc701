import type { CacheLogger } from '../cache/cache-logger.js';
import type { CacheClock } from '../clock.js';
import type { CacheError, CacheErrorCode } from '../errors.js';

/** How long a fault of one kind is not logged again, in milliseconds. */
const QUIET_MS = 60_000;
/** How many kinds of fault are told apart. */
const MAX_KINDS = 1000;

/** A store that is out of reach fails every operation of every cache: that is one fault. */
const OUTAGES: readonly CacheErrorCode[] = [
  'ERR_CACHE_CONNECTION',
  'ERR_CACHE_TIMEOUT',
  'ERR_CACHE_CLOSED',
];

/**
 * Logs failures of the cache: the first of a kind at once, the next after a minute, with the number of those in
 * between. A fault that hits every call must not fill the log.
 */
export class ErrorLog {
  readonly #logger: CacheLogger;
  readonly #clock: CacheClock;
  readonly #kinds = new Map<string, { loggedAt: number; suppressed: number }>();

  constructor(logger: CacheLogger, clock: CacheClock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  report(
    operation: string,
    error: CacheError,
    cache: string | undefined,
    key: string | undefined,
  ): void {
    const isOutage = OUTAGES.includes(error.code);
    const kind = isOutage ? error.code : `${operation} ${error.code} ${cache ?? ''}`;
    const now = this.#clock.now();
    const known = this.#kinds.get(kind);
    if (known !== undefined && now - known.loggedAt < QUIET_MS) {
      known.suppressed++;
      return;
    }
    if (this.#kinds.size >= MAX_KINDS) this.#kinds.clear();
    this.#kinds.set(kind, { loggedAt: now, suppressed: 0 });
    this.#logger.warn(`The cache failed and was bypassed: ${error.message}`, {
      operation,
      code: error.code,
      ...(cache === undefined ? {} : { cache }),
      ...(key === undefined ? {} : { key }),
      ...(known === undefined || known.suppressed === 0 ? {} : { suppressed: known.suppressed }),
    });
  }

  /** The store answers again, and says so: the next outage is news. */
  recovered(): void {
    let failures = 0;
    for (const code of OUTAGES) {
      const kind = this.#kinds.get(code);
      if (kind !== undefined) failures += 1 + kind.suppressed;
      this.#kinds.delete(code);
    }
    if (failures > 0) this.#logger.info('The store of the cache answers again.', { failures });
  }
}
