/**
 * What larger numbers of seconds are read as (RFC 9111 section 1.2.2): no less than any cache can wait, and exact in
 * milliseconds.
 */
export const MAX_DELTA_SECONDS = 2_147_483_648;

/** The same in milliseconds. */
export const MAX_DELTA_MS: number = MAX_DELTA_SECONDS * 1000;

/** Digits and nothing else, as a number of seconds no greater than {@link MAX_DELTA_SECONDS}; otherwise `undefined`. */
export function parseDeltaSeconds(text: string): number | undefined {
  if (text === '') return undefined;
  let seconds = 0;
  for (let at = 0; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    if (seconds < MAX_DELTA_SECONDS) seconds = seconds * 10 + digit;
  }
  return Math.min(seconds, MAX_DELTA_SECONDS);
}
