import { InvalidOptionError } from '../../errors.js';
import { describeValue } from '../../options.js';
import type { RedisLike } from './redis-like.js';

/**
 * Refuses a client on which the promises would not hold.
 *
 * @throws {@link InvalidOptionError} for a key prefix or reads from replicas
 */
export function expectUsableClient(option: string, client: RedisLike): RedisLike {
  if (typeof client !== 'object' || client === null) {
    throw new InvalidOptionError(
      option,
      `expected an ioredis client, got ${describeValue(client)}`,
    );
  }
  if (typeof client.callBuffer !== 'function') {
    throw new InvalidOptionError(
      option,
      'expected an ioredis client, got an object without callBuffer; a mock such as ioredis-mock cannot run the scripts, so use a MemoryBackend in tests, or a real server',
    );
  }
  const { keyPrefix, role, readOnly, scaleReads } = client.options ?? {};
  if (keyPrefix !== undefined && keyPrefix !== '' && keyPrefix !== null) {
    throw new InvalidOptionError(
      option,
      'expected a client without keyPrefix, which ioredis does not apply to scans and scripts; use the option prefix',
    );
  }
  const readsReplicas = scaleReads !== undefined && scaleReads !== 'master';
  if (role === 'slave' || readOnly === true || readsReplicas) {
    throw new InvalidOptionError(
      option,
      'expected a client of the master: a replica may answer with entries that were invalidated',
    );
  }
  return client;
}
