import { expect } from 'chai';
import { CacheSettings } from '#internal/config/cache-settings.js';
import { InvalidOptionError } from '#internal/errors.js';

describe('CacheSettings', () => {
  it('holds the defaults, when given nothing', () => {
    expect(Object.fromEntries(Object.entries(new CacheSettings()))).to.deep.equal({
      defaultTtlMs: 3_600_000,
      maxTtlMs: 86_400_000,
      nullTtlMs: undefined,
      enabled: true,
      disableInDebug: false,
      prefix: 'cache',
      codec: 'json',
      compression: 'none',
      compressionThresholdBytes: 1024,
      maxResponseSizeBytes: 10_485_760,
      logLevel: undefined,
    });
  });

  it('takes values, falsy ones included', () => {
    const settings = new CacheSettings({ defaultTtlMs: 0, enabled: false });

    expect(settings).to.include({ defaultTtlMs: 0, enabled: false, maxTtlMs: 86_400_000 });
  });

  it('refuses to be given what follows from another setting', () => {
    expect(() => new CacheSettings({ compressionEnabled: true } as object)).to.throw(
      InvalidOptionError,
      'CacheSettings.compressionEnabled',
    );
  });

  describe('#compressionEnabled', () => {
    it('tells whether there is compression', () => {
      expect(new CacheSettings().compressionEnabled).to.equal(false);
      expect(new CacheSettings({ compression: 'zstd' }).compressionEnabled).to.equal(true);
    });
  });
});
