import { createRequire } from 'node:module';
import { InvalidOptionError, MissingPeerError } from '../errors.js';
import { describeValue } from '../options.js';
import { ApplicationSettings } from './application-settings.js';
import { CacheSettings } from './cache-settings.js';
import { RedisSettings } from './redis-settings.js';
import { describeValueFault, throwFaults } from './setting-fault.js';
import type { ClassValidator } from './setting-kind.js';
import { type SettingField, settingsOf } from './setting.js';
import { Settings } from './settings.js';

/** A field whose value breaks its rules. */
interface InvalidField {
  /** From the checked object, such as `redis.port`. */
  readonly path: string;
  readonly field: SettingField;
  readonly value: unknown;
}

/**
 * The package, or why it is not there. It is required, not imported: the entry can then be imported without it, and
 * tells which package to install, where a static import could only fail to resolve. Bundlers must leave it external.
 */
const peer: ClassValidator | MissingPeerError = requireClassValidator();

if (!(peer instanceof MissingPeerError)) declareRules(peer);

/**
 * Checks settings that were made by hand, and freezes them.
 *
 * @returns the same object
 * @throws {@link CacheConfigurationError} listing every fault
 * @throws {@link MissingPeerError} when class-validator is not installed
 */
export function validateSettings<Class extends Settings>(settings: Class): Class {
  if (!(settings instanceof Settings)) {
    throw new InvalidOptionError(
      'validateSettings',
      `expected an instance of RedisSettings, CacheSettings or ApplicationSettings, got ${describeValue(settings)}`,
    );
  }
  const root = settings.constructor.name;
  throwFaults(
    findInvalidFields(settings).map(({ path, field, value }) =>
      describeValueFault(`${root}.${path}`, field, value),
    ),
  );
  return freezeSettings(settings);
}

/**
 * The fields that break their rules, those of nested settings included.
 *
 * @throws {@link MissingPeerError} when class-validator is not installed
 */
export function findInvalidFields(settings: object, parent = ''): readonly InvalidField[] {
  if (peer instanceof MissingPeerError) throw peer;
  const fields = settingsOf(settings.constructor);
  const errors = peer.validateSync(settings, {
    forbidUnknownValues: true,
    validationError: { target: false, value: false },
  });
  return errors.flatMap(({ property }) => {
    const path = parent + property;
    const value = (settings as Record<string, unknown>)[property];
    const field = fields.find((each) => each.name === property);
    return field === undefined
      ? findInvalidFields(value as object, `${path}.`)
      : [{ path, field, value }];
  });
}

/** Freezes settings and what they hold. */
export function freezeSettings<Class extends Settings>(settings: Class): Class {
  for (const value of Object.values(settings)) {
    if (typeof value === 'object' && value !== null) Object.freeze(value);
  }
  return Object.freeze(settings);
}

/** Applies the decorators of class-validator, so that its own `validateSync(settings)` knows the rules as well. */
function declareRules(validator: ClassValidator): void {
  for (const settingsClass of [RedisSettings, CacheSettings, ApplicationSettings]) {
    const defaults = new settingsClass() as unknown as Record<string, unknown>;
    for (const { name, kind } of settingsOf(settingsClass)) {
      const rules = [...kind.rules(validator)];
      // Not `IsOptional`, which would let `null` pass.
      if (defaults[name] === undefined) {
        rules.push(validator.ValidateIf((_settings, value) => value !== undefined));
      }
      for (const rule of rules) rule(settingsClass.prototype, name);
    }
  }
  for (const name of ['redis', 'cache'])
    validator.ValidateNested()(ApplicationSettings.prototype, name);
}

function requireClassValidator(): ClassValidator | MissingPeerError {
  const name = 'class-validator';
  try {
    return createRequire(import.meta.url)(name) as ClassValidator;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code !== 'MODULE_NOT_FOUND' || !message.includes(`'${name}'`)) throw cause;
    return new MissingPeerError('cachewell/config', name, '^0.14.0 || ^0.15.0', { cause });
  }
}
