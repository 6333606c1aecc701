import { InvalidOptionError } from '../errors.js';
import { describeValue, expectOptions, rejectUnknown } from '../options.js';
import { ApplicationSettings } from './application-settings.js';
import { CacheSettings, type CacheSettingsValues, type CompressionName } from './cache-settings.js';
import { readEnvFile } from './env-file.js';
import {
  type EnvironmentVariables,
  findMisspelled,
  readVariables,
} from './environment-variables.js';
import {
  type Profile,
  profile,
  type ProfileName,
  profileKind,
  suggestProfile,
} from './profiles.js';
import { RedisSettings, type RedisSettingsValues } from './redis-settings.js';
import { describeTextFault, throwFaults } from './setting-fault.js';
import { readFlag } from './setting-kind.js';
import { findWarnings } from './setting-warnings.js';
import { settingsOf } from './setting.js';
import { findInvalidFields, freezeSettings } from './validation.js';

/** Where settings come from. */
export interface LoadSettingsOptions {
  /** The variables. They win over those of the file. @defaultValue process.env */
  readonly env?: EnvironmentVariables | undefined;
  /**
   * A `.env` file, relative to the working directory; `false` = none. A file that is named must exist.
   *
   * @defaultValue '.env' if there is one
   */
  readonly envFile?: string | false | undefined;
  /** The profile, whatever the variables say. @defaultValue by `ENVIRONMENT`, then `NODE_ENV` */
  readonly profile?: ProfileName | 'dev' | 'prod' | undefined;
  /** How the variables of {@link RedisSettings} begin. @defaultValue 'REDIS_' */
  readonly redisPrefix?: string | undefined;
  /** How the variables of {@link CacheSettings} begin. @defaultValue 'CACHE_' */
  readonly cachePrefix?: string | undefined;
}

const OPTIONS = ['env', 'envFile', 'profile', 'redisPrefix', 'cachePrefix'] as const;
const NO_PROFILE: Profile = { debug: false, redis: {}, cache: {} };

/**
 * Reads the settings from the environment, checks them, and freezes them.
 *
 * A variable wins over the file, the file over the profile, the profile over the defaults of the classes. Times are
 * seconds (`CACHE_DEFAULT_TTL=600`) or carry a unit (`10m`). Synchronous, for it runs once, at start.
 *
 * @throws {@link CacheConfigurationError} listing every fault with its variable and its field, and no secret
 * @throws {@link MissingPeerError} when class-validator is not installed
 *
 * @example
 * ```ts
 * const settings = loadSettings();
 * settings.warnings.forEach((warning) => console.warn(warning));
 * container.register(RedisSettingsToken, { useValue: settings.redis });
 * ```
 */
export function loadSettings(options: LoadSettingsOptions = {}): ApplicationSettings {
  expectOptions('loadSettings', options);
  rejectUnknown('loadSettings', options, OPTIONS);
  const redisPrefix = expectPrefix('redisPrefix', options.redisPrefix ?? 'REDIS_');
  const cachePrefix = expectPrefix('cachePrefix', options.cachePrefix ?? 'CACHE_');
  const file = readEnvFile(options.envFile);
  const env = merge('variables' in file ? file.variables : {}, options.env ?? process.env);
  const environment = chooseProfile(options.profile, env);
  const redisRead = readVariables(RedisSettings, 'redis', redisPrefix, env);
  const cacheRead = readVariables(CacheSettings, 'cache', cachePrefix, env);
  const faults = [
    ...('fault' in file ? [file.fault] : []),
    ...environment.faults,
    ...redisRead.faults,
    ...cacheRead.faults,
  ];

  const base = environment.name === undefined ? NO_PROFILE : profile(environment.name);
  const debug = readFlag(env['DEBUG'] ?? '') ?? base.debug;
  const redis = new RedisSettings({ ...base.redis, ...(redisRead.values as RedisSettingsValues) });
  const { compressionEnabled, ...given } = cacheRead.values as GivenCacheValues;
  const cache = new CacheSettings({
    ...base.cache,
    ...given,
    enabled: isCacheEnabled(given.enabled, debug, given.disableInDebug ?? false),
    compression: chooseCompression(compressionEnabled, given.compression ?? base.cache.compression),
  });
  if (compressionEnabled === true && given.compression === 'none') {
    const variable = `${cachePrefix}COMPRESSION_ENABLED`;
    faults.push(
      `${variable} (cache.compressionEnabled): expected false or nothing beside ${cachePrefix}COMPRESSION=none, got '${env[variable]}'`,
    );
  }

  const application = { environment: environment.name, debug, redis, cache };
  for (const { path, field } of findInvalidFields(new ApplicationSettings(application))) {
    const variable = (path.startsWith('redis.') ? redisPrefix : cachePrefix) + field.variable;
    faults.push(describeTextFault(variable, path, field, env[variable] ?? ''));
  }
  throwFaults(faults);

  const warnings = [
    ...findWarnings(application, { redisPrefix, values: redisRead.values }),
    ...findMisspelled(RedisSettings, redisPrefix, env),
    ...findMisspelled(CacheSettings, cachePrefix, env),
  ];
  return freezeSettings(new ApplicationSettings({ ...application, warnings }));
}

type GivenCacheValues = CacheSettingsValues & { readonly compressionEnabled?: boolean };

/**
 * Whether caches work: `CACHE_ENABLED` decides. Only when it is silent, debugging turns them off for those who asked
 * for that, because a cache that is off while developing hides its faults until production.
 */
function isCacheEnabled(
  enabled: boolean | undefined,
  debug: boolean,
  disableInDebug: boolean,
): boolean {
  return enabled ?? !(debug && disableInDebug);
}

function chooseCompression(
  enabled: boolean | undefined,
  named: CompressionName | undefined = 'none',
): CompressionName {
  if (enabled === undefined) return named;
  if (!enabled) return 'none';
  return named === 'none' ? 'gzip' : named;
}

/**
 * The profile's name: the option, else `ENVIRONMENT`, else `NODE_ENV`. The last belongs to everybody, so that a value
 * which names no profile, such as `test`, chooses none; in `ENVIRONMENT` it is a fault.
 */
function chooseProfile(
  option: LoadSettingsOptions['profile'],
  env: EnvironmentVariables,
): { readonly name: ProfileName | undefined; readonly faults: readonly string[] } {
  if (option !== undefined) {
    profile(option);
    return { name: profileKind.read(option), faults: [] };
  }
  const raw = env['ENVIRONMENT'] ?? '';
  if (raw.trim() === '') return { name: profileKind.read(env['NODE_ENV'] ?? ''), faults: [] };
  const name = profileKind.read(raw);
  if (name !== undefined) return { name, faults: [] };
  const [field] = settingsOf(ApplicationSettings);
  const fault = describeTextFault('ENVIRONMENT', 'environment', field!, raw, suggestProfile(raw));
  return { name, faults: [fault] };
}

/** A variable of the environment wins also when it is empty: so a deployment can unset what the file sets. */
function merge(file: EnvironmentVariables, env: EnvironmentVariables): EnvironmentVariables {
  const set = Object.entries(env).filter(([, value]) => value !== undefined);
  return { ...file, ...Object.fromEntries(set) };
}

function expectPrefix(option: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw new InvalidOptionError(
    `loadSettings.${option}`,
    `expected a text such as 'REDIS_', got ${describeValue(value)}`,
  );
}
