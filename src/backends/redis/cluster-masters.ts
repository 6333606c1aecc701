import { CacheConnectionError } from '../../errors.js';
import type { RedisLike } from './redis-like.js';

/** The name of a node, as the slots of a Cluster client have it. */
export function nodeName({ options }: RedisLike): string {
  return `${options?.host}:${options?.port}`;
}

/**
 * A client for each master, in the order of their names.
 *
 * @throws {@link CacheConnectionError} when there is none for some of the slots: ioredis drops a node whose connection
 * broke, and what is done on the others would count as done on all
 */
export function allMasters(client: RedisLike): readonly RedisLike[] {
  const masters = new Map((client.nodes?.('master') ?? []).map((node) => [nodeName(node), node]));
  if (masters.size === 0)
    throw new CacheConnectionError('No master of the Redis Cluster is known.');
  let last: readonly string[] | undefined;
  for (const owners of client.slots ?? []) {
    // The slots of a range share one list.
    if (owners === last || owners === undefined) continue;
    last = owners;
    const name = owners[0];
    if (name === undefined || masters.has(name)) continue;
    throw new CacheConnectionError(`The master ${name} of the Redis Cluster is out of reach.`);
  }
  return [...masters].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, node]) => node);
}
