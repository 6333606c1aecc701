import type { FieldMap } from './http-message.js';

/**
 * Which request fields are credentials beside `Authorization` and `Cookie`: those whose names look like it, or those of
 * a list, in lower case.
 */
export type CredentialFields = 'likely' | ReadonlySet<string>;

/** What a request without any has. */
export const NO_CREDENTIALS: readonly string[] = Object.freeze([]);

/** Have rules of their own. */
const STANDARD: ReadonlySet<string> = new Set(['authorization', 'cookie']);

/** Fields that browsers and frameworks send to everybody, though a word in them sounds like more. */
const HARMLESS = /^sec-|user-agent|^(?:x-)?(?:idempotency|cache|surrogate)-key$/;

/**
 * Names with a word for a secret, for who asks, or for what proves it: `X-API-Key`, `X-Auth-Token`, `X-Session-Id`, and what proxies
 * that log users in set, such as `X-Forwarded-User`, `X-Remote-User`, `X-Auth-Request-Email`, `X-MS-Client-Principal`,
 * `CF-Access-Jwt-Assertion`, `X-Forwarded-Client-Cert`.
 */
const LIKELY = new RegExp(
  `(?:^|[-_])(?:${[
    '[a-z]*auth(?:[nz]|orization|entication|enticated)?',
    '[a-z]*tokens?',
    '[a-z]*api[-_]?key',
    'key',
    'jwt|oidc|saml|dpop|assertion|signature',
    '[a-z]*secret|passw(?:or)?d|credentials?|bearer|csrf|xsrf',
    'session(?:id)?|sid',
    'user(?:id|name)?|email|login|identity|principal|subject',
    '(?:account|customer|member)(?:id)?',
    '(?:client)?cert(?:ificate)?',
  ].join('|')})(?:$|[-_])`,
);

/** What was found out about names. Clients send the same few over and over, and a hit must not pay for reading them. */
const known = new Map<string, boolean>();
const MOST_KNOWN = 512;
const LONGEST_NAME = 64;

/**
 * Whether a field is a credential, or says who asks, going by its name in lower case. A guess, made on the safe side: one that
 * is none keeps responses from being shared that say nothing about it.
 */
export function looksLikeCredential(name: string): boolean {
  let isLikely = known.get(name);
  if (isLikely !== undefined) return isLikely;
  isLikely = !STANDARD.has(name) && !HARMLESS.test(name) && LIKELY.test(name);
  if (name.length > LONGEST_NAME) return isLikely;
  // Started anew when full: cheaper than an order of use, and bounded whatever clients send.
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(name, isLikely);
  return isLikely;
}

/** The names of the credentials that a request carries. */
export function credentialsIn(headers: FieldMap, fields: CredentialFields): readonly string[] {
  let found: string[] | undefined;
  if (fields === 'likely') {
    // One look at each field is cheaper than a look for each of a dozen names.
    for (const name in headers) {
      if (looksLikeCredential(name) && headers[name] !== undefined) (found ??= []).push(name);
    }
  } else if (fields.size > 0) {
    for (const name of fields) if (headers[name] !== undefined) (found ??= []).push(name);
  }
  return found ?? NO_CREDENTIALS;
}
