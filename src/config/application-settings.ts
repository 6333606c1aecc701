import { InvalidOptionError } from '../errors.js';
import { describeValue } from '../options.js';
import { CacheSettings } from './cache-settings.js';
import { type ProfileName, profileKind } from './profiles.js';
import { RedisSettings } from './redis-settings.js';
import { flag } from './setting-kind.js';
import { assignSettings, Setting } from './setting.js';
import { Settings, type SettingValues } from './settings.js';

/** What {@link ApplicationSettings} can be made from. */
export type ApplicationSettingsValues = SettingValues<ApplicationSettings>;

/** All settings of an application's caching: those of Redis, those of the caches, and what they were chosen by. */
export class ApplicationSettings extends Settings {
  /** The profile whose defaults apply. Absent: none, the defaults of the classes do. */
  @Setting(
    'ENVIRONMENT',
    profileKind,
    'The profile whose defaults apply. Not set: `NODE_ENV`, if that names a profile; else none.',
  )
  readonly environment?: ProfileName | undefined;

  /** Whether the application is being debugged. @defaultValue false */
  @Setting(
    'DEBUG',
    flag(),
    'Whether the application is being debugged. A text that is no boolean, such as `ioredis:*`, is ignored.',
  )
  readonly debug: boolean = false;

  /** Where Redis is. */
  readonly redis: RedisSettings = new RedisSettings();

  /** How caches behave. */
  readonly cache: CacheSettings = new CacheSettings();

  /** Complete sentences about settings that work, but hardly as meant. For a log at start. */
  readonly warnings: readonly string[] = [];

  /**
   * @param values - settings that differ from the defaults; not checked before `validateSettings`
   * @throws {@link InvalidOptionError} naming a value that is no setting, or settings of the wrong class
   */
  constructor(values: ApplicationSettingsValues = {}) {
    super();
    assignSettings(this, values);
    expectInstance('redis', this.redis, RedisSettings);
    expectInstance('cache', this.cache, CacheSettings);
  }
}

function expectInstance(name: string, value: unknown, settingsClass: typeof Settings): void {
  if (value instanceof settingsClass) return;
  throw new InvalidOptionError(
    `ApplicationSettings.${name}`,
    `expected an instance of ${settingsClass.name}, got ${describeValue(value)}`,
  );
}
