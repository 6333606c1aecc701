import type { OpenSubject } from '#internal/testing/consistency/consistency-subject.js';

/** What everybody writes first: look up, load, store. An invalidation during the load is lost. */
export const openSubject: OpenSubject = () => {
  const entries = new Map<string, unknown>();
  return {
    invalidations: ['key', 'keys', 'clear'],
    read: async (key, load) => {
      if (!entries.has(key)) entries.set(key, await load());
      return entries.get(key);
    },
    invalidate: async (target) => {
      if (target.kind === 'key') entries.delete(target.key);
      else if (target.kind === 'keys') for (const key of target.keys) entries.delete(key);
      else entries.clear();
    },
    close: async () => undefined,
  };
};
