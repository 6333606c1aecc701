import { isPemText, readPemText } from './pem-text.js';
import { parseRedisUrl, REDIS_URL_FORM } from './redis-url.js';
import { flag, integer, secret, text } from './setting-kind.js';
import { assignSettings, Setting } from './setting.js';
import { Settings, type SettingValues } from './settings.js';
import { time } from './time-kind.js';

/** What {@link RedisSettings} can be made from. */
export type RedisSettingsValues = SettingValues<RedisSettings>;

/**
 * Where Redis is and how to talk to it. `new RedisSettings()` holds the defaults; `loadSettings` fills it from the
 * environment, checks and freezes it.
 *
 * `url`, `password` and `tlsCa` are not enumerable: JSON, logs and spreads do not have them. To copy settings, pass
 * them to the constructor: `new RedisSettings(settings.redis)`.
 *
 * The class imports no optional package, so that a backend can know it as an injection token.
 */
export class RedisSettings extends Settings {
  /**
   * The address in one text. What it says (host, port, database, credentials, TLS) stands in the fields below too,
   * and wins over what was given for them; so a reader of these settings may look at the fields alone.
   */
  @Setting(
    'URL',
    secret({
      expected: REDIS_URL_FORM,
      read: (raw) => raw.trim(),
      isValid: (value) => parseRedisUrl(value) !== undefined,
    }),
    'Address in one text. What it says wins over the variables below.',
  )
  readonly url?: string | undefined;

  /** Host name or address. @defaultValue 'localhost' */
  @Setting(
    'HOST',
    text({ expected: 'a host name or an address, without a scheme', pattern: /^[^\s/@]+$/ }),
    'Host name or address of the server.',
  )
  readonly host: string = 'localhost';

  /** TCP port, 1 to 65535. @defaultValue 6379 */
  @Setting('PORT', integer(1, 65_535), 'TCP port of the server.')
  readonly port: number = 6379;

  /** Number of the database. A Cluster has only 0. @defaultValue 0 */
  @Setting('DB', integer(0), 'Number of the database. A Cluster has only 0.')
  readonly db: number = 0;

  /** User of the access control list. Absent: Redis' user `default`. */
  @Setting(
    'USERNAME',
    text({ expected: 'a user name' }),
    "User of the access control list; without one Redis takes its user 'default'.",
  )
  readonly username?: string | undefined;

  /** Password of the user. Absent: no authentication. */
  @Setting(
    'PASSWORD',
    secret({
      expected: 'a password',
      // Blanks may belong to it; the end of a line, left over from a file, never does.
      read: (raw) => raw.replace(/[\r\n]+$/, ''),
      isValid: (value) => value !== '',
    }),
    'Password of the user. In a file, quote one that contains `#`.',
  )
  readonly password?: string | undefined;

  /** Whether to use TLS. @defaultValue false */
  @Setting('SSL', flag(), 'Whether to use TLS. `rediss://` in the URL turns it on.')
  readonly ssl: boolean = false;

  /** Certificates to trust instead of the system's, as PEM text. Absent: the system's. */
  @Setting(
    'TLS_CA',
    secret({
      expected: 'certificates as PEM text, or the path of a readable PEM file',
      read: readPemText,
      isValid: isPemText,
    }),
    "Certificates to trust instead of the system's. The field holds the file's content.",
  )
  readonly tlsCa?: string | undefined;

  /** Whether a server with an untrusted certificate is refused. @defaultValue true */
  @Setting(
    'TLS_REJECT_UNAUTHORIZED',
    flag(),
    'Whether a server with an untrusted certificate is refused. If not, anyone may pose as the server.',
  )
  readonly tlsRejectUnauthorized: boolean = true;

  /** Upper bound of connections, 1 to 1000; they are opened on demand. @defaultValue 50 */
  @Setting(
    'MAX_CONNECTIONS',
    integer(1, 1000),
    'Upper bound of connections, opened on demand. Outside 10 to 200 there is a warning.',
  )
  readonly maxConnections: number = 50;

  /** Milliseconds without an answer after which a socket is given up. Absent: the client decides. */
  @Setting(
    'SOCKET_TIMEOUT',
    time({ min: 1, max: 3_600_000 }),
    'How long a socket may owe an answer before it is given up.',
  )
  readonly socketTimeoutMs?: number | undefined;

  /** Milliseconds that opening a connection may take. Absent: the client decides. */
  @Setting(
    'SOCKET_CONNECT_TIMEOUT',
    time({ min: 1, max: 600_000 }),
    'How long opening a connection may take.',
  )
  readonly socketConnectTimeoutMs?: number | undefined;

  /** Milliseconds of silence before TCP keep-alive probes; 0 = the system's own. @defaultValue 30_000 */
  @Setting(
    'KEEP_ALIVE',
    time({ min: 0, max: 7_200_000 }),
    "Silence before TCP keep-alive probes; 0 is the system's own delay.",
  )
  readonly keepAliveMs: number = 30_000;

  /** Milliseconds between health checks of an idle connection; 0 = none. @defaultValue 30_000 */
  @Setting(
    'HEALTH_CHECK_INTERVAL',
    time({ min: 0, max: 3_600_000 }),
    'Time between health checks of an idle connection; 0 turns them off.',
  )
  readonly healthCheckIntervalMs: number = 30_000;

  /** Milliseconds that one cache operation may wait for Redis in all. @defaultValue 250 */
  @Setting(
    'COMMAND_TIMEOUT',
    time({ min: 1, max: 60_000 }),
    'How long one cache operation may wait for Redis before the call goes on without it.',
  )
  readonly commandTimeoutMs: number = 250;

  /**
   * @param values - settings that differ from the defaults; not checked before `validateSettings`
   * @throws {@link InvalidOptionError} naming a value that is no setting
   */
  constructor(values: RedisSettingsValues = {}) {
    super();
    assignSettings(this, values);
    if (typeof this.url === 'string') assignSettings(this, parseRedisUrl(this.url) ?? {});
  }
}

/**
 * The injection token under which `RedisBackend` looks for settings when it was given no options:
 * `container.register(RedisSettingsToken, { useValue: settings.redis })`.
 */
export const RedisSettingsToken: symbol = Symbol.for('cachewell.RedisSettings');
