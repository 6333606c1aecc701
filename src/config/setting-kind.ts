import type * as ClassValidatorModule from 'class-validator';

/** The optional peer, passed in, so that a settings class can be imported without it. */
export type ClassValidator = typeof ClassValidatorModule;

/** The text that stands for a value that must not be shown. */
export const REDACTED = '[redacted]';

/**
 * What a setting may hold: how its text is read, which rules its value obeys, and how people are told.
 *
 * Reading and checking are apart: `read` turns a text into a value of the right type, and class-validator decides
 * whether that value is allowed, so that settings made by hand obey the same rules.
 */
export interface SettingKind<Value> {
  /** For the table of the documentation. */
  readonly type: string;
  /** Allowed values, for the table of the documentation. */
  readonly range: string;
  /** What a text should be, to follow `expected `. */
  readonly expectedText: string;
  /** What a value should be, to follow `expected `. */
  readonly expectedValue: string;
  /** Whether the value is kept out of messages, `toJSON` and `inspect`. */
  readonly isSecret: boolean;
  /** Whether an empty text is a value, rather than the same as no text. */
  readonly readsEmpty: boolean;
  /** The value of a text, or `undefined` when the text has none. */
  read(text: string): Value | undefined;
  /** A text that `read` turns into this value. */
  write(value: Value): string;
  /** The class-validator decorators of a property of this kind. */
  rules(validator: ClassValidator): readonly PropertyDecorator[];
}

interface TextOptions {
  readonly expected: string;
  readonly pattern?: RegExp;
}

/** A text that is not empty. */
export function text({ expected, pattern = /^/ }: TextOptions): SettingKind<string> {
  return {
    type: 'text',
    range: expected,
    expectedText: expected,
    expectedValue: expected,
    isSecret: false,
    readsEmpty: false,
    read: (raw) => raw.trim(),
    write: (value) => value,
    rules: ({ IsString, IsNotEmpty, Matches }) => [IsString(), IsNotEmpty(), Matches(pattern)],
  };
}

interface SecretOptions {
  readonly expected: string;
  readonly read: (raw: string) => string | undefined;
  readonly isValid: (value: string) => boolean;
}

/** A text that no message, log line or JSON ever shows. */
export function secret({ expected, read, isValid }: SecretOptions): SettingKind<string> {
  return {
    type: 'text, never shown',
    range: expected,
    expectedText: expected,
    expectedValue: expected,
    isSecret: true,
    readsEmpty: false,
    read,
    write: () => REDACTED,
    rules: ({ ValidateBy }) => [
      ValidateBy({
        name: 'isSecretOfKind',
        validator: { validate: (value) => typeof value === 'string' && isValid(value) },
      }),
    ],
  };
}

/** A whole number from `min` to `max`, both included. */
export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): SettingKind<number> {
  const range = max === Number.MAX_SAFE_INTEGER ? `>= ${min}` : `from ${min} to ${max}`;
  return {
    type: 'whole number',
    range,
    expectedText: `a whole number ${range}`,
    expectedValue: `a whole number ${range}`,
    isSecret: false,
    readsEmpty: false,
    read: (raw) => (/^-?\d+$/.test(raw.trim()) ? Number(raw) : undefined),
    write: String,
    rules: ({ IsInt, Min, Max }) => [IsInt(), Min(min), Max(max)],
  };
}

const TRUE_TEXTS: readonly string[] = ['true', '1', 'yes', 'on'];
const FALSE_TEXTS: readonly string[] = ['false', '0', 'no', 'off'];

/** The boolean that a text stands for, in any case; `undefined` when it stands for none. */
export function readFlag(raw: string): boolean | undefined {
  const word = raw.trim().toLowerCase();
  if (TRUE_TEXTS.includes(word)) return true;
  return FALSE_TEXTS.includes(word) ? false : undefined;
}

/** `true` or `false`; as text also 1/0, yes/no, on/off, in any case. */
export function flag(): SettingKind<boolean> {
  return {
    type: 'boolean',
    range: 'true, false',
    expectedText: 'true or false (or 1/0, yes/no, on/off)',
    expectedValue: 'true or false',
    isSecret: false,
    readsEmpty: false,
    read: readFlag,
    write: String,
    rules: ({ IsBoolean }) => [IsBoolean()],
  };
}

/** One of some names; as text in any case, and by its aliases too. */
export function choice<Name extends string>(
  names: readonly Name[],
  aliases: Readonly<Record<string, Name>> = {},
): SettingKind<Name> {
  const shown = names.map((name) => {
    const others = Object.keys(aliases).filter((alias) => aliases[alias] === name);
    return others.length === 0 ? name : `${name} (${others.join(', ')})`;
  });
  const expected = `one of ${shown.join(', ')}`;
  return {
    type: 'name',
    range: shown.join(', '),
    expectedText: expected,
    expectedValue: `one of ${names.join(', ')}`,
    isSecret: false,
    readsEmpty: false,
    read: (raw) => {
      const word = raw.trim().toLowerCase();
      if (Object.hasOwn(aliases, word)) return aliases[word];
      return names.find((name) => name === word);
    },
    write: (value) => value,
    rules: ({ IsIn }) => [IsIn([...names])],
  };
}
