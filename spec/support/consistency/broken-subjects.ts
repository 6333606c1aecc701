import type { OpenSubject } from '#internal/testing/consistency/consistency-subject.js';

/** How the subject fails the checker, not the cache. */
export type Breakage = 'open' | 'hang' | 'crash' | 'reject' | 'foreign' | 'nothing';

/** Subjects that hold nothing and break in one way each. */
export const openSubject: OpenSubject = ({ options }) => {
  const how = options as Breakage;
  if (how === 'open') throw new Error('no server to be found');
  let reads = 0;
  return {
    invalidations: ['key'],
    read: async (_key, load) => {
      reads++;
      if (how === 'hang' && reads > 50) await new Promise(() => undefined);
      if (how === 'crash' && reads > 50) {
        queueMicrotask(() => {
          throw new Error('a callback of the cache threw');
        });
      }
      if (how === 'reject' && reads % 10 === 0) throw new Error('the store is away');
      if (how === 'foreign' && reads % 10 === 0) return 'from another application';
      return load();
    },
    invalidate: async () => undefined,
    close: async () => undefined,
  };
};
