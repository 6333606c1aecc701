import { toMilliseconds, type Duration } from '../../duration.js';
import { InvalidOptionError } from '../../errors.js';
import { describeValue } from '../../options.js';
import { expectUsableClient } from './redis-client-check.js';
import type { RedisLike } from './redis-like.js';

/** The longest that a timer of Node.js can wait. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/**
 * The client that options hold, if it can be used and nothing says how to make another one.
 *
 * @param clientMaking - the names of the options that say how to make a client
 * @throws {@link InvalidOptionError} when an option contradicts the client, or it cannot be used
 */
export function usableClient<Name extends string>(
  owner: string,
  options: Readonly<Partial<Record<Name, unknown>>> & { readonly client?: RedisLike | undefined },
  clientMaking: readonly Name[],
): RedisLike {
  for (const name of clientMaking) {
    if (options[name] === undefined) continue;
    throw new InvalidOptionError(
      `${owner}.${name}`,
      'contradicts client: the client was made with its own settings',
    );
  }
  return expectUsableClient(`${owner}.client`, options.client!);
}

/**
 * The milliseconds of an option; `undefined` when it is absent.
 *
 * @throws {@link InvalidOptionError} when it is no duration within the bounds
 */
export function spanOf<Name extends string>(
  owner: string,
  options: Readonly<Partial<Record<Name, Duration | undefined>>>,
  name: Name,
  min: number,
  max: number = MAX_DELAY_MS,
): number | undefined {
  const value = options[name];
  if (value === undefined) return undefined;
  const milliseconds = toMilliseconds(value, `${owner}.${name}`);
  if (milliseconds >= min && milliseconds <= max) return milliseconds;
  throw new InvalidOptionError(
    `${owner}.${name}`,
    `expected a duration from ${min} to ${max} ms, got ${describeValue(value)}`,
  );
}
