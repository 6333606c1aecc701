import type { CacheError, CacheErrorCode } from '../errors.js';

/** The body of an answer that tells of a failure. */
export interface ErrorBody {
  readonly error: { readonly code: string; readonly name: string; readonly message: string };
}

/**
 * What strangers are told of each fault. The messages of the errors themselves are for the log: they name hosts, keys,
 * options and places in values.
 */
const MESSAGES: Readonly<Record<CacheErrorCode, string>> = {
  ERR_CACHE_CONFIGURATION: 'The cache is not set up correctly.',
  ERR_CACHE_INVALID_OPTION: 'The cache was given an option that it cannot have.',
  ERR_CACHE_UNKNOWN_CACHE: 'There is no such cache.',
  ERR_CACHE_DECORATOR_USAGE: 'The cache is not set up correctly.',
  ERR_CACHE_MISSING_PEER: 'The cache is not set up correctly.',
  ERR_CACHE_KEY: 'No cache key can be built of this request.',
  ERR_CACHE_BACKEND: "The cache's store failed.",
  ERR_CACHE_CONNECTION: "The cache's store cannot be reached.",
  ERR_CACHE_TIMEOUT: "The cache's store did not answer in time.",
  ERR_CACHE_CLOSED: 'The cache is closed.',
  ERR_CACHE_LOAD_TIMEOUT: 'The answer took too long to make.',
  ERR_CACHE_SERIALIZATION: 'A value cannot be stored as it is.',
  ERR_CACHE_DESERIALIZATION: 'A stored entry cannot be read.',
  ERR_CACHE_COMPRESSION: 'A value could not be compressed.',
  ERR_CACHE_DECOMPRESSION: 'A stored entry could not be decompressed.',
  ERR_CACHE_RATE_LIMIT: 'Too many requests. Try again later.',
};

/**
 * What a client sees of an error.
 *
 * @param exposesMessage - whether the error's own message is shown, with whatever it names
 */
export function errorBody(error: CacheError, exposesMessage: boolean): ErrorBody {
  const { code, name } = error;
  // Of another copy of the package it may be a code that this one does not know.
  const known = Object.hasOwn(MESSAGES, code) ? MESSAGES[code] : 'The cache failed.';
  return { error: { code, name, message: exposesMessage ? error.message : known } };
}

/** The status that an error is answered with; 500 where it names none that tells of a failure. */
export function errorStatus({ httpStatus }: CacheError): number {
  return Number.isInteger(httpStatus) && httpStatus >= 400 && httpStatus <= 599 ? httpStatus : 500;
}
