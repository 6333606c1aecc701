import {
  type CacheControl,
  emptyCacheControl,
  INVALID_SECONDS,
  parseCacheControl,
  readMentions,
} from './cache-control.js';
import { MAX_DELTA_SECONDS } from './delta-seconds.js';
import { fieldText } from './field-list.js';
import type { FieldMap } from './http-message.js';
import { type BareItem, parseDictionary } from './structured-field.js';

/** What a response says about caching, whichever field says it. */
export interface EffectiveControl {
  readonly control: CacheControl;
  /** The targeted field that replaced `Cache-Control` and `Expires`, in lower case (RFC 9213 section 2.2). */
  readonly targetedBy: string | undefined;
  /** A response field about caching was there at all, valid or not. */
  readonly isStated: boolean;
  /** What a field that had to be dropped tried to say. */
  readonly forbidden: 'private' | 'no-store' | undefined;
}

/**
 * The directives that hold for a response: those of the first valid targeted field, else those of `Cache-Control`.
 *
 * A targeted field with a fault is ignored as a whole (RFC 9213 section 2.1); where its text mentions `private` or `no-store`,
 * storing is forbidden all the same, for that is the only safe reading.
 *
 * @param targetedFields - names in lower case, in order of preference
 */
export function effectiveControl(
  headers: FieldMap,
  targetedFields: readonly string[],
): EffectiveControl {
  let isStated = headers['cache-control'] !== undefined;
  let forbidden: EffectiveControl['forbidden'];
  for (const name of targetedFields) {
    const text = fieldText(headers, name);
    if (text === undefined) continue;
    isStated = true;
    const control = parseTargeted(text);
    if (!control.fault) return { control, targetedBy: name, isStated, forbidden };
    if (control.mentionsPrivate) forbidden ??= 'private';
    else if (control.mentionsNoStore) forbidden ??= 'no-store';
  }
  const text = fieldText(headers, 'cache-control');
  const control = text === undefined ? emptyCacheControl() : parseCacheControl(text);
  return { control, targetedBy: undefined, isStated, forbidden };
}

/** A targeted field, which is a dictionary (RFC 9213 section 2.1). `fault` where it is broken, empty, or has a lifetime of a wrong type. */
export function parseTargeted(text: string): CacheControl {
  const control = emptyCacheControl();
  readMentions(text, control);
  const members = parseDictionary(text);
  if (members === undefined || members.size === 0) {
    control.fault = true;
    return control;
  }
  for (const [name, item] of members) setMember(control, name, item);
  return control;
}

function setMember(control: CacheControl, name: string, item: BareItem): void {
  switch (name) {
    case 'max-age':
      control.maxAge = seconds(control, item);
      break;
    case 's-maxage':
      control.sMaxage = seconds(control, item);
      break;
    case 'stale-while-revalidate':
      control.staleWhileRevalidate = seconds(control, item);
      break;
    case 'stale-if-error':
      control.staleIfError = seconds(control, item);
      break;
    case 'no-store':
      control.noStore = isSet(item);
      break;
    case 'no-cache':
      control.noCache = isSet(item);
      break;
    case 'private':
      control.private = isSet(item);
      break;
    case 'must-revalidate':
      control.mustRevalidate = isSet(item);
      break;
    case 'proxy-revalidate':
      control.proxyRevalidate = isSet(item);
      break;
    case 'public':
      control.public = item.kind === 'boolean' && item.value;
      break;
    case 'must-understand':
      control.mustUnderstand = item.kind === 'boolean' && item.value;
      break;
    default:
  }
}

/** A directive that restricts counts with any value but a plain "no". */
function isSet(item: BareItem): boolean {
  return item.kind !== 'boolean' || item.value;
}

function seconds(control: CacheControl, item: BareItem): number {
  if (item.kind !== 'integer') {
    control.fault = true;
    return INVALID_SECONDS;
  }
  return item.value < 0 ? INVALID_SECONDS : Math.min(item.value, MAX_DELTA_SECONDS);
}
