import { CacheDeserializationError, isCacheError } from '../../errors.js';
import type { BackendContext, CacheSpace } from '../../cache/backend.js';
import type { StoredEntry } from '../../cache/entry.js';
import type { OpenedFrame } from '../../cache/entry-framer.js';
import type { MaybePromise } from '../../cache/maybe-promise.js';
import { entryTimes, NO_KEY } from './redis-entry-times.js';

/** Turns what lies under a key into an entry; what cannot become one is reported and counts as absent. */
export class RedisReader {
  readonly #context: BackendContext;
  readonly #space: CacheSpace;

  constructor(context: BackendContext, space: CacheSpace) {
    this.#context = context;
    this.#space = space;
  }

  /** The header of a stored frame, if the bytes are one. */
  open(key: string, bytes: Buffer, operation: string): OpenedFrame | undefined {
    try {
      return this.#context.framer.open(bytes);
    } catch (error) {
      this.report(operation, key, error);
      return undefined;
    }
  }

  /**
   * The entry of a frame that is live.
   *
   * @param pttl - what Redis says of the key's remaining time, where it was asked
   */
  entry(
    key: string,
    frame: OpenedFrame,
    operation: string,
    pttl?: number,
  ): MaybePromise<StoredEntry | undefined> {
    if (pttl === NO_KEY) return undefined;
    try {
      const value = this.#context.framer.decodeValue(frame, this.#space.framing);
      if (!(value instanceof Promise)) return this.#assemble(frame, value, pttl);
      return value.then(
        (decoded) => this.#assemble(frame, decoded, pttl),
        (error: unknown) => this.report(operation, key, error),
      );
    } catch (error) {
      return this.report(operation, key, error);
    }
  }

  report(operation: string, key: string, error: unknown): undefined {
    this.#context.report({
      type: 'error',
      cache: this.#space.name,
      key,
      operation,
      error: isCacheError(error)
        ? error
        : new CacheDeserializationError('A stored entry cannot be read.', { cause: error }),
    });
    return undefined;
  }

  #assemble(frame: OpenedFrame, value: unknown, pttl: number | undefined): StoredEntry {
    this.#context.report({
      type: 'bytes',
      cache: this.#space.name,
      read: frame.payload.length,
      written: 0,
    });
    const now = this.#context.clock.now();
    const { createdAt, expiresAt, retainedUntil } = entryTimes(frame, pttl, now);
    return {
      value,
      kind: frame.kind,
      tags: frame.tags,
      sequence: frame.sequence,
      createdAt,
      expiresAt,
      retainedUntil,
      loadCostMs: frame.loadCostMs,
      source: 'l2',
    };
  }
}
