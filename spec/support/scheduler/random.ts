import type { Chooser } from './schedule.js';

/** Numbers from 0 to 1, 1 excluded, the same for one seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How often a {@link randomChooser} goes on with the newest step instead of any. */
export const EAGERNESS = [0, 0, 0.3, 0.7] as const;

/** Takes any step, or the newest one: operations that go far while others wait meet more of what can go wrong. */
export function randomChooser(random: () => number, eagerness: number): Chooser {
  return ({ length }) => (random() < eagerness ? length - 1 : Math.floor(random() * length));
}
