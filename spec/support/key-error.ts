import { expect } from 'chai';
import { CacheKeyError } from '#internal/errors.js';

/** The `CacheKeyError` that a call throws; fails when it throws none. */
export function keyErrorOf(call: () => unknown): CacheKeyError {
  try {
    call();
  } catch (error) {
    if (error instanceof CacheKeyError) return error;
    throw error;
  }
  return expect.fail('nothing was thrown');
}
