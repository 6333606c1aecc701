import { expect } from 'chai';
import fc from 'fast-check';
import { formatHttpDate, parseHttpDate } from '#internal/http/http-date.js';

const NOW = Date.UTC(2026, 0, 15);

describe('parseHttpDate', () => {
  const DATES: readonly (readonly [string, number])[] = [
    ['Sun, 06 Nov 1994 08:49:37 GMT', Date.UTC(1994, 10, 6, 8, 49, 37)],
    ['sUN, 06 nov 1994 08:49:37 gmt', Date.UTC(1994, 10, 6, 8, 49, 37)],
    ['Sunday, 06-Nov-94 08:49:37 GMT', Date.UTC(1994, 10, 6, 8, 49, 37)],
    ['Sun Nov  6 08:49:37 1994', Date.UTC(1994, 10, 6, 8, 49, 37)],
    ['Wed Nov 16 08:49:37 1994', Date.UTC(1994, 10, 16, 8, 49, 37)],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['Sun, 21 Nov 2286 04:46:39 GMT', Date.UTC(2286, 10, 21, 4, 46, 39)],
    ['Thu, 29 Feb 2024 23:59:60 GMT', Date.UTC(2024, 1, 29, 23, 59, 60)],
    // The name of the day is not compared with the date.
    ['Mon, 06 Nov 1994 08:49:37 GMT', Date.UTC(1994, 10, 6, 8, 49, 37)],
  ];
  for (const [text, expected] of DATES) {
    it(`reads ${text}`, () => expect(parseHttpDate(text, NOW)).to.equal(expected));
  }

  const NO_DATES: readonly string[] = [
    '',
    '0',
    '-1',
    '2026-01-15T00:00:00Z',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 06 Nov 1994 08:49:37 UTC',
    'Sun, 06 Nov 1994 08:49:37 +0000',
    'Sun, 06 Nov 94 08:49:37 GMT',
    'Sun, 6 Nov 1994 08:49:37 GMT',
    'Sun 06 Nov 1994 08:49:37 GMT',
    'Sun, 06  Nov  1994 08:49:37 GMT',
    'Sun, 06-Nov-1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 08.49.37 GMT',
    'Sun, 06 Nov 1994 8:49:37 GMT',
    'Sunday, 06-Nov-1994 08:49:37 GMT',
    'Sun Nov 6 08:49:37 1994',
    'Day, 06 Nov 1994 08:49:37 GMT',
    'Sun, 06 Abc 1994 08:49:37 GMT',
    'Sun, 31 Nov 1994 08:49:37 GMT',
    'Sun, 00 Nov 1994 08:49:37 GMT',
    'Wed, 29 Feb 2023 00:00:00 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 08:60:00 GMT',
    'Sun, 06 Nov 1994 08:49:61 GMT',
    ' Sun, 06 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 08:49:37 GMT ',
    'Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT',
  ];
  for (const text of NO_DATES) {
    it(`takes "${text}" for no date`, () => expect(parseHttpDate(text, NOW)).to.equal(undefined));
  }

  it('puts a two-digit year more than 50 years ahead into the past century', () => {
    expect(parseHttpDate('Sunday, 01-Jan-76 00:00:00 GMT', NOW)).to.equal(Date.UTC(2076, 0, 1));
    expect(parseHttpDate('Sunday, 01-Jan-77 00:00:00 GMT', NOW)).to.equal(Date.UTC(1977, 0, 1));
  });

  it('reads back every second that formatHttpDate writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: -6e10, max: 2.5e11 }), (second) => {
        expect(parseHttpDate(formatHttpDate(second * 1000), NOW)).to.equal(second * 1000);
      }),
    );
  });
});

describe('formatHttpDate', () => {
  it('cuts the milliseconds, whatever it wrote before', () => {
    const second = Date.UTC(2026, 0, 15, 12, 0, 0);
    const texts = [second, second + 999, second + 1000, second, second - 1].map(formatHttpDate);
    expect(texts.map((text) => text.slice(0, 25))).to.deep.equal([
      ...['Thu, 15 Jan 2026 12:00:00', 'Thu, 15 Jan 2026 12:00:00', 'Thu, 15 Jan 2026 12:00:01'],
      ...['Thu, 15 Jan 2026 12:00:00', 'Thu, 15 Jan 2026 11:59:59'],
    ]);
  });
});
