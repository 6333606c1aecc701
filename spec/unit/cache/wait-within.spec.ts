import { expect } from 'chai';
import sinon from 'sinon';
import { waitWithin } from '#internal/cache/wait-within.js';

describe('waitWithin', () => {
  let timers: sinon.SinonFakeTimers;
  let land: (value: string) => void;
  let crash: (error: unknown) => void;
  let relayed: AbortSignal | undefined;
  let abandoned: Promise<string>[];
  const start = (signal: AbortSignal | undefined): Promise<string> => {
    relayed = signal;
    return new Promise((resolve, reject) => {
      land = resolve;
      crash = reject;
      signal?.addEventListener('abort', () => reject(signal.reason as Error));
    });
  };
  const timeout = (): Error => new RangeError('too long');
  const abandon = (work: Promise<string>): void => void abandoned.push(work);
  beforeEach(() => {
    abandoned = [];
    timers = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(() => timers.restore());

  it('needs no timer without limits, and passes the signal on', async () => {
    const { signal } = new AbortController();
    const limits = { signal, softMs: Infinity, hardMs: Infinity };
    const waiting = waitWithin(start, limits, { timeout, abandon });
    expect([relayed, timers.countTimers()]).to.deep.equal([signal, 0]);
    land('value');
    expect(await waiting).to.equal('value');
  });

  it('takes what comes in time, and leaves no timer and no listener', async () => {
    const { signal } = new AbortController();
    const removed = sinon.spy(signal, 'removeEventListener');
    const limits = { signal, softMs: 5, hardMs: 10 };
    const waiting = waitWithin(start, limits, { timeout, abandon, instead: async () => 'other' });
    land('value');
    expect(await waiting).to.equal('value');
    expect([timers.countTimers(), removed.callCount, abandoned.length]).to.deep.equal([0, 1, 0]);
  });

  it('takes something else at the soft limit, and hands the work on', async () => {
    const limits = { softMs: 5, hardMs: Infinity };
    const waiting = waitWithin(start, limits, { timeout, abandon, instead: async () => 'other' });
    await timers.tickAsync(4);
    expect(abandoned).to.deep.equal([]);
    await timers.tickAsync(1);
    expect(await waiting).to.equal('other');
    land('late');
    expect(await abandoned[0]).to.equal('late');
  });

  it('waits on, when there is nothing else at the soft limit, and fails at the hard one', async () => {
    let asked = 0;
    const instead = async (): Promise<undefined> => void asked++;
    const limits = { softMs: 5, hardMs: 10 };
    const waiting = waitWithin(start, limits, { timeout, abandon, instead });
    const error = waiting.catch((reason: unknown) => reason);
    await timers.tickAsync(9);
    expect([asked, abandoned.length]).to.deep.equal([1, 0]);
    await timers.tickAsync(1);
    expect(await error).to.be.instanceOf(RangeError);
    expect([asked, abandoned.length]).to.deep.equal([2, 1]);
    crash(new Error('late'));
    await abandoned[0]!.catch(() => undefined);
  });

  it('takes something else at once, when the soft limit has passed already', async () => {
    const limits = { softMs: -1, hardMs: Infinity };
    const instead = async (): Promise<string> => 'other';
    expect(await waitWithin(start, limits, { timeout, abandon, instead })).to.equal('other');
  });

  it('ends with the reason of the signal, which the work no longer hears once it waits for nobody', async () => {
    const first = new AbortController();
    const limits = { signal: first.signal, softMs: 5, hardMs: 10 };
    const reason = new Error('enough');
    const waiting = waitWithin(start, limits, { timeout, abandon });
    first.abort(reason);
    expect(await waiting.catch((error: unknown) => error)).to.equal(reason);

    const second = new AbortController();
    const served = waitWithin(
      start,
      { ...limits, signal: second.signal },
      { timeout, abandon, instead: async () => 'other' },
    );
    await timers.tickAsync(5);
    expect(await served).to.equal('other');
    second.abort(reason);
    expect(relayed?.aborted).to.equal(false);
  });

  it('sets no timer that would fire at once because it is too far away', () => {
    void waitWithin(start, { softMs: Infinity, hardMs: 2 ** 31 }, { timeout, abandon });
    expect(timers.countTimers()).to.equal(0);
  });
});
