import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { RedisSettings, RedisSettingsToken } from '#internal/config/redis-settings.js';
import { settingsOf } from '#internal/config/setting.js';
import { InvalidOptionError } from '#internal/errors.js';

const SECRET = 's3cret';

describe('RedisSettings', () => {
  describe('#constructor', () => {
    it('holds the defaults, when given nothing', () => {
      expect(Object.fromEntries(Object.entries(new RedisSettings()))).to.deep.equal({
        host: 'localhost',
        port: 6379,
        db: 0,
        username: undefined,
        ssl: false,
        tlsRejectUnauthorized: true,
        maxConnections: 50,
        socketTimeoutMs: undefined,
        socketConnectTimeoutMs: undefined,
        keepAliveMs: 30_000,
        healthCheckIntervalMs: 30_000,
        commandTimeoutMs: 250,
      });
    });

    it('has no parameters that a container would have to inject', () => {
      expect(RedisSettings.length).to.equal(0);
    });

    it('takes values, and the default for an explicit undefined', () => {
      const settings = new RedisSettings({ host: 'cache', port: undefined });

      expect(settings).to.include({ host: 'cache', port: 6379 });
    });

    it('refuses a value that is no setting', () => {
      expect(() => new RedisSettings({ prot: 6380 } as object)).to.throw(
        InvalidOptionError,
        "RedisSettings.prot: there is no such option; did you mean 'port'?",
      );
    });

    it('refuses what is no object', () => {
      expect(() => new RedisSettings('redis://cache' as never)).to.throw(InvalidOptionError);
    });

    it('takes over what the URL says, and no more', () => {
      const url = `rediss://ada:${SECRET}@cache:7000/3`;
      const settings = new RedisSettings({ url, host: 'other', maxConnections: 20 });

      expect(settings).to.include({
        url,
        host: 'cache',
        port: 7000,
        db: 3,
        username: 'ada',
        password: SECRET,
        ssl: true,
        maxConnections: 20,
      });
    });

    it('keeps what the URL leaves open', () => {
      const settings = new RedisSettings({ url: 'redis://cache', db: 5, ssl: true });

      expect(settings).to.include({ host: 'cache', port: 6379, db: 5, ssl: true });
    });

    it('copies other settings, secrets included', () => {
      const original = new RedisSettings({ host: 'cache', password: SECRET });

      expect(new RedisSettings(original)).to.include({ host: 'cache', password: SECRET });
    });
  });

  describe('secrets', () => {
    const settings = new RedisSettings({
      url: `redis://ada:${SECRET}@cache`,
      tlsCa: `-----BEGIN CERTIFICATE-----\n${SECRET}`,
    });

    it('are not in JSON', () => {
      expect(JSON.stringify(settings)).not.to.include(SECRET);
      expect(settings.toJSON()).to.include({
        url: '[redacted]',
        password: '[redacted]',
        tlsCa: '[redacted]',
        host: 'cache',
      });
    });

    it('are not in what inspect shows, with or without its custom form', () => {
      for (const shown of [
        inspect(settings),
        inspect({ nested: [settings] }, { depth: 9 }),
        inspect(settings, { customInspect: false }),
        inspect([settings], { showHidden: true, depth: 9 }),
      ]) {
        expect(shown).not.to.include(SECRET);
      }
      expect(inspect(settings))
        .to.match(/^RedisSettings \{/)
        .and.include("password: '[redacted]'");
    });

    it('are not in a spread', () => {
      expect(Object.assign({}, settings)).not.to.have.any.keys('url', 'password', 'tlsCa');
    });

    it('are left out of JSON, when they are not set', () => {
      expect(new RedisSettings().toJSON()).not.to.have.any.keys('url', 'password', 'tlsCa');
    });
  });

  it('can be read structurally, as a backend does', () => {
    interface ConnectionSettings {
      readonly url?: string | undefined;
      readonly host: string;
      readonly port: number;
      readonly db: number;
      readonly username?: string | undefined;
      readonly password?: string | undefined;
      readonly ssl: boolean;
      readonly tlsCa?: string | undefined;
      readonly tlsRejectUnauthorized?: boolean | undefined;
      readonly maxConnections: number;
      readonly socketTimeoutMs?: number | undefined;
      readonly socketConnectTimeoutMs?: number | undefined;
      readonly keepAliveMs?: number | undefined;
      readonly healthCheckIntervalMs?: number | undefined;
      readonly commandTimeoutMs?: number | undefined;
    }
    const settings: ConnectionSettings = new RedisSettings();

    expect(Object.getOwnPropertyNames(settings)).to.have.members(
      settingsOf(RedisSettings).map((field) => field.name),
    );
  });

  it('is imported without class-validator', () => {
    const seen = new Set<string>();
    const walk = (file: URL): void => {
      if (seen.has(file.href)) return;
      seen.add(file.href);
      for (const [, target] of readFileSync(file, 'utf8').matchAll(/from '([^']+)'/g)) {
        if (target!.startsWith('.')) walk(new URL(target!, file));
        else expect(target).to.match(/^node:/);
      }
    };
    walk(new URL(import.meta.resolve('#internal/config/redis-settings.js')));

    expect(seen.size).to.be.greaterThan(5);
  });
});

describe('RedisSettingsToken', () => {
  it('is the same symbol in every copy of the package', () => {
    expect(RedisSettingsToken).to.equal(Symbol.for('cachewell.RedisSettings'));
  });
});
