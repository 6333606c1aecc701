// The entry `cachewell/config`: typed, checked settings from environment variables.

export { ApplicationSettings, type ApplicationSettingsValues } from './application-settings.js';
export {
  CacheSettings,
  type CacheSettingsValues,
  type CodecName,
  type CompressionName,
} from './cache-settings.js';
export type { EnvironmentVariables } from './environment-variables.js';
export { loadSettings, type LoadSettingsOptions } from './load-settings.js';
export { type ManagerSettings, toManagerOptions } from './manager-settings.js';
export { type Profile, profile, type ProfileName } from './profiles.js';
export { RedisSettings, RedisSettingsToken, type RedisSettingsValues } from './redis-settings.js';
export type { Settings, SettingValues } from './settings.js';
export { validateSettings } from './validation.js';
