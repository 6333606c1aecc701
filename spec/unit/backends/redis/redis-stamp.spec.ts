import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { useFakeTimers, type SinonFakeTimers } from 'sinon';
import { RedisStamp } from '#internal/backends/redis/redis-stamp.js';

describe(RedisStamp.name, () => {
  let timers: SinonFakeTimers;

  beforeEach(() => {
    timers = useFakeTimers();
  });

  afterEach(() => timers.restore());

  it('knows no deadline before clocks were compared, and none long after', () => {
    const stamp = new RedisStamp();
    expect(stamp.deadline(0)).to.equal('');
    stamp.learn(7, 1_000_000);
    expect(stamp.sequence).to.equal(7);
    timers.tick(30_000);
    expect(stamp.deadline(30_250)).to.not.equal('');
    timers.tick(1);
    expect(stamp.deadline(30_251)).to.equal('');
  });

  it('puts a deadline before its time by the server’s clock, never behind', () => {
    const stamp = new RedisStamp();
    timers.tick(100);
    stamp.compare(5000);
    expect(Number(stamp.deadline(350))).to.equal(5000 + 250 - 20);
    // An answer that waited: it shows the server's clock as earlier than it is, and so is no better.
    timers.tick(100);
    stamp.compare(5040);
    expect(Number(stamp.deadline(450))).to.equal(5100 + 250 - 20);
    // One that waited less than the first.
    stamp.compare(5110);
    expect(Number(stamp.deadline(450))).to.equal(5110 + 250 - 20);
  });

  it('believes a clock that was set back, after a while', () => {
    const stamp = new RedisStamp();
    stamp.compare(1_000_000);
    timers.tick(11_000);
    stamp.compare(500_000);
    expect(Number(stamp.deadline(11_250))).to.equal(500_000 + 250 - 20);
  });
});
