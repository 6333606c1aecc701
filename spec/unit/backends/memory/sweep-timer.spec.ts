import { expect } from 'chai';
import sinon from 'sinon';
import { SweepTimer } from '#internal/backends/memory/sweep-timer.js';

describe(SweepTimer.name, () => {
  let timers: sinon.SinonFakeTimers;
  let run: sinon.SinonSpy;
  let timer: SweepTimer;

  beforeEach(() => {
    timers = sinon.useFakeTimers();
    run = sinon.spy();
    timer = new SweepTimer(run);
  });

  afterEach(() => timers.restore());

  it('sets no timer by itself', () => {
    expect(timer.isPending).to.equal(false);
    expect(timers.countTimers()).to.equal(0);
  });

  it('fires once, after the delay', () => {
    timer.schedule(100, 0);
    timers.tick(99);
    expect(run.callCount).to.equal(0);
    timers.tick(1);
    expect(run.callCount).to.equal(1);
    expect(timer.isPending).to.equal(false);
    timers.tick(10_000);
    expect(run.callCount).to.equal(1);
  });

  it('keeps the earlier of two', () => {
    timer.schedule(100, 0);
    timer.schedule(500, 0);
    expect(timers.countTimers()).to.equal(1);
    timers.tick(100);
    expect(run.callCount).to.equal(1);
    timers.tick(1_000);
    expect(run.callCount).to.equal(1);
  });

  it('fires earlier, when that is asked for later', () => {
    timer.schedule(500, 0);
    timers.tick(50);
    timer.schedule(100, 50);
    expect(timers.countTimers()).to.equal(1);
    timers.tick(100);
    expect(run.callCount).to.equal(1);
    timers.tick(1_000);
    expect(run.callCount).to.equal(1);
  });

  it('can be set again by its own run', () => {
    run = sinon.spy(() => run.callCount < 3 && timer.schedule(10, 0));
    timer = new SweepTimer(run);
    timer.schedule(10, 0);
    timers.tick(100);
    expect(run.callCount).to.equal(3);
  });

  it('does not fire, when it was stopped', () => {
    timer.schedule(100, 0);
    timer.stop();
    expect(timer.isPending).to.equal(false);
    timers.tick(1_000);
    expect(run.callCount).to.equal(0);
    timer.schedule(5, 1_000);
    timers.tick(5);
    expect(run.callCount).to.equal(1);
  });

  it('waits as long as a timer can, when the delay is longer', () => {
    timer.schedule(10_000_000_000, 0);
    timers.tick(2_147_483_646);
    expect(run.callCount).to.equal(0);
    timers.tick(1);
    expect(run.callCount).to.equal(1);
  });

  it('does not keep the process alive', () => {
    timers.restore();
    timer.schedule(60_000, 0);
    const { active } = { active: process.getActiveResourcesInfo() };
    timer.stop();
    expect(active).not.to.include('Timeout');
  });
});
