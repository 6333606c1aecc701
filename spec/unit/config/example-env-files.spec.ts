import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { loadSettings } from '#internal/config/load-settings.js';
import { readVariables } from '#internal/config/environment-variables.js';
import { CacheSettings } from '#internal/config/cache-settings.js';
import { RedisSettings } from '#internal/config/redis-settings.js';

describe('the example .env files', () => {
  for (const name of ['development', 'staging', 'production'] as const) {
    describe(`.env.${name}.example`, () => {
      const envFile = `.env.${name}.example`;

      it('loads as its environment, without a warning', () => {
        const settings = loadSettings({ env: {}, envFile });

        expect(settings.environment).to.equal(name);
        expect(settings.debug).to.equal(name === 'development');
        expect(settings.cache.enabled).to.equal(true);
        expect(settings.warnings).to.deep.equal([]);
      });

      it('sets nothing that is not a setting', () => {
        const variables = parseEnv(readFileSync(envFile, 'utf8'));
        const read = [
          ...Object.keys(readVariables(RedisSettings, 'redis', 'REDIS_', variables).values),
          ...Object.keys(readVariables(CacheSettings, 'cache', 'CACHE_', variables).values),
        ];

        expect(Object.keys(variables)).to.have.lengthOf(read.length + 2);
      });
    });
  }

  it('asks for TLS, a password and 20 connections in production', () => {
    const { redis } = loadSettings({ env: {}, envFile: '.env.production.example' });

    expect(redis).to.include({ ssl: true, password: 'change-me', maxConnections: 20 });
  });
});
