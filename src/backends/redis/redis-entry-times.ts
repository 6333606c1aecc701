/** What `PTTL` says of a key that has no expiry, and of one that is not there. */
const NO_EXPIRY = -1;
export const NO_KEY = -2;

/** The times in a frame. */
interface FrameTimes {
  readonly createdAt: number;
  readonly ttlMs: number;
  readonly retainMs: number;
}

/** The times of a live entry by this process' clock. */
export interface EntryTimes {
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly retainedUntil: number;
}

/** @param pttl - what Redis says of the key's remaining time, where it was asked */
export function entryTimes(frame: FrameTimes, pttl: number | undefined, now: number): EntryTimes {
  const { ttlMs, retainMs } = frame;
  let createdAt = Math.min(frame.createdAt, now);
  let expiresAt = createdAt + ttlMs;
  let retainedUntil = createdAt + retainMs;
  if (retainMs < ttlMs) {
    // It slides: reads move the server's time, so only the writer's clock tells the bound that they cannot move.
    const left = pttl === undefined ? retainMs : Math.max(pttl, 1);
    return { createdAt, expiresAt, retainedUntil: Math.min(expiresAt, now + left) };
  }
  if (pttl !== undefined && pttl !== NO_EXPIRY && retainMs !== Infinity) {
    // The server's clock decides: the writer's may be hours off.
    retainedUntil = now + pttl;
    createdAt = Math.min(now, retainedUntil - retainMs);
    expiresAt = retainedUntil - (retainMs - ttlMs);
  } else if (ttlMs === retainMs && expiresAt <= now) {
    // Redis still has it, so its time is not up, whatever the writer's clock said.
    expiresAt = now + 1;
  }
  return { createdAt, expiresAt, retainedUntil: Math.max(retainedUntil, expiresAt, now + 1) };
}
