import { expect } from 'chai';
import { nextOrder } from '#internal/cache/flight-table.js';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import type { CacheCore } from '#internal/cache/cache-core.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { compilePattern } from '#internal/cache/key-pattern.js';
import {
  CacheBackendError,
  CacheClosedError,
  CacheConfigurationError,
  CacheConnectionError,
  CacheSerializationError,
} from '#internal/errors.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { FaultyBackend } from '#internal/testing/faulty-backend.js';

describe('CacheCore', () => {
  let backend: FaultyBackend;
  let manager: CacheManager;
  let core: CacheCore;
  let reported: { operation: string; code: string; key: string | undefined }[];
  beforeEach(() => {
    backend = new FaultyBackend(new MemoryBackend());
    manager = new CacheManager({ backend, logger: silentLogger });
    core = manager.core('a');
    reported = [];
    manager.on('error', ({ operation, error: { code }, key }) =>
      reported.push({ operation, code, key }),
    );
  });
  afterEach(() => manager.close());

  const write = (key: string, value: unknown) => ({
    key,
    entry: {
      value,
      kind: 'value' as const,
      tags: [],
      createdAt: 0,
      expiresAt: Infinity,
      retainedUntil: Infinity,
      loadCostMs: 0,
    },
    fence: { kind: 'set' as const },
  });

  describe('#peek', () => {
    it('answers at once from memory', async () => {
      await core.store([write('1', 'one')], 'bypass');
      expect(core.peek('1', 'bypass')).to.include({ value: 'one', source: 'l1' });
      expect(core.peek('2', 'bypass')).to.equal(undefined);
      expect(core.counter).to.include({ hits: 1, misses: 1 });
    });

    it('rejects where the store throws, and counts the miss and the error', async () => {
      const error = new CacheConnectionError('no server');
      backend.fail('get', { error });
      const peeking = Promise.resolve(core.peek('1', 'throw'));
      expect(await peeking.catch((reason: unknown) => reason)).to.equal(error);
      expect(core.counter).to.include({ misses: 1, errors: 1 });
      expect(reported).to.deep.equal([
        { operation: 'get', code: 'ERR_CACHE_CONNECTION', key: '1' },
      ]);
    });

    it('rejects where the store does', async () => {
      const error = new CacheConnectionError('no server');
      backend.fail('get', { error });
      backend.hold('get').release();
      const held = backend.hold('get', 'request');
      const peeking = core.peek('1', 'throw');
      held.release();
      expect(await Promise.resolve(peeking).catch((reason: unknown) => reason)).to.equal(error);
      expect(core.counter).to.include({ misses: 1, errors: 1 });
    });

    it('never bypasses an error of configuration', async () => {
      const error = new CacheConfigurationError('wrong set-up');
      backend.fail('get', { error });
      const peeking = Promise.resolve(core.peek('1', 'bypass'));
      expect(await peeking.catch((reason: unknown) => reason)).to.equal(error);
    });
  });

  describe('#peekMany', () => {
    it('counts every key, when the store fails', async () => {
      backend.fail('getMany');
      expect(await core.peekMany(['1', '2'], 'bypass')).to.deep.equal([undefined, undefined]);
      const error = await core.peekMany(['1'], 'throw').catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(CacheConnectionError);
      expect(core.counter).to.include({ misses: 3, errors: 2 });
    });
  });

  describe('#store', () => {
    it('reports what cannot be stored, and stores the rest', async () => {
      await using strict = new CacheManager({
        backend: new MemoryBackend({ isolation: 'copy' }),
        logger: silentLogger,
      });
      const errors: unknown[] = [];
      strict.on('error', ({ error, key }) => errors.push([error.code, key]));
      const copying = strict.core('a');
      const writes = [write('1', () => 'a function'), write('2', 'two')];
      const outcomes = await copying.store(writes, 'bypass');
      expect(outcomes[0]).to.be.instanceOf(CacheSerializationError);
      expect(outcomes[1]).to.equal('stored');
      expect(errors).to.deep.equal([['ERR_CACHE_SERIALIZATION', '1']]);
      const storing = Promise.resolve(copying.store(writes, 'throw'));
      const error = await storing.catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(CacheSerializationError);
      expect(copying.counter).to.include({ sets: 2, errors: 2 });
    });

    it('gives tokens back, when the cache is off by now', async () => {
      const [start] = (await core.begin(['1'], 'bypass'))!;
      manager.enabled = false;
      const fence = { kind: 'fill' as const, token: start!.token };
      expect(await core.store([{ ...write('1', 'one'), fence }], 'bypass')).to.deep.equal([
        undefined,
      ]);
      expect(backend.info()).to.include({ loading: 0, entries: 0 });
    });
  });

  describe('invalidations', () => {
    it('detach the loads of their keys before the store has answered', async () => {
      const flights = ['1', '2', '3'];
      const fly = (): void =>
        flights.forEach((key) => core.flights.launch(key, () => new Promise(() => undefined)));
      fly();
      const held = backend.hold('delete');
      const deleting = core.delete(['1', '3'], 'bypass');
      expect(flights.filter((key) => core.flights.get(key) !== undefined)).to.deep.equal(['2']);
      held.release();
      await deleting;
      await core.deletePattern(compilePattern('1*'), 'bypass');
      expect(core.flights.get('2')).not.to.equal(undefined);
      for (const end of [
        () => core.clear('bypass'),
        () => core.deletePattern(compilePattern('[123]*'), 'bypass').then(() => undefined),
        () => manager.clearAll(),
      ]) {
        fly();
        await end();
        expect(core.flights.size).to.equal(0);
      }
    });

    it('by tag put the loads in doubt before the store has answered, and let them be joined', async () => {
      const before = nextOrder();
      const flight = core.flights.launch('1', () => new Promise(() => undefined));
      const held = backend.hold('invalidateTags');
      const invalidating = manager.invalidateTags('t');
      expect(core.flights.doubtedAt).to.be.greaterThan(before);
      expect(core.flights.get('1')).to.equal(flight);
      held.release();
      await invalidating;
    });

    it('of nothing ask nobody', async () => {
      expect(await core.delete([], 'throw')).to.equal(0);
      await manager.invalidateTags();
      expect(backend.calls('delete') + backend.calls('invalidateTags')).to.equal(0);
    });
  });

  describe('#fail', () => {
    it('makes a cache error of what is none, with its cause', () => {
      const cause = new TypeError('a defect');
      expect(() => core.fail('get', cause, 'throw', '1'))
        .to.throw(CacheBackendError, "get of cache 'a' failed: a defect")
        .with.property('cause', cause);
      expect(core.fail('get', 'a text', 'bypass')).to.equal(undefined);
      expect(reported.map(({ code }) => code)).to.deep.equal([
        'ERR_CACHE_BACKEND',
        'ERR_CACHE_BACKEND',
      ]);
    });
  });

  describe('after close', () => {
    it('bypasses, or rejects with CacheClosedError', async () => {
      await manager.close();
      expect(core.peek('1', 'bypass')).to.equal(undefined);
      expect(await core.delete(['1'], 'bypass')).to.equal(0);
      expect(() => core.peek('1', 'throw')).to.throw(CacheClosedError);
      const error = await core.delete(['1'], 'throw').catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(CacheClosedError);
    });
  });
});
