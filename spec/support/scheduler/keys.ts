/** The keys of all schedules. A pattern can tell them apart, and can hit both. */
export const KEYS = ['a1', 'a2'] as const;
/** The tags of values that have any. */
export const TAGS: readonly string[] = ['blue', 'green'];
