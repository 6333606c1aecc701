import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sinon from 'sinon';
import { ApplicationSettings } from '#internal/config/application-settings.js';
import type { EnvironmentVariables } from '#internal/config/environment-variables.js';
import { loadSettings, type LoadSettingsOptions } from '#internal/config/load-settings.js';
import { RedisSettings } from '#internal/config/redis-settings.js';
import { CacheConfigurationError, InvalidOptionError } from '#internal/errors.js';

const PEM = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----';

function load(env: EnvironmentVariables, options: LoadSettingsOptions = {}): ApplicationSettings {
  return loadSettings({ env, envFile: false, ...options });
}

function faultsOf(env: EnvironmentVariables, options?: LoadSettingsOptions): readonly string[] {
  try {
    load(env, options);
  } catch (error) {
    expect(error).to.be.instanceOf(CacheConfigurationError);
    const [head, ...lines] = (error as Error).message.split('\n');
    expect(head).to.match(/^The settings have (a fault|\d+ faults):$/);
    return lines.map((line) => line.replace(/^- /, ''));
  }
  return [];
}

describe('loadSettings', () => {
  let folder: string;
  const file = (name: string, content: string): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cachewell-settings-'));
  });
  afterEach(() => {
    sinon.restore();
    rmSync(folder, { recursive: true });
  });

  describe('variables', () => {
    it('gives the defaults of the classes, when nothing is set', () => {
      expect(load({})).to.deep.equal(new ApplicationSettings());
    });

    const cases: readonly [string, string, string, unknown][] = [
      ['REDIS_HOST', 'cache', 'redis.host', 'cache'],
      ['REDIS_PORT', '6380', 'redis.port', 6380],
      ['REDIS_DB', '3', 'redis.db', 3],
      ['REDIS_USERNAME', 'ada', 'redis.username', 'ada'],
      ['REDIS_PASSWORD', ' pa ss ', 'redis.password', ' pa ss '],
      ['REDIS_PASSWORD', 'secret\r\n', 'redis.password', 'secret'],
      ['REDIS_SSL', 'True', 'redis.ssl', true],
      ['REDIS_TLS_CA', PEM, 'redis.tlsCa', PEM],
      ['REDIS_TLS_CA', PEM.replaceAll('\n', '\\n'), 'redis.tlsCa', PEM],
      ['REDIS_TLS_REJECT_UNAUTHORIZED', 'no', 'redis.tlsRejectUnauthorized', false],
      ['REDIS_MAX_CONNECTIONS', '10', 'redis.maxConnections', 10],
      ['REDIS_SOCKET_TIMEOUT', '5', 'redis.socketTimeoutMs', 5000],
      ['REDIS_SOCKET_CONNECT_TIMEOUT', '2.0', 'redis.socketConnectTimeoutMs', 2000],
      ['REDIS_KEEP_ALIVE', '1m', 'redis.keepAliveMs', 60_000],
      ['REDIS_HEALTH_CHECK_INTERVAL', '15', 'redis.healthCheckIntervalMs', 15_000],
      ['REDIS_COMMAND_TIMEOUT', '100ms', 'redis.commandTimeoutMs', 100],
      ['REDIS_COMMAND_TIMEOUT', '0.1', 'redis.commandTimeoutMs', 100],
      ['REDIS_URL', 'redis://cache:7000/3', 'redis.port', 7000],
      ['CACHE_DEFAULT_TTL', '60', 'cache.defaultTtlMs', 60_000],
      ['CACHE_DEFAULT_TTL', '1h', 'cache.defaultTtlMs', 3_600_000],
      ['CACHE_DEFAULT_TTL', 'none', 'cache.defaultTtlMs', Infinity],
      ['CACHE_MAX_TTL', '7d', 'cache.maxTtlMs', 604_800_000],
      ['CACHE_MAX_TTL', 'none', 'cache.maxTtlMs', Infinity],
      ['CACHE_MAX_TTL', '', 'cache.maxTtlMs', Infinity],
      ['CACHE_NULL_TTL', '30', 'cache.nullTtlMs', 30_000],
      ['CACHE_ENABLED', 'off', 'cache.enabled', false],
      ['CACHE_DISABLE_IN_DEBUG', 'on', 'cache.disableInDebug', true],
      ['CACHE_PREFIX', 'shop', 'cache.prefix', 'shop'],
      ['CACHE_CODEC', 'MSGPACK', 'cache.codec', 'msgpack'],
      ['CACHE_COMPRESSION', 'lz4', 'cache.compression', 'lz4'],
      ['CACHE_COMPRESSION_ENABLED', 'true', 'cache.compression', 'gzip'],
      ['CACHE_COMPRESSION_THRESHOLD', '0', 'cache.compressionThresholdBytes', 0],
      ['CACHE_MAX_RESPONSE_SIZE', '1024', 'cache.maxResponseSizeBytes', 1024],
      ['CACHE_LOG_LEVEL', 'debug', 'cache.logLevel', 'debug'],
      ['ENVIRONMENT', 'staging', 'environment', 'staging'],
      ['DEBUG', '1', 'debug', true],
    ];
    for (const [variable, text, path, value] of cases) {
      it(`reads ${variable}=${JSON.stringify(text).slice(0, 30)} into ${path}`, () => {
        expect(load({ [variable]: text })).to.have.nested.property(path, value);
      });
    }

    it('takes an empty variable for none', () => {
      expect(
        load({ REDIS_PORT: '', REDIS_PASSWORD: ' ', CACHE_CODEC: '', ENVIRONMENT: '' }),
      ).to.deep.equal(new ApplicationSettings());
    });

    it('reads the file that REDIS_TLS_CA names', () => {
      const path = file('ca.pem', `${PEM}\n`);

      expect(load({ REDIS_TLS_CA: path }).redis.tlsCa).to.equal(`${PEM}\n`);
    });

    it('reads process.env by default', () => {
      sinon.stub(process, 'env').value({ REDIS_HOST: 'from-process' });

      expect(loadSettings({ envFile: false }).redis.host).to.equal('from-process');
    });

    it('takes other prefixes, and then only those', () => {
      const env = {
        MYAPP_REDIS_HOST: 'mine',
        REDIS_HOST: 'theirs',
        MYAPP_PREFIX: 'shop',
        CACHE_PREFIX: 'x',
      };
      const settings = load(env, { redisPrefix: 'MYAPP_REDIS_', cachePrefix: 'MYAPP_' });

      expect(settings.redis.host).to.equal('mine');
      expect(settings.cache.prefix).to.equal('shop');
    });

    it('gives frozen settings', () => {
      const settings = load({});

      for (const each of [settings, settings.redis, settings.cache, settings.warnings]) {
        expect(each).to.be.frozen;
      }
    });
  });

  describe('the file', () => {
    it('gives variables, and the environment wins over it', () => {
      const envFile = file('my.env', 'REDIS_HOST=from-file\nREDIS_PORT=7000\n');
      const { redis } = load({ REDIS_PORT: '7001' }, { envFile });

      expect(redis).to.include({ host: 'from-file', port: 7001 });
    });

    it('gives way to an empty variable, and not to an undefined one', () => {
      const envFile = file('my.env', 'REDIS_HOST=from-file\nREDIS_PASSWORD=from-file\n');
      const { redis } = load({ REDIS_PASSWORD: '', REDIS_HOST: undefined }, { envFile });

      expect(redis).to.include({ host: 'from-file', password: undefined });
    });

    it('can choose the profile', () => {
      const envFile = file('my.env', 'ENVIRONMENT=staging');

      expect(load({ NODE_ENV: 'production' }, { envFile }).environment).to.equal('staging');
    });

    it('must exist, when it is named', () => {
      expect(faultsOf({ REDIS_PORT: 'abc' }, { envFile: join(folder, 'absent') })).to.deep.equal([
        `envFile: expected the path of a readable file, got '${join(folder, 'absent')}' (ENOENT)`,
        "REDIS_PORT (redis.port): expected a whole number from 1 to 65535, got 'abc'",
      ]);
    });
  });

  describe('profiles', () => {
    it('applies the one that ENVIRONMENT names, then the one that NODE_ENV names', () => {
      expect(load({ ENVIRONMENT: 'Dev' }).environment).to.equal('development');
      expect(load({ ENVIRONMENT: 'staging', NODE_ENV: 'production' }).environment).to.equal(
        'staging',
      );
      expect(load({ NODE_ENV: 'production' }).environment).to.equal('production');
    });

    it('gives development 600 s and debugging', () => {
      const { cache, debug, redis } = load({ ENVIRONMENT: 'development' });

      expect(cache).to.include({ defaultTtlMs: 600_000, compression: 'none', enabled: true });
      expect(debug).to.equal(true);
      expect(redis).to.deep.equal(new RedisSettings());
    });

    it('gives staging 1800 s with compression', () => {
      const { cache, debug } = load({ ENVIRONMENT: 'staging' });

      expect(cache).to.include({ defaultTtlMs: 1_800_000, compression: 'gzip' });
      expect(debug).to.equal(false);
    });

    it('gives production 3600 s with compression, TLS and 100 connections', () => {
      const { cache, debug, redis } = load({ ENVIRONMENT: 'production' });

      expect(cache).to.include({ defaultTtlMs: 3_600_000, compression: 'gzip' });
      expect(redis).to.include({ ssl: true, tlsRejectUnauthorized: true, maxConnections: 100 });
      expect(debug).to.equal(false);
    });

    it('gives way to variables', () => {
      const settings = load({
        ENVIRONMENT: 'production',
        CACHE_DEFAULT_TTL: '5',
        CACHE_COMPRESSION: 'lz4',
        REDIS_SSL: 'false',
        REDIS_MAX_CONNECTIONS: '20',
        DEBUG: 'true',
      });

      expect(settings.cache).to.include({ defaultTtlMs: 5000, compression: 'lz4' });
      expect(settings.redis).to.include({ ssl: false, maxConnections: 20 });
      expect(settings.debug).to.equal(true);
    });

    it('is chosen by the option, whatever the variables say', () => {
      const { environment, cache } = load({ ENVIRONMENT: 'nonsense' }, { profile: 'prod' });

      expect(environment).to.equal('production');
      expect(cache.compression).to.equal('gzip');
    });

    it('is none, when NODE_ENV names none', () => {
      expect(load({ NODE_ENV: 'test' })).to.deep.equal(new ApplicationSettings());
    });

    it('is a fault, when ENVIRONMENT names none', () => {
      expect(faultsOf({ ENVIRONMENT: 'prodution', NODE_ENV: 'production' })).to.deep.equal([
        'ENVIRONMENT (environment): expected one of development (dev), staging, production (prod), ' +
          "got 'prodution'; did you mean 'production'?",
      ]);
    });
  });

  describe('compression', () => {
    const compressionOf = (env: EnvironmentVariables) => load(env).cache.compression;

    it('is turned on as gzip, as the profile has it, or as it is named', () => {
      expect(compressionOf({ CACHE_COMPRESSION_ENABLED: 'yes' })).to.equal('gzip');
      expect(compressionOf({ CACHE_COMPRESSION_ENABLED: 'yes', ENVIRONMENT: 'dev' })).to.equal(
        'gzip',
      );
      expect(
        compressionOf({ CACHE_COMPRESSION_ENABLED: 'yes', CACHE_COMPRESSION: 'zstd' }),
      ).to.equal('zstd');
    });

    it('is turned off, whatever was named', () => {
      expect(compressionOf({ CACHE_COMPRESSION_ENABLED: 'no', ENVIRONMENT: 'prod' })).to.equal(
        'none',
      );
      expect(compressionOf({ CACHE_COMPRESSION_ENABLED: '0', CACHE_COMPRESSION: 'lz4' })).to.equal(
        'none',
      );
    });

    it('is a fault, when it is turned on and named none', () => {
      expect(faultsOf({ CACHE_COMPRESSION_ENABLED: '1', CACHE_COMPRESSION: 'none' })).to.deep.equal(
        [
          'CACHE_COMPRESSION_ENABLED (cache.compressionEnabled): expected false or nothing beside ' +
            "CACHE_COMPRESSION=none, got '1'",
        ],
      );
    });
  });

  describe('CACHE_ENABLED and DEBUG', () => {
    // [DEBUG, CACHE_ENABLED, on?, on with CACHE_DISABLE_IN_DEBUG?]
    const table: readonly [string, string | undefined, boolean, boolean][] = [
      ['false', undefined, true, true],
      ['false', 'true', true, true],
      ['false', 'false', false, false],
      ['true', undefined, true, false],
      ['true', 'true', true, true],
      ['true', 'false', false, false],
    ];
    for (const [debug, enabled, isOn, isOnWithDisableInDebug] of table) {
      it(`DEBUG=${debug}, CACHE_ENABLED ${enabled ?? 'not set'}: ${isOn}, ${isOnWithDisableInDebug} with CACHE_DISABLE_IN_DEBUG`, () => {
        const env = { DEBUG: debug, CACHE_ENABLED: enabled };

        expect(load(env).cache.enabled).to.equal(isOn);
        expect(load({ ...env, CACHE_DISABLE_IN_DEBUG: 'true' }).cache.enabled).to.equal(
          isOnWithDisableInDebug,
        );
      });
    }

    it('ignores a DEBUG that is no boolean', () => {
      for (const DEBUG of ['ioredis:*', '*', 'express:router,-send', '']) {
        const settings = load({ DEBUG, CACHE_DISABLE_IN_DEBUG: 'true' });

        expect(settings.debug, DEBUG).to.equal(false);
        expect(settings.cache.enabled, DEBUG).to.equal(true);
        expect(load({ DEBUG, ENVIRONMENT: 'dev' }).debug, DEBUG).to.equal(true);
      }
    });
  });

  describe('faults', () => {
    it('are listed all at once, each with its variable, its field and what it got', () => {
      expect(
        faultsOf({
          REDIS_PORT: 'abc',
          REDIS_DB: '-1',
          REDIS_SSL: 'maybe',
          REDIS_MAX_CONNECTIONS: '0',
          REDIS_COMMAND_TIMEOUT: '250',
          CACHE_DEFAULT_TTL: '-5',
          CACHE_CODEC: 'xml',
        }),
      ).to.have.members([
        "REDIS_PORT (redis.port): expected a whole number from 1 to 65535, got 'abc'",
        "REDIS_DB (redis.db): expected a whole number >= 0, got '-1'",
        "REDIS_SSL (redis.ssl): expected true or false (or 1/0, yes/no, on/off), got 'maybe'",
        "REDIS_MAX_CONNECTIONS (redis.maxConnections): expected a whole number from 1 to 1000, got '0'",
        'REDIS_COMMAND_TIMEOUT (redis.commandTimeoutMs): expected a time from 1ms to 1m ' +
          "(a number of seconds, or a text such as '250ms', '10s', '5m', '1h', '7d'), got '250'",
        'CACHE_DEFAULT_TTL (cache.defaultTtlMs): expected a time >= 0 ' +
          "(a number of seconds, or a text such as '250ms', '10s', '5m', '1h', '7d'), or none, got '-5'",
        "CACHE_CODEC (cache.codec): expected one of json, msgpack, got 'xml'",
      ]);
    });

    it('name the variable with its prefix', () => {
      expect(faultsOf({ MY_PORT: '0' }, { redisPrefix: 'MY_' })).to.deep.equal([
        "MY_PORT (redis.port): expected a whole number from 1 to 65535, got '0'",
      ]);
    });

    it('never show a secret, wherever it was put', () => {
      const lines = faultsOf({
        REDIS_URL: 'redis://ada:s3cret@cache:port',
        REDIS_HOST: 'redis://ada:s3cret@cache',
        REDIS_PORT: 'ada:s3cret@cache:6379',
        REDIS_TLS_CA: 's3cret',
      });

      expect(lines).to.have.lengthOf(4);
      expect(lines.join('\n')).not.to.include('s3cret');
      expect(lines).to.include(
        'REDIS_URL (redis.url): expected redis://[[user]:password@]host[:port][/db], or rediss:// for TLS, ' +
          'got a text that is not shown',
      );
    });

    it('shorten a long text', () => {
      const [line] = faultsOf({ REDIS_PORT: '9'.repeat(1000) });

      expect(line).to.match(/got '9{60}…'$/);
    });

    it('explain what Kubernetes does', () => {
      expect(faultsOf({ REDIS_PORT: 'tcp://10.0.0.1:6379' })[0]).to.include('enableServiceLinks');
    });

    it('are thrown at once, when the call itself is wrong', () => {
      const wrong: readonly [object, string][] = [
        [
          { envfile: '.env' },
          "loadSettings.envfile: there is no such option; did you mean 'envFile'?",
        ],
        [
          { redisPrefix: 5 },
          "loadSettings.redisPrefix: expected a text such as 'REDIS_', got 5 (number)",
        ],
        [
          { profile: 'live' },
          'profile: expected one of development (dev), staging, production (prod)',
        ],
      ];
      for (const [options, message] of wrong) {
        expect(() => load({}, options)).to.throw(InvalidOptionError, message);
      }
    });
  });

  describe('warnings', () => {
    const warningsOf = (env: EnvironmentVariables) => load(env).warnings;

    it('are none for usual settings', () => {
      expect(warningsOf({ REDIS_MAX_CONNECTIONS: '10' })).to.deep.equal([]);
      expect(warningsOf({ REDIS_MAX_CONNECTIONS: '200' })).to.deep.equal([]);
      expect(warningsOf({ REDIS_URL: 'rediss://cache', ENVIRONMENT: 'prod' })).to.deep.equal([]);
    });

    it('tell of very few and very many connections', () => {
      for (const count of [9, 201]) {
        expect(warningsOf({ REDIS_MAX_CONNECTIONS: `${count}` })).to.deep.equal([
          `REDIS_MAX_CONNECTIONS is ${count}; from 10 to 200 is usual.`,
        ]);
      }
    });

    it('tell which variables the URL overrides, without their values', () => {
      const env = {
        REDIS_URL: 'redis://:b@cache',
        REDIS_HOST: 'other',
        REDIS_PASSWORD: 'a',
        REDIS_DB: '3',
      };

      expect(warningsOf(env)).to.deep.equal([
        'REDIS_HOST has no effect: REDIS_URL says otherwise, and wins.',
        'REDIS_PASSWORD has no effect: REDIS_URL says otherwise, and wins.',
      ]);
      expect(load(env).redis).to.include({ host: 'cache', password: 'b', db: 3 });
    });

    it('tell of a plain URL that the profile takes to TLS', () => {
      expect(warningsOf({ REDIS_URL: 'redis://cache', ENVIRONMENT: 'prod' })).to.deep.equal([
        'REDIS_URL begins with redis://, yet the production profile uses TLS. Write rediss://, or set REDIS_SSL=false.',
      ]);
      expect(warningsOf({ REDIS_URL: 'redis://cache', REDIS_SSL: 'true' })).to.deep.equal([]);
    });

    it('tell of certificates that are not used, or not checked', () => {
      expect(warningsOf({ REDIS_TLS_CA: PEM })).to.deep.equal([
        'REDIS_TLS_CA has no effect: TLS is off. Set REDIS_SSL=true.',
      ]);
      expect(
        warningsOf({ REDIS_SSL: 'true', REDIS_TLS_REJECT_UNAUTHORIZED: 'false' }),
      ).to.deep.equal([
        'REDIS_TLS_REJECT_UNAUTHORIZED is false: whoever can answer for the server can read the cache.',
      ]);
    });

    it('tell of a name that is nearly a setting, and of no other', () => {
      const env = {
        REDIS_PROT: '1',
        CACHE_DIR: '/tmp',
        REDIS_SERVICE_HOST: 'x',
        CACHE_ENABLD: 'true',
      };

      expect(warningsOf(env)).to.deep.equal([
        'REDIS_PROT is no setting and has no effect; did you mean REDIS_PORT?',
        'CACHE_ENABLD is no setting and has no effect; did you mean CACHE_ENABLED?',
      ]);
    });
  });
});
