import type { Duration } from '../duration.js';
import { CacheDeserializationError, CacheSerializationError } from '../errors.js';
import type { ValueModel } from './entry-framer.js';

/** A kind of error that is cached like a result. */
export interface CachedErrorRule {
  /** Errors that are instances of this class. */
  readonly error: abstract new (...args: never[]) => Error;
  /**
   * How long such an error is thrown again without a call of the method.
   * @defaultValue the operation's `ttl`
   */
  readonly ttl?: Duration | undefined;
  /**
   * Makes the error again from what was stored of it. Without it the error is cached only where values are kept
   * as they are (memory), as the same object.
   */
  readonly revive?: ((stored: StoredError) => Error) | undefined;
}

/** What a store of bytes keeps of an error: its name and message, and its own enumerable plain data. */
export interface StoredError {
  readonly name: string;
  readonly message: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * Turns cached errors into plain data and back, for stores that keep bytes. One per cache: whoever reads an error
 * must know its class, so all operations of the cache add their rules here.
 */
export class CachedErrors implements ValueModel {
  readonly #rules = new Map<string, CachedErrorRule>();

  add(rules: readonly CachedErrorRule[]): void {
    for (const rule of rules) {
      if (rule.revive !== undefined) this.#rules.set(rule.error.name, rule);
    }
  }

  /** Whether an error under this rule can leave the process. */
  static canTravel(rule: CachedErrorRule): boolean {
    return rule.revive !== undefined;
  }

  toPlain(value: unknown): unknown {
    for (const [name, rule] of this.#rules) {
      if (!(value instanceof rule.error)) continue;
      const { message } = value;
      return { name, message, data: ownData(value) } satisfies StoredError;
    }
    throw new CacheSerializationError('No rule of cacheErrors with a revive fits the error.');
  }

  fromPlain(plain: unknown): Error {
    const stored = plain as StoredError;
    const rule = this.#rules.get(stored.name);
    if (rule?.revive === undefined) {
      throw new CacheDeserializationError(
        `A cached error of class '${stored.name}' was found, which no cacheErrors here can revive.`,
      );
    }
    return rule.revive(stored);
  }
}

/** The error's own enumerable data; what an Error has by itself (message, stack, cause) is not enumerable. */
function ownData(error: Error): Record<string, unknown> {
  return Object.fromEntries(Object.entries(error).filter(([name]) => name !== 'name'));
}
