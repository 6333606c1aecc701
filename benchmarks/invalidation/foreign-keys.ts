import type { Redis } from 'ioredis';

const BATCH = 1000;

/** Stores keys that are no cache's, as many on each server; on a Cluster in a slot that is its own. */
export async function seedForeign(nodes: readonly Redis[], count: number): Promise<void> {
  for (const node of nodes) {
    const tag = await ownTag(node);
    const share = Math.ceil(count / nodes.length);
    for (let from = 0; from < share; from += BATCH) {
      const ids = Array.from({ length: Math.min(BATCH, share - from) }, (_, index) => from + index);
      await node.mset(...ids.flatMap((id) => [`foreign:{${tag}}:${id}`, '1']));
    }
  }
}

/** How many of them there are. */
export async function countForeign(nodes: readonly Redis[]): Promise<number> {
  let count = 0;
  for (const node of nodes) {
    let cursor = '0';
    do {
      const [next, names] = await node.scan(cursor, 'MATCH', 'foreign:*', 'COUNT', 10_000);
      cursor = next;
      count += names.length;
    } while (cursor !== '0');
  }
  return count;
}

/** A hash tag of a slot that the server has: others it refuses. */
async function ownTag(node: Redis): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    const tag = `t${attempt}`;
    try {
      await node.get(`foreign:{${tag}}:0`);
      return tag;
    } catch (error) {
      if (!(error as Error).message.startsWith('MOVED')) throw error;
    }
  }
}
