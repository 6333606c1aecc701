import { createHash, timingSafeEqual } from 'node:crypto';
import { InvalidOptionError } from '../../errors.js';
import { expectOptions, rejectUnknown } from '../../options.js';
import { sendJson } from '../json-answer.js';
import type { AdminAuthHandler } from './admin-handler.js';
import { changesState } from './changing-requests.js';

/** Options of {@link bearerAuth}. */
export interface BearerAuthOptions {
  /**
   * Tokens that may look and not change: requests that would change something are answered with 403.
   * @defaultValue none
   */
  readonly readOnly?: string | readonly string[] | undefined;
}

/** What a token may consist of (`b64token`, RFC 6750 section 2.1). */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;
const CREDENTIALS = /^Bearer +([A-Za-z0-9\-._~+/]+=*) *$/i;

const made = new WeakSet<AdminAuthHandler>();

/**
 * Lets requests through that carry a token, as `Authorization: Bearer …` (RFC 6750), and answers the others: 401 with
 * `WWW-Authenticate` without a token or with a wrong one, 403 for a `readOnly` token where something would change.
 *
 * Several tokens may be given, so that one can be replaced without a gap. How long the comparison takes tells nothing of
 * a token: digests of equal length are compared, all of them, in constant time.
 *
 * It counts no failures: a token should be long and random, such as 32 bytes of `openssl rand`.
 *
 * @throws {@link InvalidOptionError} when there is no token, or one holds a character that the header cannot carry
 *
 * @example
 * ```ts
 * import { bearerAuth } from 'cachewell/express';
 *
 * const auth = bearerAuth(process.env['CACHE_ADMIN_TOKEN'] ?? 'only-for-development');
 * ```
 */
export function bearerAuth(
  token: string | readonly string[],
  options: BearerAuthOptions = {},
): AdminAuthHandler {
  expectOptions('bearerAuth', options);
  rejectUnknown('bearerAuth', options, ['readOnly']);
  const full = digests('bearerAuth token', token);
  const readOnly =
    options.readOnly === undefined ? [] : digests('bearerAuth.readOnly', options.readOnly);
  if (full.length === 0) throw new InvalidOptionError('bearerAuth token', 'expected a token');

  const handler: AdminAuthHandler = (req, res, next) => {
    const refuse = (status: 401 | 403, code: string, name: string, message: string): void => {
      const challenge = name === '' ? '' : `, error="${name}"`;
      res.setHeader('WWW-Authenticate', `Bearer realm="cache"${challenge}`);
      sendJson(req.method, res, status, { error: { code, name: 'AdminAuthError', message } });
    };
    const given = CREDENTIALS.exec(req.headers.authorization ?? '')?.[1];
    if (given === undefined) {
      refuse(401, 'ERR_ADMIN_UNAUTHENTICATED', '', 'A bearer token is needed.');
      return;
    }
    const digest = digestOf(given);
    const isFull = holds(full, digest);
    const isReader = holds(readOnly, digest);
    if (!isFull && !isReader) {
      refuse(401, 'ERR_ADMIN_UNAUTHENTICATED', 'invalid_token', 'The token is not valid.');
    } else if (!isFull && changesState(req)) {
      refuse(403, 'ERR_ADMIN_FORBIDDEN', 'insufficient_scope', 'This token may only look.');
    } else {
      next();
    }
  };
  made.add(handler);
  return handler;
}

/** Whether a handler is one of {@link bearerAuth}. */
export function isBearerAuth(handler: AdminAuthHandler): boolean {
  return made.has(handler);
}

function digests(option: string, tokens: string | readonly string[]): readonly Buffer[] {
  const list: readonly unknown[] = typeof tokens === 'string' ? [tokens] : tokens;
  if (!Array.isArray(list))
    throw new InvalidOptionError(option, 'expected a text or a list of them');
  return list.map((token) => {
    if (typeof token === 'string' && TOKEN.test(token)) return digestOf(token);
    // Not even the kind of a wrong token is shown.
    throw new InvalidOptionError(
      option,
      'expected a text of letters, digits and - . _ ~ + /, such as the output of `openssl rand -hex 32`',
    );
  });
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** Looks at all of them, so that the time does not tell which one it was. */
function holds(digestsOfTokens: readonly Buffer[], digest: Buffer): boolean {
  let isHeld = false;
  for (const each of digestsOfTokens) isHeld = timingSafeEqual(each, digest) || isHeld;
  return isHeld;
}
