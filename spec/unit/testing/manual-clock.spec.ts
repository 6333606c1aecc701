import { expect } from 'chai';
import { InvalidOptionError } from '#internal/errors.js';
import { ManualClock } from '#internal/testing/manual-clock.js';

describe(ManualClock.name, () => {
  it('stands still', () => {
    const clock = new ManualClock();
    expect(clock.now()).to.equal(Date.UTC(2024, 0, 1));
    expect(clock.now()).to.equal(clock.now());
    expect(new ManualClock(5).now()).to.equal(5);
  });

  describe('#advance', () => {
    it('goes on by milliseconds and by durations, and returns the new time', () => {
      const clock = new ManualClock(0);
      expect(clock.advance(250)).to.equal(250);
      expect(clock.advance('2s')).to.equal(2_250);
      expect(clock.advance(0)).to.equal(2_250);
      expect(clock.now()).to.equal(2_250);
    });

    it('throws, when it is to go back or given no duration', () => {
      const clock = new ManualClock(0);
      for (const span of [-1, NaN, 'soon']) {
        expect(() => clock.advance(span as number)).to.throw(InvalidOptionError, 'advance');
      }
    });
  });

  describe('#set', () => {
    it('goes to a time, never back', () => {
      const clock = new ManualClock(100);
      expect(clock.set(150)).to.equal(150);
      expect(clock.set(150)).to.equal(150);
      expect(() => clock.set(149)).to.throw(InvalidOptionError, /do not run backwards/);
      expect(() => clock.set(NaN)).to.throw(InvalidOptionError);
      expect(clock.now()).to.equal(150);
    });
  });
});
