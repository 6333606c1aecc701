import { seededRandom } from '#internal/testing/random-values.js';
import type { Chooser } from './schedule.js';

/** Numbers from 0 to 1, 1 excluded, the same for one seed. */
export function randomFrom(seed: number): () => number {
  const random = seededRandom(seed);
  return () => random() / 2 ** 32;
}

/** How often a {@link randomChooser} goes on with the newest step instead of any. */
export const EAGERNESS = [0, 0, 0.3, 0.7] as const;

/** Takes any step, or the newest one: operations that go far while others wait meet more of what can go wrong. */
export function randomChooser(random: () => number, eagerness: number): Chooser {
  return ({ length }) => (random() < eagerness ? length - 1 : Math.floor(random() * length));
}
