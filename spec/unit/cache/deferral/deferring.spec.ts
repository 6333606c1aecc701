import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { useFakeTimers, type SinonFakeTimers } from 'sinon';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import type {
  BackendEvent,
  BackendStore,
  CacheBackend,
  EntryWrite,
  Fence,
} from '#internal/cache/backend.js';
import type { DeferredInvalidation } from '#internal/cache/deferral/deferred-invalidation.js';
import { deferring } from '#internal/cache/deferral/deferring.js';
import {
  FIRST_REPLAY_DELAY_MS,
  LONGEST_REPLAY_DELAY_MS,
} from '#internal/cache/deferral/replayer.js';
import { compilePattern } from '#internal/cache/key-pattern.js';
import {
  CacheBackendError,
  CacheClosedError,
  CacheConfigurationError,
  CacheConnectionError,
  CacheTimeoutError,
} from '#internal/errors.js';
import { RecoveringBackend, recordingContext } from '../../../support/recovering-backend.js';

const SPACE = { name: 'users', version: 'v1' };

/** What a call fails with, at once or later. */
async function failureOf(call: () => unknown): Promise<Error> {
  try {
    await call();
  } catch (error) {
    return error as Error;
  }
  return expect.fail('The call was expected to fail.');
}

function writeOf(key: string, value: unknown, fence: Fence = { kind: 'set' }): EntryWrite {
  const times = { createdAt: Date.now(), expiresAt: Infinity, retainedUntil: Infinity };
  return { key, fence, entry: { value, kind: 'value', tags: ['t'], loadCostMs: 0, ...times } };
}

describe(deferring.name, () => {
  let timers: SinonFakeTimers;
  let inner: RecoveringBackend;
  let backend: CacheBackend;
  let store: BackendStore;
  /** How another process sees the same cache. */
  let elsewhere: BackendStore;
  let events: BackendEvent[];
  let lines: string[];
  let replayed: DeferredInvalidation['kind'][];

  const valueElsewhere = async (key: string): Promise<unknown> => (await elsewhere.get(key))?.value;
  const deferred = (): string[] =>
    events.flatMap((event) => (event.type === 'deferred' ? [event.operation] : []));

  beforeEach(async () => {
    timers = useFakeTimers({ now: 1_700_000_000_000 });
    inner = new RecoveringBackend();
    replayed = [];
    backend = deferring(inner, { onReplayed: ({ kind }) => void replayed.push(kind) });
    const recording = recordingContext();
    ({ events, lines } = recording);
    backend.attach(recording.context);
    store = backend.open(SPACE);
    elsewhere = inner.elsewhere('users');
    await store.store([writeOf('a', 'old'), writeOf('b', 'old')]);
    events.length = 0;
  });

  afterEach(async () => {
    inner.heal();
    await Promise.all([backend.close(1000), timers.tickAsync(1001)]);
    timers.restore();
  });

  it('leaves alone what is not shared, and what keeps invalidations itself', () => {
    const memory = new MemoryBackend();
    expect(deferring(memory)).to.equal(memory);
    expect(backend.capabilities).to.deep.equal({
      ...inner.capabilities,
      keepsInvalidations: true,
    });
    expect(deferring(backend)).to.equal(backend);
  });

  it('gives the same store for the same space', () => {
    expect(backend.open(SPACE)).to.equal(store);
  });

  const INVALIDATIONS: Readonly<
    Record<string, { readonly run: () => unknown; readonly replayed: DeferredInvalidation['kind'] }>
  > = {
    delete: { run: () => store.delete(['a']), replayed: 'keys' },
    deletePattern: { run: () => store.deletePattern(compilePattern('a*')), replayed: 'pattern' },
    clear: { run: () => store.clear(), replayed: 'cache' },
    clearAll: { run: () => backend.clearAll(), replayed: 'all' },
    invalidateTags: { run: () => backend.invalidateTags({ anyOf: ['t'] }), replayed: 'tags' },
    store: { run: () => store.store([writeOf('a', 'new')]), replayed: 'keys' },
  };

  for (const [operation, { run, replayed: kind }] of Object.entries(INVALIDATIONS)) {
    describe(`when '${operation}' fails`, () => {
      it('rejects, tells, and carries it out once the store is back', async () => {
        const error = new CacheTimeoutError(operation, 250);
        inner.goDown(error);
        expect(await failureOf(run)).to.equal(error);
        expect(events).to.deep.equal([
          {
            type: 'deferred',
            operation,
            error,
            ...(kind !== 'all' && kind !== 'tags' && { cache: 'users' }),
          },
        ]);
        expect(await valueElsewhere('a')).to.equal('old');
        inner.comeBack();
        await timers.tickAsync(0);
        expect(await valueElsewhere('a')).to.equal(undefined);
        expect(replayed).to.deep.equal([kind]);
        expect(await store.get('a')).to.equal(undefined);
      });

      it('voids tokens that were taken before', async () => {
        const [start] = await store.begin(['a']);
        const watch = await store.watch();
        inner.goDown();
        await failureOf(run);
        inner.comeBack();
        await timers.tickAsync(0);
        const fill = writeOf('a', 'older', { kind: 'fill', token: start!.token });
        expect(await store.store([fill])).to.deep.equal(['refused']);
        // A watch does not see tags before the put names them.
        const put = writeOf('a', 'older', { kind: 'put', token: watch });
        expect(await store.store([put])).to.deep.equal(['refused']);
      });
    });
  }

  it('takes nothing from the store, and fills nothing into it, before it has caught up', async () => {
    const [start] = await store.begin(['b']);
    inner.fail('delete', { times: 1 });
    await failureOf(() => store.delete(['a']));
    const held = inner.hold('delete');
    // Everything else works, but `a` is still there.
    inner.resetCalls();
    const blocked: readonly (() => unknown)[] = [
      () => store.get('a'),
      () => store.getMany(['a', 'b']),
      () => store.begin(['a']),
      () => store.watch(),
      () => store.scan({ count: 10 }),
      () => store.expire('a', 1, 1),
      () => store.store([writeOf('b', 'loaded', { kind: 'fill', token: start!.token })]),
    ];
    store.touch('a', 1);
    for (const call of blocked) {
      expect(await failureOf(call)).to.be.instanceOf(CacheConnectionError);
    }
    await timers.tickAsync(0);
    await held.arrived();
    for (const call of blocked)
      expect(await failureOf(call)).to.be.instanceOf(CacheConnectionError);
    for (const operation of [
      'get',
      'getMany',
      'begin',
      'watch',
      'scan',
      'expire',
      'store',
    ] as const) {
      expect(inner.calls(operation), operation).to.equal(0);
    }
    expect(backend.health()).to.deep.equal({
      status: 'degraded',
      errorCode: 'ERR_CACHE_CONNECTION',
    });
    held.release();
    await timers.tickAsync(0);
    expect(backend.health().status).to.equal('healthy');
    expect(await store.get('a')).to.equal(undefined);
    expect((await store.get('b'))?.value).to.equal('old');
    expect(lines).to.have.length(2);
  });

  it('fails with one error for all calls of an outage', async () => {
    inner.goDown();
    await failureOf(() => store.delete(['a']));
    const errors = [
      await failureOf(() => store.get('a')),
      await failureOf(() => store.delete(['b'])),
      await failureOf(() => backend.clearAll()),
    ];
    expect(new Set(errors).size).to.equal(1);
    expect(errors[0]!.message).to.include("'delete' failed because FaultyBackend was told");
    expect(deferred()).to.deep.equal(['delete', 'delete', 'clearAll']);
    expect(lines).to.have.length(1);
  });

  it('does not ask a store for further invalidations before it has taken one', async () => {
    inner.goDown();
    await failureOf(() => store.delete(['a']));
    await timers.tickAsync(1);
    inner.resetCalls();
    await failureOf(() => store.delete(['b']));
    await failureOf(() => store.clear());
    await failureOf(() => store.store([writeOf('a', 'new')]));
    expect(inner.calls('delete') + inner.calls('clear') + inner.calls('store')).to.equal(0);
  });

  it('asks it again, once it has taken the first of a replay', async () => {
    inner.goDown();
    await failureOf(() => store.delete(['a']));
    await failureOf(() => store.deletePattern(compilePattern('b*')));
    inner.heal();
    const held = inner.hold('deletePattern');
    inner.report({ type: 'recovered' });
    await held.arrived();
    expect(await valueElsewhere('a')).to.equal(undefined);
    // Invalidations are carried out at once, so that a busy process gets to the end of its queue.
    expect(await store.delete(['b'])).to.equal(1);
    expect(await valueElsewhere('b')).to.equal(undefined);
    // A value as new as its call is stored; what was loaded or put under a token is not.
    expect(await store.store([writeOf('c', 'set')])).to.deep.equal(['stored']);
    const [token] = (await elsewhere.begin(['c'])).map((start) => start.token);
    const put = writeOf('c', 'put', { kind: 'put', token: token! });
    expect(await store.store([put])).to.deep.equal(['refused']);
    expect(await valueElsewhere('c')).to.equal(undefined);
    expect(await failureOf(() => store.get('c'))).to.be.instanceOf(CacheConnectionError);
    held.release();
    await timers.tickAsync(0);
    expect(await store.get('c')).to.equal(undefined);
    expect(replayed).to.deep.equal(['keys', 'pattern']);
  });

  it('keeps what fails in the middle of a replay, and the order', async () => {
    inner.goDown();
    await failureOf(() => store.delete(['a']));
    await failureOf(() => store.clear());
    await failureOf(() => backend.invalidateTags({ anyOf: ['t'] }));
    await failureOf(() => store.deletePattern(compilePattern('b*')));
    inner.heal();
    inner.fail('invalidateTags', { times: 1 });
    inner.report({ type: 'recovered' });
    await timers.tickAsync(0);
    expect(replayed).to.deep.equal(['cache']);
    expect(await failureOf(() => store.get('a'))).to.be.instanceOf(CacheConnectionError);
    await timers.tickAsync(LONGEST_REPLAY_DELAY_MS);
    expect(replayed).to.deep.equal(['cache', 'tags']);
    expect(await store.get('a')).to.equal(undefined);
  });

  it('replays by a timer of its own, with growing delays, and nothing grows', async () => {
    inner.goDown();
    await failureOf(() => store.delete(['a']));
    inner.resetCalls();
    await timers.tickAsync(0);
    expect(inner.calls('delete')).to.equal(1);
    await timers.tickAsync(FIRST_REPLAY_DELAY_MS - 1);
    expect(inner.calls('delete')).to.equal(1);
    await timers.tickAsync(1);
    expect(inner.calls('delete')).to.equal(2);
    await timers.tickAsync(60_000);
    const perMinute = 60_000 / LONGEST_REPLAY_DELAY_MS;
    expect(inner.calls('delete')).to.be.within(perMinute, perMinute + 10);
    expect(timers.countTimers()).to.equal(1);
    inner.heal();
    await timers.tickAsync(LONGEST_REPLAY_DELAY_MS);
    expect(await valueElsewhere('a')).to.equal(undefined);
    expect(timers.countTimers()).to.equal(0);
  });

  it('tries again at once, when the store reports to be back during a failing replay', async () => {
    inner.goDown();
    await failureOf(() => store.delete(['a']));
    const held = inner.hold('delete');
    await timers.tickAsync(0);
    await held.arrived();
    inner.comeBack();
    held.release();
    await timers.tickAsync(0);
    expect(await valueElsewhere('a')).to.equal(undefined);
    expect(await store.get('a')).to.equal(undefined);
  });

  it('trusts the store only after its listener has dealt with what was replayed', async () => {
    let finish!: () => void;
    const other = new RecoveringBackend();
    const wrapped = deferring(other, {
      onReplayed: () => new Promise<void>((resolve) => (finish = resolve)),
    });
    wrapped.attach(recordingContext().context);
    const its = wrapped.open(SPACE);
    other.goDown();
    await failureOf(() => its.delete(['a']));
    other.comeBack();
    await timers.tickAsync(0);
    expect(await failureOf(() => its.get('a'))).to.be.instanceOf(CacheConnectionError);
    finish();
    await timers.tickAsync(0);
    expect(await its.get('a')).to.equal(undefined);
    await wrapped.close(0);
  });

  describe('with an invalidation that the store cannot carry out', () => {
    const refusal = new CacheBackendError('SCAN is not allowed');

    it('carries out a larger one after three failures', async () => {
      inner.fail('deletePattern', { error: refusal });
      await failureOf(() => store.deletePattern(compilePattern('a*')));
      await timers.tickAsync(FIRST_REPLAY_DELAY_MS);
      expect(replayed).to.deep.equal([]);
      await timers.tickAsync(10 * FIRST_REPLAY_DELAY_MS);
      expect(replayed).to.deep.equal(['cache']);
      expect(await store.get('a')).to.equal(undefined);
      expect(inner.calls('clear')).to.equal(1);
    });

    it('goes on to ever larger ones', async () => {
      inner.fail('delete', { error: refusal });
      inner.fail('clear', { error: refusal });
      await failureOf(() => store.delete(['a']));
      await timers.tickAsync(10 * FIRST_REPLAY_DELAY_MS);
      expect(replayed).to.deep.equal(['all']);
    });

    it('gives up all tags for any of them, and those for everything', async () => {
      inner.fail('invalidateTags', { error: refusal });
      await failureOf(() => backend.invalidateTags({ allOf: ['t', 'u'] }));
      await timers.tickAsync(FIRST_REPLAY_DELAY_MS);
      inner.resetCalls();
      await timers.tickAsync(10 * FIRST_REPLAY_DELAY_MS);
      expect(replayed).to.deep.equal(['all']);
    });

    it('keeps the small one through a long outage, in which larger ones fail as well', async () => {
      inner.goDown();
      await failureOf(() => store.delete(['a']));
      await timers.tickAsync(60_000);
      inner.comeBack();
      await timers.tickAsync(0);
      expect(replayed).to.deep.equal(['keys']);
      expect((await store.get('b'))?.value).to.equal('old');
    });
  });

  describe('defers nothing', () => {
    it('for a fault of the programmer', async () => {
      const error = new CacheConfigurationError('allOf is not supported');
      inner.fail('invalidateTags', { error });
      expect(await failureOf(() => backend.invalidateTags({ allOf: ['t', 'u'] }))).to.equal(error);
      expect(events).to.deep.equal([]);
      expect((await store.get('a'))?.value).to.equal('old');
    });

    it('for a fill that fails', async () => {
      await store.delete(['a']);
      const [start] = await store.begin(['a']);
      inner.fail('store', { times: 1 });
      const fill = writeOf('a', 'loaded', { kind: 'fill', token: start!.token });
      await failureOf(() => store.store([fill]));
      expect(events).to.deep.equal([]);
      expect((await store.get('b'))?.value).to.equal('old');
    });

    it('for a store that is closed', async () => {
      inner.fail('delete', { error: new CacheClosedError('closed') });
      await failureOf(() => store.delete(['a']));
      expect(events).to.deep.equal([]);
    });
  });

  it('keeps and replays, whatever the logger does', async () => {
    const other = new RecoveringBackend();
    const wrapped = deferring(other);
    const fail = (): never => {
      throw new Error('no space left on device');
    };
    const { context } = recordingContext();
    wrapped.attach({ ...context, logger: { debug: fail, info: fail, warn: fail, error: fail } });
    const its = wrapped.open(SPACE);
    const error = new CacheTimeoutError('delete', 250);
    other.goDown(error);
    expect(await failureOf(() => its.delete(['a']))).to.equal(error);
    expect(await failureOf(() => its.get('a'))).to.be.instanceOf(CacheConnectionError);
    other.comeBack();
    await timers.tickAsync(0);
    expect(await its.get('a')).to.equal(undefined);
    other.goDown();
    await failureOf(() => its.delete(['a']));
    await Promise.all([wrapped.close(10), timers.tickAsync(11)]);
  });

  describe('#close', () => {
    it('carries out what it can', async () => {
      inner.goDown();
      await failureOf(() => store.delete(['a']));
      inner.heal();
      await Promise.all([backend.close(1000), timers.tickAsync(1)]);
      expect(replayed).to.deep.equal(['keys']);
      expect(inner.calls('close')).to.equal(1);
      expect(timers.countTimers()).to.equal(0);
    });

    it('tries again until the store is back', async () => {
      inner.goDown();
      await failureOf(() => store.delete(['a']));
      const closing = backend.close(5000);
      await timers.tickAsync(1000);
      expect(inner.calls('close')).to.equal(0);
      inner.heal();
      await timers.tickAsync(LONGEST_REPLAY_DELAY_MS);
      await closing;
      expect(replayed).to.deep.equal(['keys']);
      expect(inner.calls('close')).to.equal(1);
      expect(events.filter(({ type }) => type === 'error')).to.deep.equal([]);
      expect(timers.countTimers()).to.equal(0);
    });

    it('does so at once when the store says that it is back', async () => {
      inner.goDown();
      await failureOf(() => store.delete(['a']));
      const closing = backend.close(60_000);
      await timers.tickAsync(20_000);
      inner.comeBack();
      await Promise.all([closing, timers.tickAsync(0)]);
      expect(replayed).to.deep.equal(['keys']);
    });

    it('carries out, too, what an invalidation that was under way failed to do', async () => {
      inner.goDown();
      await failureOf(() => store.delete(['a']));
      inner.heal();
      const held = inner.hold('delete');
      const closing = backend.close(5000);
      await held.arrived();
      inner.fail('clear', { times: 1 });
      await failureOf(() => store.clear());
      held.release();
      await Promise.all([closing, timers.tickAsync(5000)]);
      expect(replayed).to.deep.equal(['keys', 'cache']);
    });

    it('says what is lost, in the log and by an event, when the time is up', async () => {
      inner.goDown();
      await failureOf(() => store.delete(['a', 'b']));
      await failureOf(() => store.clear());
      await failureOf(() => backend.invalidateTags({ anyOf: ['t'] }));
      await timers.tickAsync(1);
      const closing = backend.close(1000);
      await timers.tickAsync(799);
      expect(inner.calls('close')).to.equal(0);
      await timers.tickAsync(1);
      await closing;
      expect(lines.at(-1)).to.match(/before it took 2 invalidations, which are lost/);
      const errors = events.flatMap((event) => (event.type === 'error' ? [event] : []));
      expect(errors).to.have.length(1);
      expect(errors[0]).to.have.property('operation', 'close');
      expect(errors[0]!.error).to.be.instanceOf(CacheBackendError);
      expect(errors[0]!.error.message).to.match(/^2 deferred invalidations were lost/);
      expect(inner.calls('close')).to.equal(1);
      const tried = inner.calls('clear');
      await timers.tickAsync(60_000);
      expect(inner.calls('clear')).to.equal(tried);
      expect(timers.countTimers()).to.equal(0);
      expect(backend.close(1)).to.equal(backend.close(1));
    });

    it('does not wait for a store that hangs longer than it may, nor asks it for more afterwards', async () => {
      inner.goDown();
      await failureOf(() => store.delete(['a']));
      await failureOf(() => store.deletePattern(compilePattern('b*')));
      inner.heal();
      const held = inner.hold('delete');
      const closing = backend.close(1000);
      await timers.tickAsync(799);
      expect(inner.calls('close')).to.equal(0);
      await timers.tickAsync(1);
      await closing;
      expect(inner.calls('close')).to.equal(1);
      held.release();
      await timers.tickAsync(10_000);
      expect(inner.calls('deletePattern')).to.equal(0);
    });
  });
});
