/** How long one caller waits for a load. */
export interface WaitLimits {
  /** Ends the waiting with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** After this many milliseconds something else may be taken. */
  readonly softMs: number;
  /** After this many milliseconds something else is taken, or the call fails. */
  readonly hardMs: number;
}

/** What happens to a call whose limits pass. */
export interface WaitEnds<Result> {
  /** Something else to take, if there is any. Never rejects. */
  readonly instead?: (() => Promise<Result | undefined>) | undefined;
  /** What the call fails with at the hard limit. */
  readonly timeout: () => Error;
  /** Takes over the work that nobody waits for any more. */
  readonly abandon: (work: Promise<Result>) => void;
}

/** Beyond it `setTimeout` fires at once; nobody waits for so long. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Waits for work within a caller's limits. The work itself goes on beyond them: a caller's signal reaches it only while
 * the caller waits for it.
 */
export function waitWithin<Result>(
  start: (signal: AbortSignal | undefined) => Promise<Result>,
  { signal, softMs, hardMs }: WaitLimits,
  { instead, timeout, abandon }: WaitEnds<Result>,
): Promise<Result> {
  const isUnlimited = hardMs === Infinity && (softMs === Infinity || instead === undefined);
  if (isUnlimited) return start(signal);
  const relay = signal === undefined ? undefined : new AbortController();
  const forward = (): void => relay?.abort(signal?.reason);
  return new Promise<Result>((resolve, reject) => {
    const timers: NodeJS.Timeout[] = [];
    let isOver = false;
    const end = (settle: () => void): void => {
      if (isOver) return;
      isOver = true;
      for (const timer of timers) clearTimeout(timer);
      signal?.removeEventListener('abort', forward);
      settle();
    };
    if (signal?.aborted === true) forward();
    else signal?.addEventListener('abort', forward, { once: true });
    const work = start(relay?.signal);
    work.then(
      (result) => end(() => resolve(result)),
      (error: unknown) => end(() => reject(error as Error)),
    );
    const give = (settle: () => void): void => {
      if (isOver) return;
      end(settle);
      abandon(work);
    };
    const takeInstead = async (otherwise: (() => void) | undefined): Promise<void> => {
      if (isOver) return;
      const other = await instead?.();
      if (other !== undefined) give(() => resolve(other));
      else if (otherwise !== undefined) give(otherwise);
    };
    const after = (ms: number, otherwise?: () => void): void => {
      if (ms > LONGEST_TIMER_MS) return;
      const due = (): void => void takeInstead(otherwise);
      if (ms <= 0) due();
      else timers.push(setTimeout(due, ms));
    };
    if (instead !== undefined) after(softMs);
    after(hardMs, () => reject(timeout()));
  });
}
