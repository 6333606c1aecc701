import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { useFakeTimers, type SinonFakeTimers } from 'sinon';
import { CallDeadlines, type PendingCall } from '#internal/backends/redis/call-deadlines.js';
import { CacheTimeoutError } from '#internal/errors.js';

const TIMEOUT_MS = 250;

describe(CallDeadlines.name, () => {
  let timers: SinonFakeTimers;
  let deadlines: CallDeadlines;
  let timeouts: { operation: string; wasStalled: boolean }[];
  let errors: Error[];
  const begin = (operation = 'get', dueAt?: number): PendingCall =>
    deadlines.begin(operation, (error) => void errors.push(error), dueAt);

  beforeEach(() => {
    timers = useFakeTimers();
    timeouts = [];
    errors = [];
    deadlines = new CallDeadlines(TIMEOUT_MS, ({ operation }, wasStalled) => {
      timeouts.push({ operation, wasStalled });
    });
  });

  afterEach(() => timers.restore());

  it('fails each call at its own time, with one timer for all', () => {
    begin('first');
    timers.tick(100);
    begin('second');
    expect(timers.countTimers()).to.equal(1);
    timers.tick(TIMEOUT_MS - 101);
    expect(errors).to.deep.equal([]);
    timers.tick(2);
    expect(timeouts).to.deep.equal([{ operation: 'first', wasStalled: false }]);
    timers.tick(100);
    expect(timeouts.map(({ operation }) => operation)).to.deep.equal(['first', 'second']);
    expect(errors[0]).to.be.instanceOf(CacheTimeoutError);
    expect(errors[0]!.message).to.equal('Redis: first got no answer within 250 ms');
    timers.tick(TIMEOUT_MS);
    expect(timers.countTimers()).to.equal(0);
  });

  it('fails no call that was settled, and settles each once', () => {
    const call = begin();
    expect(deadlines.settle(call)).to.equal(true);
    expect(deadlines.settle(call)).to.equal(false);
    timers.tick(10 * TIMEOUT_MS);
    expect(errors).to.deep.equal([]);
    expect(timeouts).to.deep.equal([]);
  });

  it('fails with the late error, and blames nobody for a call that was answered', () => {
    const held = begin();
    held.lateError = new CacheTimeoutError('held', 1);
    begin().isAnswered = true;
    timers.tick(2 * TIMEOUT_MS);
    expect(errors).to.have.length(2);
    expect(errors[0]).to.equal(held.lateError);
    expect(timeouts).to.have.length(1);
  });

  it('gives a stalled loop time to read its sockets first', () => {
    const call = begin();
    // Time passes, and no timer fires: as if the loop had been busy.
    timers.setSystemTime(Date.now() + 2 * TIMEOUT_MS);
    timers.jump(2 * TIMEOUT_MS);
    expect(errors).to.deep.equal([]);
    deadlines.settle(call);
    timers.tick(TIMEOUT_MS);
    expect(errors).to.deep.equal([]);
  });

  it('says that the loop was stalled, when nothing was there to be read', () => {
    begin();
    timers.jump(2 * TIMEOUT_MS);
    // The stall took a whole timeout, which the store gets back.
    timers.tick(TIMEOUT_MS - 1);
    expect(timeouts).to.deep.equal([]);
    timers.tick(2);
    expect(timeouts).to.deep.equal([{ operation: 'get', wasStalled: true }]);
  });

  describe('with calls that are due earlier', () => {
    const failed = (): string[] => timeouts.map(({ operation }) => operation);

    it('fails each at its own time, with one timer for all', () => {
      begin('usual');
      timers.tick(10);
      begin('late', performance.now() + 200);
      begin('soon', performance.now() + 20);
      begin('between', performance.now() + 100);
      expect(timers.countTimers()).to.equal(1);
      timers.tick(19);
      expect(failed()).to.deep.equal([]);
      timers.tick(2);
      expect(failed()).to.deep.equal(['soon']);
      expect(errors[0]!.message).to.equal('Redis: soon got no answer within 20 ms');
      timers.tick(80);
      expect(failed()).to.deep.equal(['soon', 'between']);
      timers.tick(100);
      expect(failed()).to.deep.equal(['soon', 'between', 'late']);
      timers.tick(40);
      expect(failed()).to.deep.equal(['soon', 'between', 'late', 'usual']);
      timers.tick(TIMEOUT_MS);
      expect(timers.countTimers()).to.equal(0);
    });

    it('gives none more time than the timeout', () => {
      const call = begin('get', performance.now() + 2 * TIMEOUT_MS);
      expect(call.timeoutMs).to.equal(TIMEOUT_MS);
      timers.tick(TIMEOUT_MS + 1);
      expect(failed()).to.deep.equal(['get']);
    });

    it('forgets those that were answered', () => {
      const calls = Array.from({ length: 3000 }, (_, index) =>
        begin(`call ${index}`, performance.now() + 100 + (index % 7)),
      );
      for (const call of calls) if (call.operation !== 'call 2999') deadlines.settle(call);
      timers.tick(TIMEOUT_MS);
      expect(failed()).to.deep.equal(['call 2999']);
    });

    it('gives a stalled loop time to read its sockets first', () => {
      const call = begin('get', performance.now() + 20);
      timers.jump(TIMEOUT_MS);
      begin('another', performance.now() + 5);
      timers.tick(40);
      expect(failed()).to.deep.equal([]);
      deadlines.settle(call);
      timers.tick(2 * TIMEOUT_MS);
      expect(timeouts).to.deep.equal([{ operation: 'another', wasStalled: true }]);
    });

    it('fails all of them when told to', () => {
      begin('usual');
      begin('soon', performance.now() + 20);
      deadlines.close(() => new CacheTimeoutError('closing', 1));
      expect(errors).to.have.length(2);
      timers.tick(2 * TIMEOUT_MS);
      expect(errors).to.have.length(2);
    });
  });

  it('tells when it is idle, and fails what is left when told to', async () => {
    await deadlines.whenIdle();
    const call = begin();
    begin();
    let isIdle = false;
    const idle = deadlines.whenIdle().then(() => {
      isIdle = true;
    });
    deadlines.settle(call);
    await Promise.resolve();
    expect(isIdle).to.equal(false);
    deadlines.close(() => new CacheTimeoutError('closing', 1));
    await idle;
    expect(errors.map(({ message }) => message)).to.deep.equal([
      'closing got no answer within 1 ms',
    ]);
  });
});
