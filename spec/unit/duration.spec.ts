import { expect } from 'chai';
import fc from 'fast-check';
import { toMilliseconds, type Duration } from '#internal/duration.js';
import { InvalidOptionError } from '#internal/errors.js';

describe('toMilliseconds', () => {
  const SPANS: readonly (readonly [Duration, number])[] = [
    [0, 0],
    [0.5, 0.5],
    [250, 250],
    [Infinity, Infinity],
    ['0ms', 0],
    ['250ms', 250],
    ['10s', 10_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
    ['1.5h', 5_400_000],
    ['0.25s', 250],
  ];
  for (const [span, expected] of SPANS) {
    it(`gives ${expected} for ${JSON.stringify(span)}`, () => {
      expect(toMilliseconds(span, 'ttl')).to.equal(expected);
    });
  }

  it('gives n units for every whole number n', () => {
    const lengths = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom('ms', 's', 'm', 'h', 'd'), (count, unit) => {
        expect(toMilliseconds(`${count}${unit}`, 'ttl')).to.equal(count * lengths[unit]);
      }),
    );
  });

  const WRONG: readonly unknown[] = [
    -1,
    -0.001,
    -Infinity,
    NaN,
    '',
    '10',
    's',
    '-5s',
    '+5s',
    ' 5s',
    '5s ',
    '5 s',
    '5S',
    '5sec',
    '1e3s',
    '.5s',
    '5.s',
    '1h30m',
    'Infinity',
    '5m\n',
    null,
    undefined,
    true,
    {},
    [5],
    5n,
    new Date(0),
  ];
  for (const value of WRONG) {
    const shown =
      typeof value === 'string' ? JSON.stringify(value) : `${String(value)} (${typeof value})`;
    it(`refuses ${shown}, naming the option`, () => {
      expect(() => toMilliseconds(value as Duration, 'cache.ttl')).to.throw(
        InvalidOptionError,
        /^cache\.ttl: expected a duration \(milliseconds >= 0, or a string such as '250ms'/,
      );
    });
  }

  it('shows what it got, as text and as kind', () => {
    expect(() => toMilliseconds('soon' as Duration, 'ttl')).to.throw("got 'soon'");
    expect(() => toMilliseconds(-5, 'ttl')).to.throw('got -5 (number)');
    expect(() => toMilliseconds(Object.create(null) as Duration, 'ttl')).to.throw(
      InvalidOptionError,
      'ttl: ',
    );
    expect(() => toMilliseconds(Symbol('x') as never, 'ttl')).to.throw(InvalidOptionError, 'ttl: ');
  });
});
