import { Redis } from 'ioredis';
import type { OpenSubject } from '#internal/testing/consistency/consistency-subject.js';

/** GET, load, SET; DEL to invalidate: the usual cache by hand, on a server that all processes share. */
export const openSubject: OpenSubject = ({ options }) => {
  const client = new Redis((options as { readonly url: string }).url);
  return {
    invalidations: ['key'],
    read: async (key, load) => {
      const found = await client.get(key);
      if (found !== null) return JSON.parse(found) as unknown;
      const value = await load();
      await client.set(key, JSON.stringify(value));
      return value;
    },
    invalidate: async (target) => {
      if (target.kind === 'key') await client.del(target.key);
    },
    close: async () => client.disconnect(),
  };
};
