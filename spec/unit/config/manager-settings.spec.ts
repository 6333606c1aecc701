import { expect } from 'chai';
import { ApplicationSettings } from '#internal/config/application-settings.js';
import { CacheSettings } from '#internal/config/cache-settings.js';
import { toManagerOptions } from '#internal/config/manager-settings.js';
import type { CacheOptions } from '#internal/manager/manager-options.js';

describe('toManagerOptions', () => {
  const optionsFor = (cache: CacheSettings) => toManagerOptions(new ApplicationSettings({ cache }));

  it('gives the options that settings decide', () => {
    expect(optionsFor(new CacheSettings())).to.deep.equal({
      enabled: true,
      ttl: 3_600_000,
      maxTtl: 86_400_000,
      compressionThreshold: 1024,
      debug: false,
    });
  });

  it('gives what differs from the defaults', () => {
    const cache = new CacheSettings({
      enabled: false,
      defaultTtlMs: 1,
      maxTtlMs: 2,
      nullTtlMs: 0,
      compressionThresholdBytes: 4,
    });

    expect(optionsFor(cache)).to.deep.equal({
      enabled: false,
      ttl: 1,
      maxTtl: 2,
      nullTtl: 0,
      compressionThreshold: 4,
      debug: false,
    });
  });

  it('tells the manager to debug, when the application does', () => {
    const options: CacheOptions = toManagerOptions(new ApplicationSettings({ debug: true }));

    expect(options.debug).to.equal(true);
  });

  it('leaves the clamp out, when there is none', () => {
    expect(optionsFor(new CacheSettings({ maxTtlMs: Infinity }))).not.to.have.property('maxTtl');
  });
});
