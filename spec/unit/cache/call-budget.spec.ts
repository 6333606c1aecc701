import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { useFakeTimers, type SinonFakeTimers } from 'sinon';
import type { ReadHints } from '#internal/cache/backend.js';
import { CallBudget, takeStep } from '#internal/cache/call-budget.js';
import {
  CacheBackendError,
  CacheConfigurationError,
  CacheConnectionError,
  CacheTimeoutError,
} from '#internal/errors.js';

const TOTAL_MS = 250;

describe(CallBudget.name, () => {
  let timers: SinonFakeTimers;
  let budget: CallBudget;
  const waiting = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  const spend = async (ms: number): Promise<void> => {
    await Promise.all([budget.spend(waiting(ms)), timers.tickAsync(ms)]);
  };
  /** How long the next step may take. */
  const left = (): number => {
    const dueAt = budget.within()?.dueAt;
    return dueAt === undefined ? TOTAL_MS : Math.round(dueAt - performance.now());
  };

  beforeEach(() => {
    timers = useFakeTimers();
    budget = new CallBudget(TOTAL_MS);
  });

  afterEach(() => timers.restore());

  it('gives each step what those before it have left', async () => {
    expect(left()).to.equal(TOTAL_MS);
    await spend(100);
    expect(left()).to.equal(150);
    await spend(50);
    expect(left()).to.equal(100);
    await spend(300);
    expect(left()).to.equal(-200);
  });

  it('does not count the time between steps', async () => {
    await spend(100);
    await timers.tickAsync(10_000);
    expect(left()).to.equal(150);
  });

  it('counts steps side by side once, and sees those under way', async () => {
    const steps = [budget.spend(waiting(100)), budget.spend(waiting(60))];
    expect(left()).to.equal(TOTAL_MS);
    await timers.tickAsync(60);
    expect(left()).to.equal(TOTAL_MS - 60);
    await timers.tickAsync(40);
    await Promise.all(steps);
    expect(left()).to.equal(TOTAL_MS - 100);
  });

  it('adds nothing to the options of a call that has hardly waited', async () => {
    const hints: ReadHints = { tags: ['t'] };
    expect(budget.within(hints)).to.equal(hints);
    await spend(4);
    expect(budget.within(hints)).to.equal(hints);
    expect(budget.within()).to.equal(undefined);
    await spend(2);
    expect(budget.within(hints)).to.deep.equal({
      tags: ['t'],
      dueAt: performance.now() + TOTAL_MS - 6,
    });
  });

  it('remembers the first sign that the store is out of reach, and no other failure', async () => {
    const ignored = [new CacheBackendError('READONLY'), new CacheConfigurationError('wrong')];
    for (const error of ignored) {
      await budget.spend(Promise.reject(error)).catch(() => undefined);
      expect(budget.failure).to.equal(undefined);
    }
    const first = new CacheTimeoutError('get', TOTAL_MS);
    await budget.spend(Promise.reject(first)).catch(() => undefined);
    budget.note(new CacheConnectionError('closed'));
    expect(budget.failure).to.equal(first);
  });

  describe(takeStep.name, () => {
    it('passes options, answers and failures on, at once where they come at once', async () => {
      const hints: ReadHints = { tags: ['t'] };
      expect(takeStep(budget, hints, (options) => options)).to.equal(hints);
      expect(takeStep(undefined, hints, (options) => options)).to.equal(hints);
      const error = new CacheConnectionError('closed');
      const fail = (): never => {
        throw error;
      };
      expect(() => takeStep(budget, undefined, fail)).to.throw(error);
      expect(budget.failure).to.equal(error);
      expect(await takeStep(budget, undefined, () => Promise.resolve(7))).to.equal(7);
    });
  });
});
