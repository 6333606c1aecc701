const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** Whether a promise ends, however it does, within the time. */
export async function endsWithin(timeoutMs: number, promise: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const time = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, Math.min(timeoutMs, LONGEST_DELAY_MS), false);
  });
  const ended = promise.then(
    () => true,
    () => true,
  );
  const isInTime = await Promise.race([ended, time]);
  clearTimeout(timer);
  return isInTime;
}
