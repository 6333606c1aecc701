import { expectOptions, rejectUnknown } from '../options.js';
import type { SettingKind } from './setting-kind.js';

/** One setting of a class: its variable, its rules, its meaning. */
export interface SettingField {
  /** The property that holds it. */
  readonly name: string;
  /** The environment variable, without the prefix. */
  readonly variable: string;
  readonly kind: SettingKind<unknown>;
  /** One or two sentences for the documentation. */
  readonly meaning: string;
  /** Whether the property is a getter: the variable then steers another property. */
  readonly isDerived: boolean;
}

const fieldsByPrototype = new WeakMap<object, SettingField[]>();

/**
 * Declares a property as a setting. Reading, validation, messages and documentation all come from this one line.
 *
 * It only records: class-validator is applied by `validation.ts`, so that importing a settings class does not load
 * that package.
 */
export function Setting<Value>(
  variable: string,
  kind: SettingKind<Value>,
  meaning: string,
): <Name extends string>(
  prototype: { readonly [Property in Name]?: Value | undefined },
  name: Name,
) => void {
  return (prototype, name) => {
    const fields = fieldsByPrototype.get(prototype) ?? [];
    const isDerived = Object.hasOwn(prototype, name);
    fields.push({ name, variable, kind: kind as SettingKind<unknown>, meaning, isDerived });
    fieldsByPrototype.set(prototype, fields);
  };
}

/** The settings of a class and of those that it extends, in the order of their declaration. */
export function settingsOf(settingsClass: { readonly prototype: object }): readonly SettingField[] {
  const fields: SettingField[] = [];
  let prototype: object | null = settingsClass.prototype;
  while (prototype !== null) {
    fields.unshift(...(fieldsByPrototype.get(prototype) ?? []));
    prototype = Object.getPrototypeOf(prototype) as object | null;
  }
  return fields;
}

/**
 * Copies given values over the defaults of fresh settings, and hides the secrets from enumeration, so that neither
 * a spread nor `console.dir` shows them. An explicit `undefined` keeps the default.
 *
 * @throws {@link InvalidOptionError} naming a value that is no setting
 */
export function assignSettings(settings: object, values: object): void {
  const settingsClass = settings.constructor;
  const names = Object.getOwnPropertyNames(settings);
  expectOptions(settingsClass.name, values);
  rejectUnknown(settingsClass.name, values, names);
  const secrets = settingsOf(settingsClass).filter((field) => field.kind.isSecret);
  for (const name of names) {
    const given = (values as Record<string, unknown>)[name];
    const value = given === undefined ? (settings as Record<string, unknown>)[name] : given;
    const enumerable = !secrets.some((field) => field.name === name);
    Object.defineProperty(settings, name, { value, enumerable });
  }
}
