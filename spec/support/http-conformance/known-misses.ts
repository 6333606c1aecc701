import type { ConformanceProfile } from './conformance-run.js';

/** Why tests are not passed, whatever the profile. */
const ALWAYS: Readonly<Record<string, string>> = {
  'headers-store-Content-Length':
    'The route declares 10 bytes and writes 36. What does not have its length is not stored.',
  'conditional-lm-fresh-no-lm': 'Asks for what RFC 9111 section 4.3.2 forbids; no cache passes.',
  'partial-store-partial-reuse-partial-byterange':
    'The stored 206 has another length than its range; no cache passes.',
  'partial-store-partial-reuse-partial-absent':
    'The stored 206 has another length than its range; no cache passes.',
  'partial-store-partial-reuse-partial-suffix':
    'The stored 206 has another length than its range; no cache passes.',
  'partial-store-partial-complete':
    'A stored part is not completed by a request of our own: the route runs anyway.',
};

/** By profile: patterns of ids. */
const BY_PROFILE: Readonly<Record<ConformanceProfile, readonly (readonly [RegExp, string])[]>> = {
  rfc9111: [],
  safe: [
    [/set-cookie/i, 'Responses with `Set-Cookie` are not stored.'],
    [/^status-/, 'Only status 200 is stored.'],
    [/^heuristic-/, 'A response that names no lifetime is not stored.'],
    [/^method-POST$/, 'Answers to POST are not stored.'],
    [/^partial-store-partial-/, 'Parts are not stored.'],
    [/^other-cookie$/, 'With `Cookie` in the request only what says `public` is stored.'],
  ],
};

/** Why a test is not passed; empty when nobody has said. */
export function reasonFor(profile: ConformanceProfile, id: string): string {
  return ALWAYS[id] ?? BY_PROFILE[profile].find(([pattern]) => pattern.test(id))?.[1] ?? '';
}
