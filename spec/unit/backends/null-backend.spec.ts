import { expect } from 'chai';
import { NullBackend } from '#internal/backends/null-backend.js';
import type { BackendStore, EntryWrite, Fence, FillStart } from '#internal/cache/backend.js';
import { CacheClosedError } from '#internal/errors.js';
import { startsWith } from '#internal/testing/backend-session.js';

const write = (key: string, fence: Fence): EntryWrite => ({
  key,
  fence,
  entry: {
    value: 'v',
    kind: 'value',
    tags: [],
    createdAt: 0,
    expiresAt: Infinity,
    retainedUntil: Infinity,
    loadCostMs: 0,
  },
});

describe(NullBackend.name, () => {
  let backend: NullBackend;
  let store: BackendStore;

  beforeEach(() => {
    backend = new NullBackend();
    store = backend.open({ name: 'users', version: '1' });
  });

  it('stores nothing', () => {
    expect(store.store([write('k', { kind: 'set' })])).to.deep.equal(['stored']);
    expect(store.get('k')).to.equal(undefined);
    expect(store.getMany(['k', 'l'])).to.deep.equal([undefined, undefined]);
    expect(store.expire('k', 1, 1)).to.equal(false);
    expect(store.scan({ count: 10 })).to.deep.equal({ keys: [], cursor: '0' });
    expect(store.delete(['k'])).to.equal(0);
    expect(store.deletePattern(startsWith('k'))).to.equal(0);
  });

  it('gives tokens, and takes them back', () => {
    const starts = store.begin(['k', 'l']) as readonly FillStart[];
    expect(starts.map(({ token }) => token.key)).to.deep.equal(['k', 'l']);
    expect(starts.map(({ entry }) => entry)).to.deep.equal([undefined, undefined]);
    store.release(starts.map(({ token }) => token));
  });

  it('answers fills of one load as stored, so that its callers share it', () => {
    const [first, second] = store.begin(['k', 'k']) as readonly FillStart[];
    for (const start of [first!, second!]) {
      const fence = { kind: 'fill', token: start.token } as const;
      expect(store.store([write('k', fence)])).to.deep.equal(['stored']);
    }
  });

  for (const [name, invalidate] of [
    ['delete', () => store.delete(['other'])],
    ['deletePattern', () => store.deletePattern(startsWith('other'))],
    ['clear', () => store.clear()],
    ['clearAll', () => backend.clearAll()],
    ['invalidateTags', () => backend.invalidateTags({ anyOf: ['blue'] })],
    ['a set', () => store.store([write('other', { kind: 'set' })])],
    ['a put', () => store.store([write('o', { kind: 'put', token: store.watch() as never })])],
  ] as const) {
    it(`refuses fills and puts that began before ${name}`, () => {
      const [start] = store.begin(['k']) as readonly FillStart[];
      const watching = store.watch() as { key: string; sequence: number };
      void invalidate();
      expect(
        store.store([
          write('k', { kind: 'fill', token: start!.token }),
          write('k', { kind: 'put', token: watching }),
        ]),
      ).to.deep.equal(['refused', 'refused']);
      const [later] = store.begin(['k']) as readonly FillStart[];
      const fence = { kind: 'put', token: later!.token } as const;
      expect(store.store([write('k', fence)])).to.deep.equal(['stored']);
    });
  }

  it('serves any number of managers', () => {
    backend.attach({} as never);
    backend.attach({} as never);
  });

  it('is healthy until it is closed, and refuses everything then', async () => {
    backend.ping();
    expect(backend.health()).to.deep.equal({ status: 'healthy' });
    expect(backend.info()).to.deep.equal({});
    const closing = backend.close(10);
    expect(backend.close(20)).to.equal(closing);
    await closing;
    expect(backend.health()).to.deep.equal({ status: 'unavailable' });
    for (const call of [
      () => store.get('k'),
      () => store.getMany([]),
      () => store.begin([]),
      () => store.watch(),
      () => store.store([]),
      () => store.delete([]),
      () => store.deletePattern(startsWith('k')),
      () => store.clear(),
      () => store.expire('k', 1, 1),
      () => store.scan({ count: 1 }),
      () => backend.open({ name: 'users', version: '1' }),
      () => backend.attach({} as never),
      () => backend.invalidateTags({ anyOf: ['blue'] }),
      () => backend.clearAll(),
      () => backend.ping(),
      () => backend.info(),
    ]) {
      expect(call).to.throw(CacheClosedError, 'NullBackend was closed');
    }
    store.release([]);
  });
});
