import { Redis } from 'ioredis';
import type { OpenSubject } from 'cachewell/testing';
import { TTL_MS, type SubjectOptions } from '../subject-options.js';

/** GET, load, SET; DEL to invalidate: what stands in most services. */
export const openSubject: OpenSubject = ({ options }) => {
  const client = new Redis((options as SubjectOptions).url);
  return {
    invalidations: ['key', 'keys', 'put'],
    get: async (key) => parsed(await client.get(key)),
    read: async (key, load) => {
      const found = parsed(await client.get(key));
      if (found !== undefined) return found;
      const value = await load();
      await client.set(key, JSON.stringify(value), 'PX', TTL_MS);
      return value;
    },
    put: async (key, value) =>
      (await client.set(key, JSON.stringify(value), 'PX', TTL_MS)) === 'OK',
    invalidate: async (target) => {
      if (target.kind === 'keys') await client.del(...target.keys);
      else if (target.kind === 'key') await client.del(target.key);
    },
    close: async () => client.disconnect(),
  };
};

function parsed(text: string | null): unknown {
  return text === null ? undefined : (JSON.parse(text) as unknown);
}
