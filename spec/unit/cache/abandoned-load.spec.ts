import { expect } from 'chai';
import type { LoadContext } from '#internal/cache/load-context.js';
import { LoadWaiters } from '#internal/cache/load-waiters.js';
import { settle } from '../../support/gated-source.js';
import { failureOf, TimedCache } from '../../support/timed-cache.js';

describe('LoadWaiters', () => {
  it('aborts with the reason of the last who leaves, once, and tells its listeners', () => {
    const waiters = new LoadWaiters();
    let told = 0;
    waiters.onAbandoned(() => told++);
    const forget = waiters.onAbandoned(() => (told += 10));
    forget();
    const { signal } = waiters;
    waiters.enter();
    waiters.enter();
    waiters.leave('first');
    expect([signal.aborted, waiters.isAbandoned]).to.deep.equal([false, false]);
    waiters.leave('second');
    expect([signal.aborted, signal.reason, told]).to.deep.equal([true, 'second', 1]);
  });

  it('gives an aborted signal to who asks late, and goes on for who cannot leave', () => {
    const late = new LoadWaiters();
    late.enter();
    late.leave('gone');
    expect([late.signal.aborted, late.signal.reason]).to.deep.equal([true, 'gone']);
    const pinned = new LoadWaiters();
    pinned.enter();
    pinned.pin();
    pinned.leave('gone');
    expect([pinned.isAbandoned, pinned.signal.aborted]).to.deep.equal([false, false]);
  });
});

describe('A caller with a signal', () => {
  let timed: TimedCache;
  let contexts: LoadContext[];
  beforeEach(() => {
    contexts = [];
    timed = new TimedCache({ ttl: '10s' });
  });
  afterEach(() => timed.manager.close());

  const reason = new Error('the client has gone');
  const read = (signal?: AbortSignal, key = 1): Promise<unknown> =>
    timed.cache.getOrSet(
      key,
      (context) => {
        contexts.push(context);
        return timed.source.load();
      },
      { signal },
    );

  it('rejects at once with its reason, also before anything is looked up', async () => {
    expect(await failureOf(read(AbortSignal.abort(reason)))).to.equal(reason);
    expect(timed.source.count).to.equal(0);
    const { signal, abort } = controller();
    const reading = failureOf(read(signal));
    await timed.source.started(1);
    abort();
    expect(await reading).to.equal(reason);
  });

  it('leaves the load to the others', async () => {
    const one = controller();
    const two = controller();
    const readings = [read(one.signal), read(two.signal)];
    const first = failureOf(readings[0]!);
    await timed.source.started(1);
    one.abort();
    expect(await first).to.equal(reason);
    expect(contexts[0]!.signal.aborted).to.equal(false);
    timed.source.finish(1, 'value');
    expect(await readings[1]).to.equal('value');
    expect(await timed.cache.get(1)).to.equal('value');
    two.abort();
    expect(contexts[0]!.signal.aborted).to.equal(false);
  });

  it('aborts the load with the last one, which is then joined by nobody and stores nothing', async () => {
    const one = controller();
    const two = controller();
    const readings = [read(one.signal), read(two.signal)].map(failureOf);
    await timed.source.started(1);
    const { signal } = contexts[0]!;
    one.abort();
    expect(signal.aborted).to.equal(false);
    two.abort();
    expect([signal.aborted, signal.reason]).to.deep.equal([true, reason]);
    expect(await Promise.all(readings)).to.deep.equal([reason, reason]);
    const later = read();
    await timed.source.started(2);
    timed.source.finish(1, 'unwanted');
    await settle();
    expect(await timed.cache.get(1)).to.equal(undefined);
    timed.source.finish(2, 'wanted');
    expect(await later).to.equal('wanted');
    expect(await timed.cache.get(1)).to.equal('wanted');
  });

  it('does not end a load that somebody without one waits for', async () => {
    const one = controller();
    const first = failureOf(read(one.signal));
    const second = read();
    await timed.source.started(1);
    one.abort();
    expect(await first).to.equal(reason);
    expect(contexts[0]!.signal.aborted).to.equal(false);
    timed.source.finish(1, 'value');
    expect(await second).to.equal('value');
  });

  it('who comes after a load was given up begins another one', async () => {
    const one = controller();
    const first = failureOf(read(one.signal));
    await timed.source.started(1);
    one.abort();
    const second = read();
    await timed.source.started(2);
    timed.source.fail(1, new Error('aborted'));
    timed.source.finish(2, 'value');
    expect([await first, await second]).to.deep.equal([reason, 'value']);
    expect(timed.errors).to.deep.equal([]);
  });

  it('holds for loads that are not shared and for those of many keys', async () => {
    const one = controller();
    const alone = failureOf(
      timed.cache.getOrSet(
        1,
        (context) => {
          contexts.push(context);
          return timed.source.load();
        },
        { sync: false, signal: one.signal },
      ),
    );
    const many = failureOf(
      timed.cache.getOrSetMany(
        [2, 3],
        (_missing, context) => {
          contexts.push(context);
          return timed.source.load();
        },
        { signal: one.signal },
      ),
    );
    await timed.source.started(2);
    const signals = contexts.map(({ signal }) => signal);
    one.abort();
    expect(await Promise.all([alone, many])).to.deep.equal([reason, reason]);
    expect(signals.map(({ aborted }) => aborted)).to.deep.equal([true, true]);
    timed.source.finish(1, 'unwanted');
    timed.source.finish(2, new Map([[2, 'unwanted']]));
    await settle();
    expect([...(await timed.cache.getMany([1, 2, 3]))]).to.deep.equal([]);
  });

  it('keeps the load of a batch alive for who joined one of its keys', async () => {
    const one = controller();
    const many = failureOf(
      timed.cache.getOrSetMany([2, 3], () => timed.source.load(), { signal: one.signal }),
    );
    await timed.source.started(1);
    const joined = read(undefined, 3);
    await settle();
    one.abort();
    expect(await many).to.equal(reason);
    timed.source.finish(1, new Map([[3, 'three']]));
    expect(await joined).to.equal('three');
    expect(timed.source.count).to.equal(1);
  });

  it('does not undo a stale answer: the load behind it goes on', async () => {
    const stale = new TimedCache({ ttl: '10s', staleIfError: '1m', softTimeout: 0 });
    await stale.expired('old');
    const one = controller();
    expect(await stale.read(1, { signal: one.signal })).to.equal('old');
    await stale.source.started(1);
    one.abort();
    stale.source.finish(1, 'new');
    await settle();
    expect(await stale.cache.get(1)).to.equal('new');
    await stale.manager.close();
  });

  function controller(): { signal: AbortSignal; abort: () => void } {
    const inner = new AbortController();
    return { signal: inner.signal, abort: () => inner.abort(reason) };
  }
});
