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

  it('has nothing left for further steps when it was used up elsewhere', async () => {
    const error = new CacheTimeoutError('a wait', TOTAL_MS);
    await spend(20);
    budget.useUp(error);
    expect(left()).to.equal(0);
    expect(budget.failure).to.equal(error);
    await spend(20);
    expect(left()).to.equal(-20);
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

  describe('with calls that join', () => {
    let joiner: CallBudget;
    const leftOf = (each: CallBudget): number => {
      const dueAt = each.within()?.dueAt;
      return dueAt === undefined ? TOTAL_MS : Math.round(dueAt - performance.now());
    };

    beforeEach(() => {
      joiner = new CallBudget(TOTAL_MS);
    });

    it('counts its steps for them, from the moment at which they join until they leave', async () => {
      const step = budget.spend(waiting(100));
      await timers.tickAsync(40);
      const leave = budget.join(joiner);
      await timers.tickAsync(60);
      await step;
      expect([leftOf(budget), leftOf(joiner)]).to.deep.equal([150, 190]);
      await spend(50);
      expect([leftOf(budget), leftOf(joiner)]).to.deep.equal([100, 140]);
      const last = budget.spend(waiting(50));
      await timers.tickAsync(20);
      leave();
      await timers.tickAsync(30);
      await last;
      expect([leftOf(budget), leftOf(joiner)]).to.deep.equal([50, 120]);
    });

    it('counts a joiner once, whatever it waits for, and its own steps at the same time', async () => {
      const leaves = [budget.join(joiner), budget.join(joiner)];
      const own = joiner.spend(waiting(30));
      leaves[0]!();
      await spend(100);
      await own;
      expect(leftOf(joiner)).to.equal(150);
      leaves[1]!();
      await spend(50);
      expect(leftOf(joiner)).to.equal(150);
    });

    it('does not count for one that joins a joiner, nor twice for one that joins itself', async () => {
      const third = new CallBudget(TOTAL_MS);
      budget.join(joiner);
      joiner.join(third);
      budget.join(budget);
      await spend(100);
      expect([leftOf(budget), leftOf(third)]).to.deep.equal([150, TOTAL_MS]);
    });

    it('gives up what may be given up when the time of one is up, and passes the late answer on', async () => {
      await Promise.all([joiner.spend(waiting(200)), timers.tickAsync(200)]);
      budget.join(joiner);
      const late: unknown[] = [];
      const answers = [
        budget.spend(
          waiting(100).then(() => 'late'),
          (answer) => void answer.then((each) => late.push(each)),
        ),
        budget.spend(waiting(100).then(() => 'patient')),
      ];
      let first: unknown = 'open';
      void answers[0]!.then((each) => (first = each));
      await timers.tickAsync(45);
      expect(first).to.equal('open');
      await timers.tickAsync(10);
      expect([first, late]).to.deep.equal([undefined, []]);
      await timers.tickAsync(50);
      expect(late).to.deep.equal(['late']);
      expect(await answers[1]).to.equal('patient');
      // It says nothing about the store.
      expect(budget.failure).to.equal(undefined);
    });

    it('waits for answers that come at once, even if no time is left', async () => {
      await Promise.all([joiner.spend(waiting(300)), timers.tickAsync(300)]);
      budget.join(joiner);
      const answer = budget.spend(
        waiting(2).then(() => 'answer'),
        () => undefined,
      );
      await timers.tickAsync(2);
      expect(await answer).to.equal('answer');
    });

    it('sets no timer, as long as it would end first anyway', () => {
      const before = timers.countTimers();
      budget.join(joiner);
      budget.enter();
      expect(timers.countTimers()).to.equal(before);
      budget.leave();
      expect(timers.countTimers()).to.equal(before);
    });
  });

  it('forks into one that has as much left, and counts for itself from then on', async () => {
    await spend(100);
    budget.note(new CacheConnectionError('closed'));
    const fork = budget.fork();
    await spend(50);
    expect(Math.round(fork.within()!.dueAt! - performance.now())).to.equal(150);
    expect(fork.failure).to.equal(budget.failure);
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
