import { expect } from 'chai';
import sinon from 'sinon';
import { systemClock } from '#internal/clock.js';

describe('systemClock', () => {
  it('gives the time since the epoch', () => {
    expect(systemClock.now()).to.be.closeTo(Date.now(), 1000);
  });

  it('never runs backwards', () => {
    let last = systemClock.now();
    for (let reading = 0; reading < 10_000; reading++) {
      const now = systemClock.now();
      expect(now).to.be.at.least(last);
      last = now;
    }
  });

  it('does not follow a step of the wall clock', () => {
    const before = systemClock.now();
    const stepped = sinon.useFakeTimers({ now: 0, toFake: ['Date'] });
    try {
      expect(Date.now()).to.equal(0);
      expect(systemClock.now()).to.be.within(before, before + 10_000);
    } finally {
      stepped.restore();
    }
  });
});
