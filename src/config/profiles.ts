import { InvalidOptionError } from '../errors.js';
import { describeValue, nearest } from '../options.js';
import type { CacheSettingsValues } from './cache-settings.js';
import type { RedisSettingsValues } from './redis-settings.js';
import { choice, type SettingKind } from './setting-kind.js';

/** An environment whose defaults the library knows. */
export type ProfileName = 'development' | 'staging' | 'production';

/** What a profile sets; every variable wins over it. */
export interface Profile {
  readonly debug: boolean;
  readonly redis: RedisSettingsValues;
  readonly cache: CacheSettingsValues;
}

const PROFILE_NAMES: readonly ProfileName[] = ['development', 'staging', 'production'];

const ALIASES: Readonly<Record<string, ProfileName>> = { dev: 'development', prod: 'production' };

/** How `ENVIRONMENT` names a profile. */
export const profileKind: SettingKind<ProfileName> = choice(PROFILE_NAMES, ALIASES);

const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  development: freeze({
    debug: true,
    redis: {},
    cache: { defaultTtlMs: 600_000, compression: 'none' },
  }),
  staging: freeze({
    debug: false,
    redis: {},
    cache: { defaultTtlMs: 1_800_000, compression: 'gzip' },
  }),
  production: freeze({
    debug: false,
    redis: { ssl: true, maxConnections: 100 },
    cache: { defaultTtlMs: 3_600_000, compression: 'gzip' },
  }),
};

/**
 * The defaults of an environment, frozen.
 *
 * - `development`: entries live 10 minutes, no compression, debugging on
 * - `staging`: 30 minutes, gzip
 * - `production`: 1 hour, gzip, TLS, up to 100 connections
 *
 * @param name - in any case; `dev` and `prod` are aliases
 * @throws {@link InvalidOptionError} naming the known profiles
 */
export function profile(name: ProfileName | 'dev' | 'prod'): Profile {
  const known = typeof name === 'string' ? profileKind.read(name) : undefined;
  if (known !== undefined) return PROFILES[known];
  throw new InvalidOptionError(
    'profile',
    `expected ${profileKind.expectedText}, got ${describeValue(name)}${suggestProfile(name)}`,
  );
}

/** `; did you mean …?`, when a name is near a known one. */
export function suggestProfile(name: unknown): string {
  const near = typeof name === 'string' ? nearest(name, PROFILE_NAMES) : undefined;
  return near === undefined ? '' : `; did you mean '${near}'?`;
}

function freeze(values: Profile): Profile {
  Object.freeze(values.redis);
  Object.freeze(values.cache);
  return Object.freeze(values);
}
