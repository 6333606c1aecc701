import { expect } from 'chai';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import type { BackendContext } from '#internal/cache/backend.js';
import { silentLogger, type CacheLogger } from '#internal/cache/cache-logger.js';
import {
  CacheClosedError,
  CacheConfigurationError,
  CacheConnectionError,
  InvalidOptionError,
  isCacheError,
} from '#internal/errors.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { FaultyBackend } from '#internal/testing/faulty-backend.js';
import { ManualClock } from '#internal/testing/manual-clock.js';
import { errorOf } from '../../support/framing.js';

/** A store that counts its introductions, and can refuse them. */
class WatchedBackend extends FaultyBackend {
  attached = 0;
  refusal: Error | undefined;
  constructor() {
    super(new MemoryBackend());
  }
  override attach(context: BackendContext): void {
    this.attached++;
    if (this.refusal !== undefined) throw this.refusal;
    super.attach(context);
  }
}

describe('The life of a CacheManager', () => {
  let backend: WatchedBackend;
  beforeEach(() => (backend = new WatchedBackend()));

  describe('that is off from the start', () => {
    it('does not touch its backend, whatever is asked of it', async () => {
      backend.refusal = new Error('attached');
      const manager = new CacheManager({
        backend,
        enabled: false,
        logger: silentLogger,
        onError: 'throw',
      });
      const cache = manager.cache<readonly [number], string>('a');
      expect(manager.enabled).to.equal(false);
      expect(await cache.get(1)).to.equal(undefined);
      expect(await cache.getMany([1, 2])).to.deep.equal(new Map());
      expect(await cache.getOrSet(1, async () => 'loaded')).to.equal('loaded');
      expect(await cache.getOrSetMany([1], async () => new Map([[1, 'loaded']]))).to.deep.equal(
        new Map([[1, 'loaded']]),
      );
      expect(await cache.set(1, 'one')).to.equal(false);
      expect(
        await cache.setMany([
          [1, 'one'],
          [2, 'two'],
        ]),
      ).to.equal(0);
      expect(await cache.has(1)).to.equal(false);
      expect(await cache.ttl(1)).to.equal(undefined);
      expect(await cache.expire(1, '1m')).to.equal(false);
      expect(await cache.delete(1)).to.equal(false);
      expect(await cache.deleteMany([1, 2])).to.equal(0);
      expect(await cache.deletePattern('*')).to.equal(0);
      expect(await cache.keys()).to.deep.equal({ keys: [], cursor: '0' });
      await cache.clear();
      await manager.clearAll();
      await manager.invalidateTags('x');
      expect(await manager.ping()).to.equal(false);
      expect(await manager.info()).to.deep.equal({});
      expect(manager.health()).to.deep.equal({ status: 'disabled', backend: 'memory' });
      expect(backend.attached).to.equal(0);
      expect(manager.statistics()).to.include({ hits: 0, misses: 0, errors: 0, loads: 2 });
    });

    it('is introduced to its backend once, when it is switched on', async () => {
      await using manager = new CacheManager({ backend, enabled: false, logger: silentLogger });
      manager.cache('a');
      manager.enabled = true;
      manager.enabled = false;
      manager.enabled = true;
      expect(backend.attached).to.equal(1);
      await manager.cache('a').set(1, 'one');
      expect(await manager.cache('a').get(1)).to.equal('one');
    });

    it('stays off, when its backend refuses it', () => {
      const manager = new CacheManager({ backend, enabled: false, logger: silentLogger });
      backend.refusal = new CacheConfigurationError('no');
      expect(() => (manager.enabled = true)).to.throw(CacheConfigurationError, 'no');
      expect(manager.enabled).to.equal(false);
      expect(manager.health().status).to.equal('disabled');
    });
  });

  describe('that is switched off while it runs', () => {
    it('looks nothing up and stores nothing, but invalidates', async () => {
      await using manager = new CacheManager({ backend, logger: silentLogger });
      const cache = manager.cache<readonly [number], string>('a', { tags: ['t'] });
      await cache.setMany([
        [1, 'one'],
        [2, 'two'],
        [3, 'three'],
      ]);
      manager.enabled = false;
      expect(await cache.get(1)).to.equal(undefined);
      expect(await cache.has(1)).to.equal(false);
      expect(await cache.set(4, 'four')).to.equal(false);
      expect(await cache.getOrSet(1, async () => 'loaded')).to.equal('loaded');
      expect(await cache.delete(1)).to.equal(true);
      expect(await cache.expire(2, 0)).to.equal(true);
      expect(manager.statistics()).to.include({ hits: 0, misses: 0 });
      manager.enabled = true;
      expect([...(await cache.getMany([1, 2, 3, 4])).keys()]).to.deep.equal([3]);
      manager.enabled = false;
      await manager.invalidateTags('t');
      manager.enabled = true;
      expect(await cache.get(3)).to.equal(undefined);
    });

    it('drops what was loading, and gives the token back', async () => {
      await using manager = new CacheManager({ backend, logger: silentLogger });
      const cache = manager.cache<readonly [number], string>('a');
      const value = await cache.getOrSet(1, async () => {
        manager.enabled = false;
        return 'loaded';
      });
      manager.enabled = true;
      expect(value).to.equal('loaded');
      expect(await cache.has(1)).to.equal(false);
      expect(await manager.info()).to.include({ loading: 0 });
    });

    it('takes true and false, and nothing that only looks like it', () => {
      const manager = new CacheManager({ backend, logger: silentLogger });
      expect(() => (manager.enabled = 'no' as never)).to.throw(
        InvalidOptionError,
        'CacheManager.enabled',
      );
      expect(manager.enabled).to.equal(true);
    });
  });

  describe('#close', () => {
    it('closes the backend once, with the timeout, and gives the same promise again', async () => {
      const asked: number[] = [];
      const inner = new MemoryBackend();
      const close = inner.close.bind(inner);
      inner.close = (timeoutMs) => {
        asked.push(timeoutMs);
        return close(timeoutMs);
      };
      const manager = new CacheManager({ backend: inner, logger: silentLogger });
      expect(manager.isClosed).to.equal(false);
      const closing = manager.close({ timeout: '2s' });
      expect(manager.isClosed).to.equal(true);
      expect(manager.close()).to.equal(closing);
      expect(manager[Symbol.asyncDispose]()).to.equal(closing);
      await closing;
      expect(asked).to.deep.equal([2_000]);
    });

    it('waits 5 s, when nothing says otherwise', async () => {
      let asked: number | undefined;
      const inner = new MemoryBackend();
      inner.close = async (timeoutMs) => void (asked = timeoutMs);
      await new CacheManager({ backend: inner, logger: silentLogger }).close();
      expect(asked).to.equal(5_000);
    });

    it('refuses wrong options, and does not close then', async () => {
      const manager = new CacheManager({ backend, logger: silentLogger });
      expect(() => manager.close({ timeout: -1 })).to.throw(InvalidOptionError, 'close.timeout');
      expect(() => manager.close({ timout: 5 } as never)).to.throw(
        InvalidOptionError,
        "did you mean 'timeout'?",
      );
      expect(manager.isClosed).to.equal(false);
      await manager.close({});
    });

    it('rejects with the error of the backend, and the manager is closed all the same', async () => {
      const error = new CacheConnectionError('lost');
      backend.fail('close', { error });
      const manager = new CacheManager({ backend, logger: silentLogger });
      expect(await errorOf(() => manager.close())).to.equal(error);
      expect(manager.isClosed).to.equal(true);
      expect(manager.enabled).to.equal(false);
    });

    it('comes by itself at the end of `await using`', async () => {
      let seen: CacheManager;
      {
        await using manager = new CacheManager({ backend, logger: silentLogger });
        seen = manager;
      }
      expect(seen.isClosed).to.equal(true);
      expect(backend.calls('close')).to.equal(1);
    });

    it('cannot be undone by the switch', async () => {
      const manager = new CacheManager({ backend, logger: silentLogger });
      await manager.close();
      manager.enabled = true;
      expect(manager.enabled).to.equal(false);
      expect(manager.health().status).to.equal('unavailable');
      const error = await errorOf(() => manager.info());
      expect(isCacheError(error, 'ERR_CACHE_CLOSED')).to.equal(true);
    });

    type Call = readonly [
      name: string,
      call: (manager: CacheManager) => Promise<unknown>,
      whenBypassed: unknown,
    ];
    const cacheOf = (manager: CacheManager) => manager.cache<readonly [number], string>('a');
    const CALLS: readonly Call[] = [
      ['get', (manager) => cacheOf(manager).get(1), undefined],
      ['getMany', (manager) => cacheOf(manager).getMany([1]), new Map()],
      ['set', (manager) => cacheOf(manager).set(1, 'one'), false],
      ['setMany', (manager) => cacheOf(manager).setMany([[1, 'one']]), 0],
      ['has', (manager) => cacheOf(manager).has(1), false],
      ['ttl', (manager) => cacheOf(manager).ttl(1), undefined],
      ['expire', (manager) => cacheOf(manager).expire(1, '1m'), false],
      ['expire by 0', (manager) => cacheOf(manager).expire(1, 0), false],
      ['delete', (manager) => cacheOf(manager).delete(1), false],
      ['deletePattern', (manager) => cacheOf(manager).deletePattern('*'), 0],
      ['clear', (manager) => cacheOf(manager).clear(), undefined],
      ['keys', (manager) => cacheOf(manager).keys(), { keys: [], cursor: '0' }],
      ['getOrSet', (manager) => cacheOf(manager).getOrSet(1, async () => 'loaded'), 'loaded'],
      ['invalidateTags', (manager) => manager.invalidateTags('x'), undefined],
      ['clearAll', (manager) => manager.clearAll(), undefined],
    ];
    for (const [name, call, whenBypassed] of CALLS) {
      for (const isUsed of [true, false]) {
        it(`lets '${name}' do nothing under bypass, and reject under throw, in a cache ${isUsed ? 'in use' : 'just made'}`, async () => {
          for (const onError of ['bypass', 'throw'] as const) {
            const manager = new CacheManager({ onError, logger: silentLogger });
            if (isUsed) await cacheOf(manager).set(1, 'before');
            await manager.close();
            if (onError === 'bypass') expect(await call(manager)).to.deep.equal(whenBypassed);
            else expect(await errorOf(() => call(manager))).to.be.instanceOf(CacheClosedError);
          }
        });
      }
    }
  });

  describe('with a store that fails', () => {
    let clock: ManualClock;
    let logged: unknown[];
    const open = (onError: 'bypass' | 'throw'): CacheManager => {
      const logger: CacheLogger = { ...silentLogger, warn: (...given) => void logged.push(given) };
      return new CacheManager({ backend, clock, logger, onError });
    };
    beforeEach(() => {
      clock = new ManualClock();
      logged = [];
    });

    for (const operation of ['invalidateTags', 'clearAll'] as const) {
      it(`bypasses a failing ${operation}: an event, a count, a log line, and no 'invalidate'`, async () => {
        await using manager = open('bypass');
        const told: unknown[] = [];
        manager.on('error', (event) => told.push(event));
        manager.on('invalidate', (event) => told.push(event));
        const error = new CacheConnectionError('refused');
        backend.fail(operation, { error });
        await (operation === 'clearAll' ? manager.clearAll() : manager.invalidateTags('x'));
        expect(told).to.deep.equal([{ operation, error, cache: undefined, key: undefined }]);
        expect(manager.statistics().errors).to.equal(1);
        expect(logged).to.have.length(1);
      });

      it(`rejects with the error of a failing ${operation} under throw`, async () => {
        await using manager = open('throw');
        const error = new CacheConnectionError('refused');
        backend.fail(operation, { error });
        const call = (): Promise<void> =>
          operation === 'clearAll' ? manager.clearAll() : manager.invalidateTags('x');
        expect(await errorOf(call)).to.equal(error);
      });
    }

    it('wraps what is no error of ours, and keeps it as the cause', async () => {
      await using manager = open('throw');
      const cause = new TypeError('defect');
      backend.fail('clearAll', { error: cause });
      const error = await errorOf(() => manager.clearAll());
      expect(isCacheError(error, 'ERR_CACHE_BACKEND')).to.equal(true);
      expect((error as Error).cause).to.equal(cause);
    });

    it('never bypasses a wrong set-up', async () => {
      await using manager = open('bypass');
      const error = new CacheConfigurationError('the client has a key prefix');
      backend.fail('clearAll', { error });
      backend.fail('get', { error });
      expect(await errorOf(() => manager.clearAll())).to.equal(error);
      expect(await errorOf(() => manager.cache('a').get(1))).to.equal(error);
    });

    it('lets a cache choose otherwise than its manager', async () => {
      await using manager = open('bypass');
      backend.fail('invalidateTags');
      const strict = manager.cache('strict', { onError: 'throw' });
      expect(await errorOf(() => strict.invalidateTags('x'))).to.be.instanceOf(
        CacheConnectionError,
      );
      expect(await errorOf(() => manager.cache('a').invalidateTags('x'))).to.equal(undefined);
    });

    it('logs an outage once a minute, with the number of failures kept back', async () => {
      await using manager = open('bypass');
      backend.fail('get');
      for (let key = 0; key < 10; key++) await manager.cache('a').get(key);
      expect(logged).to.have.length(1);
      clock.advance('1m');
      await manager.cache('b').get(1);
      expect(logged).to.have.length(2);
      expect((logged[1] as unknown[])[1]).to.include({
        operation: 'get',
        cache: 'b',
        suppressed: 9,
      });
    });
  });
});
