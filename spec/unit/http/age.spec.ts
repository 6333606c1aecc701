import { expect } from 'chai';
import { currentAgeMs, initialAgeMs, parseAge } from '#internal/http/age.js';
import { MAX_DELTA_SECONDS } from '#internal/http/delta-seconds.js';
import { formatHttpDate } from '#internal/http/http-date.js';
import { storedHead, T0 } from '../../support/http-messages.js';

describe('parseAge', () => {
  const AGES: readonly (readonly [string, number])[] = [
    ['0', 0],
    ['7200', 7200],
    ['007', 7],
    [' 12 ', 12],
    ['2147483647', 2_147_483_647],
    ['2147483648', MAX_DELTA_SECONDS],
    ['99999999999999999999', MAX_DELTA_SECONDS],
    ['7200, 0', 7200],
    ['0, 7200', 0],
    ['7200;foo=bar', 7200],
    ['', 0],
    ['abc', 0],
    ['-7200', 0],
    ['7200.0', 0],
    ['1e3', 0],
    ['+5', 0],
  ];
  for (const [text, expected] of AGES) {
    it(`reads "${text}" as ${expected}`, () => expect(parseAge(text)).to.equal(expected));
  }
});

describe('initialAgeMs', () => {
  const times = { requestedAt: T0 - 3000, respondedAt: T0 };

  it('is 0 for what the handler made itself, however long it took', () => {
    expect(initialAgeMs({}, times)).to.equal(0);
  });

  it('adds the time of the exchange to Age', () => {
    expect(initialAgeMs({ age: '30' }, times)).to.equal(33_000);
  });

  it('takes the first of several Age fields', () => {
    expect(initialAgeMs({ age: ['30', '9'] }, times)).to.equal(33_000);
  });

  it('is the time since Date where that is more', () => {
    const date = formatHttpDate(T0 - 7_200_000);
    expect(initialAgeMs({ date, age: '30' }, times)).to.equal(7_200_000);
  });

  it('is 0 in the second that Date names, and counts full seconds after it', () => {
    const second = Math.ceil(T0 / 1000) * 1000;
    const date = formatHttpDate(second);
    const ages = [0, 999, 1000, 2999].map((ms) =>
      initialAgeMs({ date }, { requestedAt: second + ms, respondedAt: second + ms }),
    );
    expect(ages).to.deep.equal([0, 0, 1000, 2000]);
  });

  it('is not below 0 for a Date in the future', () => {
    const date = formatHttpDate(T0 + 60_000);
    expect(initialAgeMs({ date }, { requestedAt: T0, respondedAt: T0 })).to.equal(0);
  });

  it('does without a Date that cannot be read', () => {
    expect(initialAgeMs({ date: 'yesterday' }, times)).to.equal(3000);
  });
});

describe('currentAgeMs', () => {
  it('grows with the time in the store', () => {
    const stored = storedHead({ initialAgeMs: 500, respondedAt: T0 });
    expect(currentAgeMs(stored, T0 + 1500)).to.equal(2000);
  });

  it('does not shrink when the clock goes back', () => {
    const stored = storedHead({ initialAgeMs: 500, respondedAt: T0 });
    expect(currentAgeMs(stored, T0 - 60_000)).to.equal(500);
  });
});
