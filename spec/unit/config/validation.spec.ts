import { expect } from 'chai';
import { validateSync } from 'class-validator';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ApplicationSettings } from '#internal/config/application-settings.js';
import { CacheSettings, type CacheSettingsValues } from '#internal/config/cache-settings.js';
import { RedisSettings, type RedisSettingsValues } from '#internal/config/redis-settings.js';
import { validateSettings } from '#internal/config/validation.js';
import { CacheConfigurationError, InvalidOptionError } from '#internal/errors.js';

describe('validateSettings', () => {
  it('accepts the defaults of every class', () => {
    for (const settings of [new RedisSettings(), new CacheSettings(), new ApplicationSettings()]) {
      expect(validateSettings(settings)).to.equal(settings);
    }
  });

  it('freezes what it accepts, nested settings included', () => {
    const settings = validateSettings(new ApplicationSettings());

    for (const each of [settings, settings.redis, settings.cache, settings.warnings]) {
      expect(each).to.be.frozen;
    }
    expect(() => Object.assign(settings.redis, { port: 1 })).to.throw(TypeError);
  });

  it('lists every fault, with the path and the value', () => {
    const settings = new ApplicationSettings({
      debug: 'yes' as never,
      redis: new RedisSettings({ port: 0, maxConnections: 1001 }),
      cache: new CacheSettings({ codec: 'xml' as never, defaultTtlMs: 1.5 }),
    });

    expect(() => validateSettings(settings))
      .to.throw(CacheConfigurationError)
      .with.property(
        'message',
        [
          'The settings have 5 faults:',
          "- ApplicationSettings.debug: expected true or false, got 'yes'",
          '- ApplicationSettings.redis.port: expected a whole number from 1 to 65535, got 0',
          '- ApplicationSettings.redis.maxConnections: expected a whole number from 1 to 1000, got 1001',
          '- ApplicationSettings.cache.defaultTtlMs: expected whole milliseconds >= 0, or Infinity, got 1.5',
          "- ApplicationSettings.cache.codec: expected one of json, msgpack, got 'xml'",
        ].join('\n'),
      );
  });

  const redisCases: readonly [RedisSettingsValues, boolean][] = [
    [{ maxConnections: 250 }, true],
    [{ maxConnections: 1000 }, true],
    [{ maxConnections: 0 }, false],
    [{ port: 65_535 }, true],
    [{ port: 65_536 }, false],
    [{ port: '6379' as never }, false],
    [{ port: null as never }, false],
    [{ db: -1 }, false],
    [{ host: '' }, false],
    [{ host: 'redis://cache' }, false],
    [{ host: '::1' }, true],
    [{ username: '' }, false],
    [{ username: null as never }, false],
    [{ password: '' }, false],
    [{ password: 5 as never }, false],
    [{ url: 'http://cache' }, false],
    [{ tlsCa: '/etc/ca.pem' }, false],
    [{ tlsCa: '-----BEGIN CERTIFICATE-----\n' }, true],
    [{ ssl: 1 as never }, false],
    [{ socketTimeoutMs: 0 }, false],
    [{ socketTimeoutMs: 5000 }, true],
    [{ socketConnectTimeoutMs: 2000 }, true],
    [{ keepAliveMs: 0 }, true],
    [{ healthCheckIntervalMs: 0 }, true],
    [{ commandTimeoutMs: 0 }, false],
    [{ commandTimeoutMs: 60_001 }, false],
    [{ commandTimeoutMs: Infinity }, false],
  ];
  const cacheCases: readonly [CacheSettingsValues, boolean][] = [
    [{ defaultTtlMs: 0 }, true],
    [{ defaultTtlMs: -1 }, false],
    [{ defaultTtlMs: Infinity }, true],
    [{ defaultTtlMs: NaN }, false],
    [{ maxTtlMs: Infinity }, true],
    [{ maxTtlMs: 0 }, false],
    [{ nullTtlMs: 0 }, true],
    [{ nullTtlMs: null as never }, false],
    [{ prefix: 'my:app' }, true],
    [{ prefix: 'my app' }, false],
    [{ prefix: '{app}' }, false],
    [{ compression: 'snappy' as never }, false],
    [{ compressionThresholdBytes: 0 }, true],
    [{ maxResponseSizeBytes: 0 }, false],
    [{ logLevel: 'silent' }, true],
    [{ logLevel: 'loud' as never }, false],
  ];
  const cases = [
    ...redisCases.map(([values, ok]) => [new RedisSettings(values), values, ok] as const),
    ...cacheCases.map(([values, ok]) => [new CacheSettings(values), values, ok] as const),
  ];
  for (const [settings, values, isValid] of cases) {
    const [name, value] = Object.entries(values)[0]!;
    it(`${isValid ? 'accepts' : 'refuses'} ${name} = ${String(value).trim() || "''"} (${typeof value})`, () => {
      if (isValid) validateSettings(settings);
      else expect(() => validateSettings(settings)).to.throw(CacheConfigurationError, `.${name}: `);
      // The same rules, for those who call class-validator themselves.
      expect(validateSync(settings).map((error) => error.property)).to.deep.equal(
        isValid ? [] : [name],
      );
    });
  }

  it('never shows a secret', () => {
    const settings = new RedisSettings({
      url: 'redis://:s3cret@cache:port',
      tlsCa: 's3cret',
      host: 'redis://:s3cret@cache',
    });

    expect(() => validateSettings(settings))
      .to.throw(CacheConfigurationError)
      .with.property('message')
      .that.includes('RedisSettings.url: expected redis://')
      .and.not.includes('s3cret');
  });

  it('refuses what are no settings', () => {
    expect(() => validateSettings({ port: 1 } as never)).to.throw(
      InvalidOptionError,
      'validateSettings: expected an instance of RedisSettings, CacheSettings or ApplicationSettings, got an object',
    );
  });
});

describe('without class-validator', () => {
  let folder: string;
  before(() => {
    // A copy of the build, from where no node_modules can be found.
    folder = mkdtempSync(join(tmpdir(), 'cachewell-no-peer-'));
    const dist = fileURLToPath(new URL('..', import.meta.resolve('#internal/config/index.js')));
    cpSync(dist, join(folder, 'dist'), { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  });
  after(() => rmSync(folder, { recursive: true }));

  it('the entry can be imported, and loadSettings says what to install', () => {
    const entry = pathToFileURL(join(folder, 'dist/config/index.js')).href;
    const program = `
      const { loadSettings, RedisSettings } = await import(${JSON.stringify(entry)});
      console.log(new RedisSettings().port);
      try { loadSettings({ env: {}, envFile: false }); }
      catch (error) { console.log(error.name, error.code, error.message); }`;
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] },
    });

    expect(output).to.equal(
      '6379\nMissingPeerError ERR_CACHE_MISSING_PEER ' +
        "cachewell/config needs the package 'class-validator' (^0.14.0 || ^0.15.0), which is not installed. " +
        'Run: npm install class-validator\n',
    );
  });
});
