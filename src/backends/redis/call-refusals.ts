import {
  CacheBackendError,
  CacheClosedError,
  CacheConnectionError,
  CacheTimeoutError,
  type CacheError,
} from '../../errors.js';

/**
 * What calls fail with that are not sent. In an outage every call gets such an error, so they are made once for each
 * operation, as long as the reason is the same.
 */
export class CallRefusals {
  readonly #place: string;
  readonly #known = new Map<string, CacheError>();
  #reason: CacheError | undefined;

  /** @param place - where Redis is, for messages */
  constructor(place: string) {
    this.#place = place;
  }

  /** The connection is out of reach. */
  outOfReach(operation: string, reason: CacheError | undefined): CacheError {
    if (this.#reason !== reason) {
      this.#reason = reason;
      this.#known.clear();
    }
    // What is wrong with the set-up does not pass by waiting.
    if (reason !== undefined && !(reason instanceof CacheBackendError)) return reason;
    let refusal = this.#known.get(operation);
    if (refusal === undefined) {
      refusal = new CacheConnectionError(
        `${operation} was not sent, for Redis at ${this.#place} is out of reach; it is tried again in the background${reason === undefined ? '' : `. Last failure: ${reason.message}`}`,
        { cause: reason },
      );
      this.#known.set(operation, refusal);
    }
    return refusal;
  }

  /** The connection was closed for good. */
  closed(operation: string): CacheError {
    return new CacheClosedError(`${operation}: the backend of Redis at ${this.#place} was closed`);
  }

  /** The call's time was up before it began. */
  overdue(operation: string, timeoutMs: number): CacheError {
    return new CacheTimeoutError(
      `Redis: the call that ends with ${operation}, which was not sent,`,
      timeoutMs,
    );
  }
}
