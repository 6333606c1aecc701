import { inspect } from 'node:util';
import { CacheConfigurationError } from '../errors.js';
import type { SettingField } from './setting.js';

const SHOWN_LENGTH = 60;

/** What is wrong with a text: `REDIS_PORT (redis.port): expected a whole number from 1 to 65535, got 'abc'`. */
export function describeTextFault(
  variable: string,
  path: string,
  { kind }: SettingField,
  raw: string,
  hint = '',
): string {
  const got = kind.isSecret ? 'got a text that is not shown' : `got ${show(raw)}`;
  return `${variable} (${path}): expected ${kind.expectedText}, ${got}${hint}`;
}

/** What is wrong with a value: `redis.port: expected a whole number from 1 to 65535, got 0`. */
export function describeValueFault(path: string, { kind }: SettingField, value: unknown): string {
  const got = kind.isSecret ? 'got a value that is not shown' : `got ${show(value)}`;
  return `${path}: expected ${kind.expectedValue}, ${got}`;
}

/**
 * Reports all faults at once, so that a deployment is corrected once.
 *
 * @throws {@link CacheConfigurationError} with a line for each fault, when there is one
 */
export function throwFaults(faults: readonly string[]): void {
  if (faults.length === 0) return;
  const count = faults.length === 1 ? 'a fault' : `${faults.length} faults`;
  throw new CacheConfigurationError(
    `The settings have ${count}:\n${faults.map((fault) => `- ${fault}`).join('\n')}`,
  );
}

/** A value, short, and without what could be credentials: a whole URL may have landed in the wrong variable. */
function show(value: unknown): string {
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? 'an array' : 'an object';
  if (typeof value !== 'string') return String(value);
  const safe = value.replace(/^.*@/s, '***@');
  return inspect(safe.length > SHOWN_LENGTH ? `${safe.slice(0, SHOWN_LENGTH)}…` : safe);
}
