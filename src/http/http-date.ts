const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const MONTH = `(${MONTHS.join('|')})`;
const DAY = '(?:mon|tue|wed|thu|fri|sat|sun)';
const LONG_DAY = '(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)';
const TIME = '(\\d\\d):(\\d\\d):(\\d\\d)';

/** RFC 9110 section 5.6.7. Names in any case, as many senders write them; nothing else is bent. */
const IMF_FIXDATE = new RegExp(`^${DAY}, (\\d\\d) ${MONTH} (\\d{4}) ${TIME} gmt$`, 'i');
const RFC_850 = new RegExp(`^${LONG_DAY}, (\\d\\d)-${MONTH}-(\\d\\d) ${TIME} gmt$`, 'i');
const ASCTIME = new RegExp(`^${DAY} ${MONTH} (\\d\\d| \\d) ${TIME} (\\d{4})$`, 'i');

/** Longer than any date; keeps the patterns away from long texts. */
const LONGEST = 'Wednesday, 01-Jan-70 00:00:00 GMT'.length;

/**
 * The milliseconds since the epoch of an HTTP date, in one of the three grammars of RFC 9110 section 5.6.7 and in no
 * other form; `undefined` otherwise. The platform's own parser takes nearly anything, such as `0`, and would make it fresh.
 *
 * The day of the week must be a name of one, but is not compared with the date: recipients never did.
 *
 * @param now - the present; a two-digit year that seems to lie more than 50 years ahead is in the past century
 */
export function parseHttpDate(text: string, now: number): number | undefined {
  if (text.length > LONGEST) return undefined;
  const fixed = IMF_FIXDATE.exec(text);
  if (fixed !== null) return utc(Number(fixed[3]), fixed[2]!, fixed[1]!, fixed, 4);
  const asctime = ASCTIME.exec(text);
  if (asctime !== null) return utc(Number(asctime[6]), asctime[1]!, asctime[2]!, asctime, 3);
  const old = RFC_850.exec(text);
  if (old === null) return undefined;
  return utc(fullYear(Number(old[3]), now), old[2]!, old[1]!, old, 4);
}

/** The second that was written last, and its text: most dates of a second are asked for more than once. */
let lastSecond = NaN;
let lastText = '';

/** An HTTP date in the form that senders have to use (IMF-fixdate). */
export function formatHttpDate(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second !== lastSecond) {
    lastText = new Date(second * 1000).toUTCString();
    lastSecond = second;
  }
  return lastText;
}

function fullYear(twoDigits: number, now: number): number {
  const present = new Date(now).getUTCFullYear();
  const year = present - (present % 100) + twoDigits;
  return year > present + 50 ? year - 100 : year;
}

function utc(
  year: number,
  monthName: string,
  dayText: string,
  match: RegExpExecArray,
  timeAt: number,
): number | undefined {
  const month = MONTHS.indexOf(monthName.toLowerCase());
  const day = Number(dayText);
  const hour = Number(match[timeAt]);
  const minute = Number(match[timeAt + 1]);
  const second = Number(match[timeAt + 2]);
  // A leap second is the only second above 59.
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const date = new Date(0);
  // Not Date.UTC, which reads the years 0 to 99 as 1900 to 1999.
  date.setUTCFullYear(year, month, day);
  if (date.getUTCMonth() !== month || date.getUTCDate() !== day) return undefined;
  return date.setUTCHours(hour, minute, second);
}
