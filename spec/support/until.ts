import { setTimeout as pause } from 'node:timers/promises';

/** Waits until a condition on the world outside holds: bounded, and without a guess of how long it takes. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  limitMs = 10_000,
): Promise<void> {
  const giveUpAt = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > giveUpAt) throw new Error(`not within ${limitMs} ms: ${what}`);
    await pause(2);
  }
}
