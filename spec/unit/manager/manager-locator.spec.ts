import 'reflect-metadata';
import { expect } from 'chai';
import { container } from 'tsyringe';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { CacheConnectionError, InvalidOptionError } from '#internal/errors.js';
import { resetCaching } from '#internal/injection/container-manager.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import {
  bindCacheManager,
  forgetLookups,
  forgetManagers,
  locateManager,
  managerEpoch,
} from '#internal/manager/manager-locator.js';
import { FaultyBackend } from '#internal/testing/faulty-backend.js';
import { errorOf } from '../../support/framing.js';
import { settle } from '../../support/gated-source.js';

describe('locateManager', () => {
  let managers: CacheManager[];
  beforeEach(() => {
    managers = Array.from({ length: 3 }, () => new CacheManager({ logger: silentLogger }));
  });
  afterEach(async () => {
    await Promise.all(managers.map((manager) => manager.close()));
    container.reset();
    await resetCaching();
  });

  it('prefers the option to what is bound, and what is bound to the property', () => {
    const [explicit, bound, property] = managers as [CacheManager, CacheManager, CacheManager];
    const self = { cacheManager: property };
    expect(locateManager(self, undefined)).to.equal(property);
    bindCacheManager(self, bound);
    expect(locateManager(self, undefined)).to.equal(bound);
    expect(locateManager(self, explicit)).to.equal(explicit);
    expect(locateManager(self, () => explicit)).to.equal(explicit);
  });

  it('finds properties of classes, for static methods', () => {
    class Service {
      static readonly cacheManager = managers[0]!;
    }
    expect(locateManager(Service, undefined)).to.equal(managers[0]);
  });

  it('refuses an option that is no manager', () => {
    for (const wrong of [{}, () => ({})]) {
      expect(() => locateManager({}, wrong as never)).to.throw(
        InvalidOptionError,
        'expected a CacheManager',
      );
    }
  });

  it('tells when what was found may be wrong by now', () => {
    const before = managerEpoch();
    bindCacheManager({}, managers[0]!);
    const bound = managerEpoch();
    forgetLookups();
    expect([bound > before, managerEpoch() > bound]).to.deep.equal([true, true]);
  });

  it('finds inherited properties and getters', () => {
    class Base {
      get cacheManager(): CacheManager {
        return managers[0]!;
      }
    }
    expect(locateManager(new (class extends Base {})(), undefined)).to.equal(managers[0]);
  });

  it('ignores any other value of the property, and any other `this`', () => {
    const standard = locateManager({}, undefined);
    expect(managers).to.not.include(standard);
    const foreign = { get: () => 'a manager of another library', del: () => undefined };
    for (const cacheManager of [foreign, null, 'redis', CacheManager, () => managers[0]]) {
      expect(locateManager({ cacheManager }, undefined)).to.equal(standard);
    }
    for (const self of [undefined, null, 1, 'text', Symbol('s')]) {
      expect(locateManager(self, undefined)).to.equal(standard);
    }
  });

  describe('bindCacheManager', () => {
    it('binds frozen instances and classes, and the last one holds', () => {
      class Service {}
      for (const self of [Object.freeze({}), Service]) {
        for (const manager of managers) bindCacheManager(self, manager);
        expect(locateManager(self, undefined)).to.equal(managers.at(-1));
      }
      expect(managers).to.not.include(locateManager(new Service(), undefined));
    });

    it('refuses what is no manager, and what is no instance', () => {
      const before = managerEpoch();
      expect(() => bindCacheManager({}, {} as CacheManager)).to.throw(
        InvalidOptionError,
        'bindCacheManager: expected a CacheManager, got an object',
      );
      for (const wrong of [undefined, null, 'text', 5]) {
        expect(() => bindCacheManager(wrong as unknown as object, managers[0]!)).to.throw(
          InvalidOptionError,
          'bindCacheManager: expected an instance or a class',
        );
      }
      expect(managerEpoch()).to.equal(before);
    });
  });

  describe('forgetManagers', () => {
    it('closes those that were found by default, and no others', async () => {
      const found = locateManager({}, undefined);
      const [explicit, bound] = managers as [CacheManager, CacheManager];
      const self = {};
      bindCacheManager(self, bound);
      locateManager(self, undefined);
      locateManager(self, explicit);
      const before = managerEpoch();
      await forgetManagers();
      expect(found.isClosed).to.equal(true);
      expect([explicit.isClosed, bound.isClosed]).to.deep.equal([false, false]);
      expect(managerEpoch()).to.be.above(before);
      expect(locateManager(self, undefined)).to.equal(bound);
    });

    it('rejects when one of them cannot be closed, once the others are', async () => {
      const ending = new MemoryBackend();
      let end!: () => void;
      ending.close = () => new Promise((resolve) => (end = resolve));
      const broken = new FaultyBackend(new MemoryBackend());
      const error = new CacheConnectionError('the socket is gone');
      broken.fail('close', { error });
      for (const backend of [broken, ending]) {
        container.register(CacheManager, {
          useValue: new CacheManager({ backend, logger: silentLogger }),
        });
        expect(locateManager({}, undefined).backend).to.equal(backend);
      }
      let isOver = false;
      const forgetting = errorOf(forgetManagers).finally(() => (isOver = true));
      await settle();
      expect(isOver).to.equal(false);
      end();
      expect(await forgetting).to.equal(error);
      expect(await errorOf(forgetManagers)).to.equal(undefined);
    });
  });
});
