import { Redis } from 'ioredis';
import type {
  ConsistencySubject,
  OriginLoad,
} from '#internal/testing/consistency/consistency-subject.js';

/** Loads that ended when nobody waited for them any more, and gave a value. */
export interface LoadsBehind {
  /** They began when their caller had been answered, with a stale value. */
  readonly refreshes: number;
  /** Their caller waited for them, and got a stale value in the end. */
  readonly completions: number;
}

/** Where processes leave what they have counted. No key of a cache. */
const KEY = 'loads behind';

/** Counts the loads behind the answers of a subject, and leaves the numbers on a server when it is closed. */
export function countingLoadsBehind(inner: ConsistencySubject, url: string): ConsistencySubject {
  const counts = { refreshes: 0, completions: 0 };
  return {
    ...inner,
    async read(key, load, tags) {
      let isAnswered = false;
      const counted: OriginLoad = async () => {
        const kind = isAnswered ? 'refreshes' : 'completions';
        const value = await load();
        if (isAnswered) counts[kind]++;
        return value;
      };
      try {
        return await inner.read(key, counted, tags);
      } finally {
        isAnswered = true;
      }
    },
    async close() {
      await inner.close();
      const client = new Redis(url);
      await client.hincrby(KEY, 'refreshes', counts.refreshes);
      await client.hincrby(KEY, 'completions', counts.completions);
      await client.quit();
    },
  };
}

/** What all processes together have counted. */
export async function loadsBehind(client: Redis): Promise<LoadsBehind> {
  const [refreshes, completions] = await client.hmget(KEY, 'refreshes', 'completions');
  return { refreshes: Number(refreshes), completions: Number(completions) };
}
