import { inspect, type InspectOptions } from 'node:util';
import { REDACTED } from './setting-kind.js';
import { settingsOf } from './setting.js';

/** What all settings classes share: they can be logged without giving a secret away. */
export abstract class Settings {
  /** The settings that are set, with `'[redacted]'` for passwords, URLs and certificates. */
  toJSON(): Record<string, unknown> {
    const fields = settingsOf(this.constructor);
    const shown: Record<string, unknown> = {};
    for (const name of Object.getOwnPropertyNames(this)) {
      const value = (this as unknown as Record<string, unknown>)[name];
      if (value === undefined) continue;
      const isSecret = fields.some((field) => field.name === name && field.kind.isSecret);
      shown[name] = isSecret ? REDACTED : value instanceof Settings ? value.toJSON() : value;
    }
    return shown;
  }
}

// The same for `console.log` and `util.inspect`; not in the class body, so that no type of Node stands in its declaration.
Object.defineProperty(Settings.prototype, inspect.custom, {
  value(this: Settings, _depth: number, options: InspectOptions): string {
    return `${this.constructor.name} ${inspect(this.toJSON(), options)}`;
  },
});

/** What a settings class takes: any of its own fields. */
export type SettingValues<Class extends Settings> = {
  readonly [Name in Exclude<keyof Class, keyof Settings>]?: Class[Name] | undefined;
};
