/**
 * Every error that the library throws or reports.
 *
 * The tree: `CacheError` above `CacheConfigurationError` (the programmer's fault, thrown where it is
 * made and never swallowed), `CacheKeyError`, `CacheBackendError` (a store that fails; goes through
 * `onError`), the codec and compressor errors, `LoadTimeoutError` and `RateLimitError`.
 *
 * No message holds a cached value, a password, or the credentials of a URL.
 */

const brand = Symbol.for('cachewell.error');

/** The stable code of each error class. It does not change between releases. */
export type CacheErrorCode =
  | 'ERR_CACHE_CONFIGURATION'
  | 'ERR_CACHE_INVALID_OPTION'
  | 'ERR_CACHE_UNKNOWN_CACHE'
  | 'ERR_CACHE_DECORATOR_USAGE'
  | 'ERR_CACHE_MISSING_PEER'
  | 'ERR_CACHE_KEY'
  | 'ERR_CACHE_BACKEND'
  | 'ERR_CACHE_CONNECTION'
  | 'ERR_CACHE_TIMEOUT'
  | 'ERR_CACHE_CLOSED'
  | 'ERR_CACHE_LOAD_TIMEOUT'
  | 'ERR_CACHE_SERIALIZATION'
  | 'ERR_CACHE_DESERIALIZATION'
  | 'ERR_CACHE_COMPRESSION'
  | 'ERR_CACHE_DECOMPRESSION'
  | 'ERR_CACHE_RATE_LIMIT';

/** What `JSON.stringify` shows of an error: enough for a log line or an HTTP body, no stack, no cause. */
export interface CacheErrorJson {
  readonly name: string;
  readonly code: CacheErrorCode;
  readonly message: string;
}

/** The root of all errors of this library. Tell them apart by class, by `code`, or with {@link isCacheError}. */
export abstract class CacheError extends Error {
  /** Stable, machine-readable name of the fault. */
  abstract readonly code: CacheErrorCode;
  /** The HTTP status that an error handler should answer with. */
  readonly httpStatus: number = 500;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }

  /** Name, code and message; neither stack nor cause, which may tell more than a client should see. */
  toJSON(): CacheErrorJson {
    return { name: this.name, code: this.code, message: this.message };
  }
}

Object.defineProperty(CacheError.prototype, brand, { value: true });

/**
 * Whether `error` is a `CacheError`, of whichever copy of the package, and has the given code if one is given.
 *
 * @example
 * ```ts
 * if (isCacheError(error, 'ERR_CACHE_TIMEOUT')) metrics.increment('cache.timeout');
 * ```
 */
export function isCacheError(error: unknown, code?: CacheErrorCode): error is CacheError {
  if (typeof error !== 'object' || error === null || !(brand in error)) return false;
  return code === undefined || (error as Partial<CacheError>).code === code;
}

/** The set-up is wrong. Thrown where the fault is made, also under `onError: 'bypass'`. */
export class CacheConfigurationError extends CacheError {
  readonly code:
    | 'ERR_CACHE_CONFIGURATION'
    | 'ERR_CACHE_INVALID_OPTION'
    | 'ERR_CACHE_UNKNOWN_CACHE'
    | 'ERR_CACHE_DECORATOR_USAGE'
    | 'ERR_CACHE_MISSING_PEER' = 'ERR_CACHE_CONFIGURATION';
}

/** An option has a value that it cannot have, or is not an option at all. */
export class InvalidOptionError extends CacheConfigurationError {
  override readonly code = 'ERR_CACHE_INVALID_OPTION';
  /** Where the option stands, such as `MemoryBackend.maxEntries`. */
  readonly option: string;

  constructor(option: string, message: string, options?: ErrorOptions) {
    super(`${option}: ${message}`, options);
    this.option = option;
  }
}

/** A cache was asked for by a name that `strictCaches` does not know. */
export class UnknownCacheError extends CacheConfigurationError {
  override readonly code = 'ERR_CACHE_UNKNOWN_CACHE';
  /** The name that was asked for. */
  readonly cacheName: string;

  constructor(cacheName: string, knownNames: readonly string[]) {
    const known =
      knownNames.length === 0 ? 'none is declared' : `declared: ${knownNames.join(', ')}`;
    super(
      `There is no cache '${cacheName}' (${known}). Declare it in the manager's 'caches', or turn 'strictCaches' off.`,
    );
    this.cacheName = cacheName;
  }
}

/** A decorator stands where it cannot work, or two of them contradict each other. */
export class DecoratorUsageError extends CacheConfigurationError {
  override readonly code = 'ERR_CACHE_DECORATOR_USAGE';
  /** The decorator's name without the at sign, such as `Cacheable`. */
  readonly decorator: string;
  /** The decorated member, as in the source. */
  readonly member: string;

  constructor(decorator: string, member: PropertyKey, message: string) {
    super(`@${decorator} on '${String(member)}': ${message}`);
    this.decorator = decorator;
    this.member = String(member);
  }
}

/** An optional package is needed and not installed. */
export class MissingPeerError extends CacheConfigurationError {
  override readonly code = 'ERR_CACHE_MISSING_PEER';
  /** The package to install. */
  readonly packageName: string;
  /** The range of versions that works. */
  readonly range: string;

  constructor(feature: string, packageName: string, range: string, options?: ErrorOptions) {
    super(
      `${feature} needs the package '${packageName}' (${range}), which is not installed. Run: npm install ${packageName}`,
      options,
    );
    this.packageName = packageName;
    this.range = range;
  }
}

/** A key cannot be built: an argument has no stable form, or the key function failed. */
export class CacheKeyError extends CacheError {
  readonly code = 'ERR_CACHE_KEY';
  override readonly httpStatus = 400;
  /** Where in the arguments the fault lies, such as `args[0].filter`; empty when it is not in a value. */
  readonly path: string;

  constructor(message: string, path = '', options?: ErrorOptions) {
    super(message, options);
    this.path = path;
  }
}

/** A store failed. Under `onError: 'bypass'` it is reported as an event and the call goes on without the cache. */
export class CacheBackendError extends CacheError {
  readonly code:
    'ERR_CACHE_BACKEND' | 'ERR_CACHE_CONNECTION' | 'ERR_CACHE_TIMEOUT' | 'ERR_CACHE_CLOSED' =
    'ERR_CACHE_BACKEND';
}

/** The store cannot be reached, or refuses us: no server, wrong password, another protocol. */
export class CacheConnectionError extends CacheBackendError {
  override readonly code = 'ERR_CACHE_CONNECTION';
  override readonly httpStatus = 503;
}

/** The store did not answer within the time that a call may cost. */
export class CacheTimeoutError extends CacheBackendError {
  override readonly code = 'ERR_CACHE_TIMEOUT';
  override readonly httpStatus = 503;
  /** The limit that passed, in milliseconds. */
  readonly timeoutMs: number;

  constructor(operation: string, timeoutMs: number, options?: ErrorOptions) {
    super(`${operation} got no answer within ${timeoutMs} ms`, options);
    this.timeoutMs = timeoutMs;
  }
}

/** The backend or the manager was closed before this call. */
export class CacheClosedError extends CacheBackendError {
  override readonly code = 'ERR_CACHE_CLOSED';
  override readonly httpStatus = 503;
}

/** The method itself took longer than `hardTimeout`. Never bypassed: there is no value to give. */
export class LoadTimeoutError extends CacheError {
  readonly code = 'ERR_CACHE_LOAD_TIMEOUT';
  override readonly httpStatus = 504;
  /** The limit that passed, in milliseconds. */
  readonly timeoutMs: number;

  constructor(operation: string, timeoutMs: number) {
    super(`${operation} took longer than its hardTimeout of ${timeoutMs} ms`);
    this.timeoutMs = timeoutMs;
  }
}

/** A value cannot be stored without a change of its meaning, so it was not stored. */
export class CacheSerializationError extends CacheError {
  readonly code = 'ERR_CACHE_SERIALIZATION';
  /** Where in the value the fault lies, such as `value.items[3].save`. */
  readonly path: string;

  constructor(message: string, path = '', options?: ErrorOptions) {
    super(message, options);
    this.path = path;
  }
}

/**
 * Why stored bytes are not a value.
 *
 * - `damaged`: a frame whose checksum, header or payload does not hold.
 * - `foreign`: not a frame at all; somebody else wrote it.
 * - `unknown-version`: a frame of a later layout. A reader must leave it alone: newer processes can read it.
 * - `unknown-codec`: a sound frame whose codec or compressor this process does not know. Leave it alone, too.
 * - `model`: a sound value that no longer fits the cache's model.
 */
export type CacheDeserializationReason =
  'damaged' | 'foreign' | 'unknown-version' | 'unknown-codec' | 'model';

/** What {@link CacheDeserializationError} takes beside its message. */
export interface CacheDeserializationErrorOptions extends ErrorOptions {
  /** @defaultValue 'damaged' */
  readonly reason?: CacheDeserializationReason;
}

/** Stored bytes are not a value: damaged, foreign, or of a codec that this process does not know. */
export class CacheDeserializationError extends CacheError {
  readonly code = 'ERR_CACHE_DESERIALIZATION';
  /** Tells what a reader may do with the bytes: see {@link CacheDeserializationReason}. */
  readonly reason: CacheDeserializationReason;

  constructor(message: string, options?: CacheDeserializationErrorOptions) {
    super(message, options);
    this.reason = options?.reason ?? 'damaged';
  }
}

/** A compressor failed; the value is stored uncompressed instead. */
export class CacheCompressionError extends CacheError {
  readonly code = 'ERR_CACHE_COMPRESSION';
}

/** Stored bytes cannot be decompressed, or would grow beyond the limit. */
export class CacheDecompressionError extends CacheError {
  readonly code = 'ERR_CACHE_DECOMPRESSION';
}

/** A client sent more requests than its limit allows. */
export class RateLimitError extends CacheError {
  readonly code = 'ERR_CACHE_RATE_LIMIT';
  override readonly httpStatus = 429;
  /** When the client may try again, in milliseconds from now. */
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}
