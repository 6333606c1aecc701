import { expect } from 'chai';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import type { BackendStore, EntryWrite } from '#internal/cache/backend.js';
import { CacheConnectionError } from '#internal/errors.js';
import { BackendSession, startsWith } from '#internal/testing/backend-session.js';
import { FaultyBackend, type FaultyOperation } from '#internal/testing/faulty-backend.js';

describe(FaultyBackend.name, () => {
  let backend: FaultyBackend;
  let session: BackendSession;
  let store: BackendStore;

  beforeEach(() => {
    backend = new FaultyBackend(new MemoryBackend({ sweepInterval: Infinity }));
    session = new BackendSession({ backend });
    store = session.open();
  });

  const write = (value: unknown): EntryWrite => ({
    key: 'k',
    entry: session.entry(value),
    fence: { kind: 'set' },
  });

  const CALLS: Readonly<Record<Exclude<FaultyOperation, 'close' | 'beginTurns'>, () => unknown>> = {
    get: () => store.get('k'),
    getMany: () => store.getMany(['k']),
    begin: () => store.begin(['k']),
    watch: () => store.watch(),
    store: () => store.store([write('v')]),
    delete: () => store.delete(['k']),
    deletePattern: () => store.deletePattern(startsWith('k')),
    clear: () => store.clear(),
    expire: () => store.expire('k', 1, 1),
    scan: () => store.scan({ count: 1 }),
    outlines: () => store.outlines!(['k']),
    invalidateTags: () => backend.invalidateTags({ anyOf: ['blue'] }),
    clearAll: () => backend.clearAll(),
    ping: () => backend.ping(),
    info: () => backend.info(),
  };

  it('passes for the backend that it wraps', () => {
    const inner = new MemoryBackend();
    const wrapped = new FaultyBackend(inner);
    expect(wrapped.name).to.equal('memory');
    expect(wrapped.capabilities).to.equal(inner.capabilities);
    expect(wrapped.health()).to.deep.equal({ status: 'healthy' });
    expect(store.store([write('v')])).to.deep.equal(['stored']);
    expect(session.open()).to.equal(store);
  });

  for (const [name, call] of Object.entries(CALLS)) {
    const operation = name as FaultyOperation;

    it(`fails, holds and counts ${name}`, async () => {
      backend.fail(operation);
      expect(call).to.throw(CacheConnectionError, `'${name}' failed`);
      backend.heal(operation);
      call();
      const held = backend.hold(operation);
      const answer = Promise.resolve(call());
      await held.arrived();
      expect(held.waiting).to.equal(1);
      held.release();
      await answer;
      expect(backend.calls(operation)).to.equal(3);
      backend.resetCalls();
      expect(backend.calls(operation)).to.equal(0);
    });
  }

  describe('#fail', () => {
    it('takes the error, and the number of times', () => {
      const error = new TypeError('mine');
      backend.fail('get', { error, times: 2 });
      expect(() => store.get('k')).to.throw(error);
      expect(() => store.get('k')).to.throw(error);
      expect(store.get('k')).to.equal(undefined);
    });

    it('leaves the store untouched at the request, and changed at the response', () => {
      backend.fail('store', { times: 1 });
      expect(() => store.store([write('v')])).to.throw(CacheConnectionError);
      expect(store.get('k')).to.equal(undefined);
      backend.fail('store', { times: 1, at: 'response' });
      expect(() => store.store([write('v')])).to.throw(CacheConnectionError);
      expect(store.delete(['k'])).to.equal(1);
    });

    it('rejects, when the call is held as well', async () => {
      backend.fail('get');
      const held = backend.hold('get');
      const answer = store.get('k') as Promise<unknown>;
      held.release();
      const error: unknown = await answer.catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(CacheConnectionError);
    });

    it('affects all stores, and no other operation', () => {
      const other = session.open('other');
      backend.fail('get');
      expect(() => other.get('k')).to.throw(CacheConnectionError);
      expect(other.getMany(['k'])).to.deep.equal([undefined]);
    });
  });

  describe('#heal', () => {
    it('ends all faults, when none is named', () => {
      backend.fail('get');
      backend.fail('delete');
      backend.heal();
      expect(store.get('k')).to.equal(undefined);
      expect(store.delete(['k'])).to.equal(0);
    });
  });

  describe('#hold', () => {
    it('keeps the store as it is until a held request is let go', async () => {
      const held = backend.hold('store');
      const outcome = store.store([write('v')]);
      expect(store.get('k')).to.equal(undefined);
      held.release();
      expect(await outcome).to.deep.equal(['stored']);
      expect(store.delete(['k'])).to.equal(1);
    });

    it('holds the answer only, at the response', async () => {
      const held = backend.hold('store', 'response');
      const outcome = store.store([write('v')]);
      expect(store.delete(['k'])).to.equal(1);
      expect(held.waiting).to.equal(1);
      held.release();
      expect(await outcome).to.deep.equal(['stored']);
    });

    it('tells when so many calls hang', async () => {
      const held = backend.hold('get');
      let arrived = false;
      const both = held.arrived(2).then(() => (arrived = true));
      const first = store.get('k');
      await Promise.resolve();
      expect(arrived).to.equal(false);
      const second = store.get('k');
      await both;
      await held.arrived(2);
      held.release();
      expect(await Promise.all([first, second])).to.deep.equal([undefined, undefined]);
    });

    it('holds nothing any more after release, and lets a later hold be', async () => {
      const held = backend.hold('get');
      held.release();
      held.release();
      expect(store.get('k')).to.equal(undefined);
      const again = backend.hold('get');
      held.release();
      const answer = store.get('k');
      expect(again.waiting).to.equal(1);
      again.release();
      expect(await answer).to.equal(undefined);
    });
  });

  describe('#close', () => {
    it('closes the wrapped backend once', async () => {
      const closing = backend.close(10);
      expect(backend.close(10)).to.equal(closing);
      await closing;
      expect(backend.calls('close')).to.equal(1);
      expect(backend.health()).to.deep.equal({ status: 'unavailable' });
    });

    it('rejects, when it is told to fail', async () => {
      backend.fail('close');
      const error: unknown = await backend.close(10).catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(CacheConnectionError);
    });
  });
});
