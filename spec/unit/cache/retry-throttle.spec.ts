import { expect } from 'chai';
import { MAX_THROTTLED_KEYS, RetryThrottle } from '#internal/cache/retry-throttle.js';
import { ManualClock } from '#internal/testing/manual-clock.js';

describe('RetryThrottle', () => {
  it('leaves a key alone for the time that was said, then forgets it', () => {
    const clock = new ManualClock();
    const retries = new RetryThrottle(clock);
    retries.note('a', 10);
    expect([retries.holds('a'), retries.holds('b')]).to.deep.equal([true, false]);
    clock.advance(9);
    expect(retries.holds('a')).to.equal(true);
    clock.advance(1);
    expect([retries.holds('a'), retries.size]).to.deep.equal([false, 0]);
  });

  it('begins anew with each failure, ends with a success, and notes nothing for no time', () => {
    const clock = new ManualClock();
    const retries = new RetryThrottle(clock);
    retries.note('a', 10);
    clock.advance(9);
    retries.note('a', 10);
    clock.advance(9);
    expect(retries.holds('a')).to.equal(true);
    retries.forget('a');
    retries.note('b', 0);
    expect([retries.holds('a'), retries.holds('b'), retries.size]).to.deep.equal([false, false, 0]);
  });

  it('is bounded: the key that failed first is tried again', () => {
    const retries = new RetryThrottle(new ManualClock());
    for (let key = 0; key <= MAX_THROTTLED_KEYS; key++) retries.note(String(key), 10);
    expect(retries.size).to.equal(MAX_THROTTLED_KEYS);
    expect([retries.holds('0'), retries.holds('1')]).to.deep.equal([false, true]);
  });
});
