import { expect } from 'chai';
import { inspect } from 'node:util';
import { ApplicationSettings } from '#internal/config/application-settings.js';
import { CacheSettings } from '#internal/config/cache-settings.js';
import { RedisSettings } from '#internal/config/redis-settings.js';
import { InvalidOptionError } from '#internal/errors.js';

describe('ApplicationSettings', () => {
  it('holds the defaults, when given nothing', () => {
    const settings = new ApplicationSettings();

    expect(Object.fromEntries(Object.entries(settings))).to.deep.equal({
      environment: undefined,
      debug: false,
      redis: new RedisSettings(),
      cache: new CacheSettings(),
      warnings: [],
    });
  });

  it('refuses settings that are no instance, for they would not be checked', () => {
    expect(() => new ApplicationSettings({ redis: { port: 0 } as RedisSettings })).to.throw(
      InvalidOptionError,
      'ApplicationSettings.redis: expected an instance of RedisSettings, got an object',
    );
    expect(() => new ApplicationSettings({ cache: new RedisSettings() as never })).to.throw(
      InvalidOptionError,
      'ApplicationSettings.cache: expected an instance of CacheSettings, got an object',
    );
  });

  it('shows nested settings without their secrets', () => {
    const redis = new RedisSettings({ password: 's3cret' });
    const settings = new ApplicationSettings({ redis });

    expect(settings.toJSON()).to.have.nested.property('redis.password', '[redacted]');
    expect(JSON.stringify(settings)).not.to.include('s3cret');
    expect(inspect(settings, { depth: 9, showHidden: true })).not.to.include('s3cret');
  });
});
