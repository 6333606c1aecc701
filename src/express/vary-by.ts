import { createHash } from 'node:crypto';
import { InvalidOptionError } from '../errors.js';
import {
  describeValue,
  expectBoolean,
  expectFunction,
  expectText,
  rejectUnknown,
} from '../options.js';
import type { VaryAttribute, VaryBy, VaryValue } from './http-cache-options.js';
import type { HttpRequest, HttpResponse } from './http-middleware.js';

/** An attribute, checked. */
export interface ResolvedAttribute {
  readonly name: string;
  readonly isIdentity: boolean;
  /** Whether keys hold a digest in place of the value. */
  readonly isSecret: boolean;
  readonly value: ((req: HttpRequest, res: HttpResponse) => VaryValue) | undefined;
}

/** What a request's attributes add to its key, or the name of the one that it lacks. */
export type AttributeValues =
  | { readonly missing: string }
  | { readonly missing: undefined; readonly values: readonly (readonly [string, string])[] };

/** Names of attributes that tell one client from all others. */
const IDENTITY =
  /^(?:(?:user|account|customer|member|principal|subject|session)(?:[_.-]?id)?|user[_.-]?name|sub|uid)$/i;
const SECRET = /auth|cookie|token|secret|session|password|api[_-]?key/i;

/** @throws {@link InvalidOptionError} naming the option, the value and what was expected */
export function resolveVaryBy(
  option: string,
  given: readonly VaryBy[],
): readonly ResolvedAttribute[] {
  if (!Array.isArray(given)) {
    throw new InvalidOptionError(
      option,
      `expected a list of names and functions, got ${describeValue(given)}`,
    );
  }
  const seen = new Set<string>();
  return given.map((each: VaryBy, index) => {
    const attribute = resolveAttribute(`${option}[${index}]`, each);
    if (seen.has(attribute.name)) {
      throw new InvalidOptionError(option, `there are two attributes '${attribute.name}'`);
    }
    seen.add(attribute.name);
    return attribute;
  });
}

/** Looks the attributes of a request up. Throws what a user's function throws. */
export function attributeValues(
  attributes: readonly ResolvedAttribute[],
  req: HttpRequest,
  res: HttpResponse,
): AttributeValues {
  const values: (readonly [string, string])[] = [];
  for (const attribute of attributes) {
    const value = attribute.value?.(req, res) ?? lookUp(attribute, req, res);
    const text = attributeText(value);
    if (text === undefined) return { missing: attribute.name };
    values.push([attribute.name, attribute.isSecret ? digest(text) : text]);
  }
  return { missing: undefined, values };
}

function resolveAttribute(option: string, given: VaryBy): ResolvedAttribute {
  if (typeof given === 'string') return attribute(expectText(option, given), undefined, undefined);
  if (typeof given === 'function') {
    if (given.name !== '') return attribute(given.name, undefined, given);
    throw new InvalidOptionError(
      option,
      'the function has no name, which its key would need; give { name, value } instead',
    );
  }
  if (typeof given !== 'object' || given === null) {
    throw new InvalidOptionError(
      option,
      `expected a name, a function or { name, value, identity }, got ${describeValue(given)}`,
    );
  }
  rejectUnknown(option, given, ['name', 'value', 'identity'] satisfies (keyof VaryAttribute)[]);
  const name = expectText(`${option}.name`, given.name);
  if (given.value !== undefined) expectFunction(`${option}.value`, given.value);
  if (given.identity !== undefined) expectBoolean(`${option}.identity`, given.identity);
  return attribute(name, given.identity, given.value);
}

function attribute(
  name: string,
  identity: boolean | undefined,
  value: ResolvedAttribute['value'],
): ResolvedAttribute {
  return {
    name,
    isIdentity: identity ?? IDENTITY.test(name),
    isSecret: SECRET.test(name),
    value,
  };
}

/** `undefined` for what says nothing, or cannot be told from other values by its text: such an attribute is missing. */
function attributeText(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return value === '' ? undefined : value;
    case 'number':
      return Number.isFinite(value) ? String(value) : undefined;
    case 'bigint':
    case 'boolean':
      return String(value);
    default:
      return undefined;
  }
}

function lookUp({ name, value }: ResolvedAttribute, req: HttpRequest, res: HttpResponse): unknown {
  if (value !== undefined) return undefined;
  for (const place of [res.locals, req, (req as { readonly user?: unknown }).user]) {
    if (typeof place !== 'object' || place === null) continue;
    // Only what somebody has put there: every object has a 'constructor'.
    const found = Object.hasOwn(place, name) ? (place as Record<string, unknown>)[name] : undefined;
    if (found !== undefined && found !== null) return found;
  }
  return undefined;
}

/** Keys are listed and logged, and must not hold what opens a session. */
function digest(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}
