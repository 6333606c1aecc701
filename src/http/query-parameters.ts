import { escapeKeyComponent } from './key-component.js';

/** A name that decodes to itself and has no parts. */
const PLAIN_NAME = /^\w+$/;

/** Which query parameters belong to the key; `true` = this one does. */
export type QueryFilter = (name: string) => boolean;

/** Which query parameters belong to the key. */
export interface QuerySelection {
  /** Only these. `filter` stands for `filter[a]`, too; a name may end in `*`. */
  readonly allow?: readonly string[] | undefined;
  /** Not these. A name may end in `*`, such as `utm_*`. */
  readonly ignore?: readonly string[] | undefined;
}

/**
 * The filter of a selection; `undefined` where every parameter counts. A parameter that is left out must not change what
 * the handler answers: its answer is served to those who sent another value.
 */
export function queryFilter({ allow, ignore }: QuerySelection): QueryFilter | undefined {
  if (allow === undefined && (ignore === undefined || ignore.length === 0)) return undefined;
  const isAllowed = allow && nameMatcher(allow);
  const isIgnored = nameMatcher(ignore ?? []);
  return (name) => {
    if (isIgnored(name)) return false;
    return isAllowed === undefined || isAllowed(name) || isAllowed(baseName(name));
  };
}

/**
 * The parameters of a raw query, each in the form that it has in a key, sorted by name.
 *
 * Equal names keep their order, and so do names that some parser of Express reads as one: `a`, `%61`, `a[]` and `a[0]`.
 * `a` is not `a=`, and an empty parameter is one.
 *
 * @param query - the text behind the first `?`
 */
export function queryKeyParts(query: string, filter: QueryFilter | undefined): readonly string[] {
  if (!query.includes('&')) {
    return filter === undefined || filter(nameOf(query)) ? [keyPart(query)] : [];
  }
  let parameters = query.split('&');
  if (filter !== undefined) parameters = parameters.filter((each) => filter(nameOf(each)));
  return parameters
    .map((parameter) => ({ group: orderGroup(parameter), part: keyPart(parameter) }))
    .sort((a, b) => (a.group < b.group ? -1 : a.group > b.group ? 1 : 0))
    .map(({ part }) => part);
}

/** `name=value`; `name=()` without a value, for a value holds no parenthesis that is not escaped. */
function keyPart(parameter: string): string {
  const equals = parameter.indexOf('=');
  if (equals === -1) return `${escapeKeyComponent(parameter)}=()`;
  const name = escapeKeyComponent(parameter.slice(0, equals));
  return `${name}=${escapeKeyComponent(parameter.slice(equals + 1))}`;
}

/**
 * What parameters have in common whose order may matter. Too coarse costs hits, too fine lets two requests share a key, so
 * it ends at the first bracket or dot, and all that is not ASCII counts as the same: what decoders make of bad bytes differs.
 */
function orderGroup(parameter: string): string {
  const raw = rawName(parameter);
  if (PLAIN_NAME.test(raw)) return raw;
  const name = raw
    .replaceAll('+', ' ')
    .replace(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(/[^\0-\x7f]+/g, '\x80');
  return /[^[\].]+/.exec(name)?.[0] ?? '';
}

/** The name as a handler sees it. */
function nameOf(parameter: string): string {
  const name = rawName(parameter).replaceAll('+', ' ');
  try {
    return decodeURIComponent(name);
  } catch {
    // Whatever a parser makes of it, it is none that a selection names.
    return name;
  }
}

function rawName(parameter: string): string {
  const equals = parameter.indexOf('=');
  return equals === -1 ? parameter : parameter.slice(0, equals);
}

function baseName(name: string): string {
  const bracket = name.indexOf('[');
  return bracket > 0 ? name.slice(0, bracket) : name;
}

function nameMatcher(names: readonly string[]): QueryFilter {
  const exact = new Set(names.filter((name) => !name.endsWith('*')));
  const prefixes = names.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1));
  return (name) => exact.has(name) || prefixes.some((prefix) => name.startsWith(prefix));
}
