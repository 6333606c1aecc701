import { expect } from 'chai';
import fc from 'fast-check';
import type {
  NotStoredReason,
  RequestContext,
  StorageDecision,
} from '#internal/http/cache-decision.js';
import { HttpCachePolicy } from '#internal/http/http-cache-policy.js';
import { type FieldMap, type ResponseHead, StoredFlag } from '#internal/http/http-message.js';
import type { HttpCachePolicyOptions } from '#internal/http/policy-options.js';
import { AT_T0, date, get, head, response, T0 } from '../../support/http-messages.js';

type Stored = Extract<StorageDecision, { store: true }>;

/** What becomes of a response to a GET at T0. */
function decide(
  reply: ResponseHead,
  options: HttpCachePolicyOptions = {},
  request: FieldMap = {},
  context: RequestContext = {},
): StorageDecision {
  const policy = new HttpCachePolicy(options);
  return policy.storage(policy.request(get(request), context), reply, AT_T0);
}

function store(...args: Parameters<typeof decide>): Stored {
  const decision = decide(...args);
  if (!decision.store) throw new RangeError(`not stored: ${decision.reason}`);
  return decision;
}

const cc = (value: string, more: FieldMap = {}, status = 200): ResponseHead =>
  response({ 'cache-control': value, ...more }, status);
const RFC = { profile: 'rfc9111' } as const;

describe('HttpCachePolicy#storage', () => {
  describe('refuses, and says why:', () => {
    const REFUSALS: readonly (readonly [NotStoredReason, string, ...Parameters<typeof decide>])[] =
      [
        ['status', 'a status that is not listed', cc('max-age=60', {}, 404)],
        ['status', 'a 304 that nobody here asked for', cc('max-age=60', {}, 304), RFC],
        ['status', 'an interim answer', cc('max-age=60', {}, 103), RFC],
        ['status', 'a status beyond 599', cc('max-age=60', {}, 600), RFC],
        ['not-understood', 'must-understand', cc('max-age=60, must-understand', {}, 599), RFC],
        ['no-store', 'no-store', cc('no-store')],
        ['private', 'private', cc('private, max-age=60')],
        ['private', 'private and no-store', cc('no-store, private')],
        ['private', 'private against must-understand', cc('private, must-understand, max-age=60')],
        [
          'no-store',
          'no-store misspelt against must-understand',
          cc('no_store, must-understand, max-age=60'),
        ],
        [
          'no-store',
          'no-store in a broken field against must-understand',
          cc('no-store, must-understand, max-age =60'),
        ],
        ['private', 'a word in a quoted string', cc('max-age=60, ext="private"')],
        [
          'private',
          'a broken targeted field',
          cc('max-age=60', { 'cdn-cache-control': 'PRIVATE' }),
        ],
        ['cache-control-syntax', 'a broken field', cc('max-age=60; public')],
        ['set-cookie', 'a cookie', cc('max-age=60', { 'set-cookie': 'a=b' })],
        ['set-cookie', 'an empty cookie', cc('max-age=60', { 'set-cookie': '' })],
        ['authorization', 'Authorization', cc('max-age=60'), {}, { authorization: 'x' }],
        [
          'authorization',
          'Authorization by the RFC',
          cc('max-age=60'),
          RFC,
          { authorization: 'x' },
        ],
        [
          'authorization',
          'Authorization and a route ttl',
          response(),
          { ttl: '1m' },
          { authorization: 'x' },
        ],
        ['cookie', 'Cookie', cc('max-age=60'), {}, { cookie: 'x' }],
        ['vary-any', 'Vary: *', cc('max-age=60', { vary: '*' })],
        ['vary-any', 'a Vary that is no list of names', cc('max-age=60', { vary: 'a b' })],
        [
          'partial',
          'a 206 to a request for all',
          cc('max-age=60', { 'content-range': 'bytes 0-1/2' }, 206),
          RFC,
        ],
        [
          'partial',
          'a 206 with several parts',
          cc('max-age=60', { 'content-type': 'multipart/byteranges; boundary=x' }, 206),
          RFC,
          { range: 'bytes=0-1,3-4' },
        ],
        ['no-lifetime', 'nothing said', response()],
        ['no-lifetime', 'nothing but an ETag', response({ etag: '"a"' })],
        ['no-lifetime', 'public alone', cc('public')],
        ['no-lifetime', 'nothing to validate with', response(), RFC],
        ['expired', 'stale at once and no use', cc('max-age=0')],
        [
          'expired',
          'stale at once, whatever the route says',
          cc('max-age=0'),
          { staleIfError: '1h', staleWhileRevalidate: '1h' },
        ],
        ['expired', 'a broken lifetime', cc('max-age=x'), RFC],
        ['no-cache', 'no-cache without a validator', cc('no-cache, max-age=60')],
        ['groups', 'groups that cannot be read', cc('max-age=60', { 'cache-groups': 'a' })],
      ];
    for (const [reason, name, ...args] of REFUSALS) {
      it(`${name} → ${reason}`, () =>
        expect(decide(...args)).to.deep.equal({ store: false, reason }));
    }

    it('the answer to a HEAD, and to what passes the cache by', () => {
      const policy = new HttpCachePolicy();
      const reasonFor = (request: Parameters<HttpCachePolicy['request']>[0]) =>
        policy.storage(policy.request(request), cc('max-age=60'), AT_T0);
      expect(reasonFor(head())).to.deep.equal({ store: false, reason: 'head' });
      expect(reasonFor({ method: 'PUT', headers: {} })).to.deep.equal({
        store: false,
        reason: 'method',
      });
      const noStore = get({ 'cache-control': 'no-store' });
      expect(reasonFor(noStore)).to.deep.equal({ store: false, reason: 'request-no-store' });
    });
  });

  it('stores nothing that holds the words private or no-store in any shape', () => {
    const letters = (word: string) =>
      fc
        .array(
          fc.tuple(
            fc.boolean(),
            fc.constantFrom('', '', '', '-', '_', ' ', '"', '\\', '\u00ad', '.', '='),
          ),
          {
            minLength: word.length,
            maxLength: word.length,
          },
        )
        .map((shapes) =>
          shapes
            .map(([upper, gap], at) => (upper ? word[at]!.toUpperCase() : word[at]!) + gap)
            .join(''),
        );
    const word = fc.oneof(letters('private'), letters('no-store'), letters('nostore'));
    const noise = fc.oneof(
      fc.constantFrom('', 'max-age=60', 'public', 's-maxage=60', ';', '=', '"', ', ', 'x="', '\t'),
      fc.string({ unit: 'binary', maxLength: 8 }).map((text) => text.replace(/[a-z]/gi, '')),
    );
    const separator = fc.constantFrom(', ', ',', '; ', ' ', '');
    const field = fc
      .tuple(
        noise,
        separator,
        word,
        fc.constantFrom('', '=""', '="a"', '=1', '=?0', ';q=1'),
        separator,
        noise,
      )
      .map((parts) => parts.join(''));
    const name = fc.constantFrom('cache-control', 'cdn-cache-control', 'cachewell-cache-control');
    fc.assert(
      fc.property(field, name, fc.constantFrom('safe', 'rfc9111'), (text, fieldName, profile) => {
        const fields = { expires: date(60), [fieldName]: text };
        expect(decide(response(fields), { profile, ttl: '1m' }).store, text).to.equal(false);
      }),
      { numRuns: 10_000 },
    );
  });

  it('never throws, whatever the fields hold', () => {
    const names = [
      'cache-control',
      'cdn-cache-control',
      'expires',
      'date',
      'age',
      'vary',
      'etag',
      'last-modified',
      'cache-groups',
      'surrogate-key',
      'connection',
      'content-range',
    ];
    const value = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.string({ unit: 'binary' }), { maxLength: 3 }),
      fc.double(),
      fc.constantFrom('max-age=60', '*', 'Sun, 06 Nov 1994 08:49:37 GMT', '"a"', 'a, b'),
    );
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...names), value),
        fc.constantFrom('safe', 'rfc9111'),
        (fields, profile) => {
          const decision = decide(response(fields), { profile, ttl: '1s' }, { range: 'bytes=0-1' });
          if (!decision.store) return;
          expect(decision.head.freshMs).to.be.within(0, 2_147_483_648_000);
          expect(decision.head.initialAgeMs).to.be.within(0, 2_147_483_648_000);
          expect(decision.keepMs)
            .to.be.within(1, 3 * 2_147_483_648_000)
            .and.at.least(decision.freshForMs);
        },
      ),
      { numRuns: 3000 },
    );
  });

  describe('the record', () => {
    it('holds times, lifetime and age', () => {
      const policy = new HttpCachePolicy();
      const times = { requestedAt: T0 - 500, respondedAt: T0 };
      const decision = policy.storage(
        policy.request(get()),
        cc('max-age=60', { age: '10' }),
        times,
      );
      expect(decision).to.deep.nested.include({
        store: true,
        'head.v': 1,
        'head.status': 200,
        'head.requestedAt': T0 - 500,
        'head.respondedAt': T0,
        'head.initialAgeMs': 10_500,
        'head.freshMs': 60_000,
        freshForMs: 49_500,
      });
    });

    it('keeps names as they were written, and repeated fields apart', () => {
      const fields = { 'cache-control': 'max-age=60', 'x-two': ['1', '2'], date: date(0) };
      const rawHeaders = [
        'X-Two',
        '1',
        'Cache-Control',
        'max-age=60',
        'x-TWO',
        '2',
        'DATE',
        date(0),
      ];
      const { head: record } = store({ status: 200, headers: fields, rawHeaders });
      expect(record.headers).to.deep.equal(rawHeaders);
    });

    it('is made from the map where no written names are given', () => {
      const fields = {
        'cache-control': 'max-age=60',
        'x-two': ['1', '2'],
        'x-count': 3,
        'x-none': undefined,
        date: date(0),
      };
      expect(store(response(fields)).head.headers).to.deep.equal([
        ...[
          'cache-control',
          'max-age=60',
          'x-two',
          '1',
          'x-two',
          '2',
          'x-count',
          '3',
          'date',
          date(0),
        ],
      ]);
    });

    it('is dated when the response has no Date', () => {
      expect(store(cc('max-age=60')).head.headers.slice(-2)).to.deep.equal(['Date', date(0)]);
      expect(store(cc('max-age=60', { date: 'foo' })).head.headers).not.to.include(date(0));
    });

    const DROPPED = [
      'Age',
      'Connection',
      'Keep-Alive',
      'Proxy-Authenticate',
      'Proxy-Authentication-Info',
      'Proxy-Authorization',
      'Proxy-Connection',
      'TE',
      'Trailer',
      'Transfer-Encoding',
      'Upgrade',
    ];
    for (const name of DROPPED) {
      it(`leaves out ${name}`, () => {
        const { head: record } = store(cc('max-age=60', { [name.toLowerCase()]: 'x' }));
        expect(record.headers.filter((_, at) => at % 2 === 0)).to.deep.equal([
          'cache-control',
          'Date',
        ]);
      });
    }

    it('leaves out what Connection names, in any case and line', () => {
      const fields = { connection: ['close, A', 'b'], a: '1', b: '2', c: '3' };
      const { head: record } = store(cc('max-age=60', fields));
      expect(record.headers).to.deep.equal([
        'cache-control',
        'max-age=60',
        'c',
        '3',
        'Date',
        date(0),
      ]);
    });

    const KEPT = [
      'Test-Header',
      'Content-Foo',
      'Content-Encoding',
      'Content-Location',
      'Content-MD5',
      'Content-Range',
      'Content-Security-Policy',
      'Content-Type',
      'Clear-Site-Data',
      'ETag',
      'Expires',
      'Public-Key-Pins',
      'Set-Cookie2',
      'X-Frame-Options',
      'X-XSS-Protection',
      'Access-Control-Allow-Origin',
      'CDN-Cache-Control',
    ];
    for (const name of KEPT) {
      it(`keeps ${name} as it is`, () => {
        const value = name === 'CDN-Cache-Control' ? 'max-age=60' : ' a, "b" ';
        const { head: record } = store(cc('max-age=60', { [name.toLowerCase()]: value }));
        expect(record.headers).to.include.members([name.toLowerCase(), value]);
      });
    }

    it('holds the variant', () => {
      const reply = cc('max-age=60', { vary: 'Foo, Accept-Language' });
      const { head: record } = store(reply, {}, { foo: '1', 'accept-language': 'de, en' });
      expect(record.vary).to.deep.equal(['accept-language', 'foo']);
      expect(record.selecting).to.deep.equal(['=de,en', '=1']);
    });

    it('is selected by what the client can decode where it is encoded', () => {
      const request = { 'accept-encoding': 'gzip', foo: '1' };
      for (const options of [{}, RFC]) {
        const plain = store(cc('max-age=60', { vary: 'foo' }), options, request);
        expect(plain.head.vary).to.deep.equal(['foo']);
        for (const vary of ['foo', 'Foo, Accept-Encoding']) {
          const encoded = cc('max-age=60', { vary, 'content-encoding': 'gzip' });
          const { head: record } = store(encoded, options, request);
          expect(record.vary).to.deep.equal(['accept-encoding', 'foo']);
          expect(record.selecting).to.deep.equal(['=gzip', '=1']);
        }
      }
    });

    it('is selected by the range where it is a part', () => {
      const reply = cc('max-age=60', { vary: 'foo', 'content-range': 'bytes 0-1/5' }, 206);
      const { head: record } = store(reply, RFC, { range: 'bytes=0-1' });
      expect(record.vary).to.deep.equal(['foo', 'range']);
    });

    it('names its groups', () => {
      const { groups } = store(cc('max-age=60', { 'surrogate-key': 'a b', 'cache-groups': '"c"' }));
      expect(groups).to.deep.equal(['a', 'b', 'c']);
    });

    const FLAGS: readonly (readonly [string, ResponseHead, number, HttpCachePolicyOptions?])[] = [
      ['nothing', cc('max-age=60'), 0],
      [
        'all directives together',
        cc('no-cache, must-revalidate, public, max-age=60', { etag: '"a"' }),
        StoredFlag.noCache |
          StoredFlag.neverStale |
          StoredFlag.forAuthorization |
          StoredFlag.forCookie |
          StoredFlag.hasValidator,
      ],
      ['no-cache', cc('no-cache', { etag: '"a"' }), StoredFlag.noCache | StoredFlag.hasValidator],
      [
        'must-revalidate',
        cc('max-age=60, must-revalidate'),
        StoredFlag.neverStale | StoredFlag.forAuthorization,
      ],
      ['proxy-revalidate', cc('max-age=60, proxy-revalidate'), StoredFlag.neverStale],
      ['s-maxage', cc('s-maxage=60'), StoredFlag.neverStale | StoredFlag.forAuthorization],
      ['public', cc('max-age=60, public'), StoredFlag.forAuthorization | StoredFlag.forCookie],
      [
        'a guess',
        response({ 'last-modified': date(-600) }),
        StoredFlag.heuristic | StoredFlag.hasValidator,
        RFC,
      ],
      ['a route ttl', response(), StoredFlag.routeTtl, { ttl: '1m' }],
      ['an empty ETag', cc('max-age=60', { etag: '' }), 0],
      ['two ETags', cc('max-age=60', { etag: ['"a"', '"b"'] }), 0],
      ['a Last-Modified that is no date', cc('max-age=60', { 'last-modified': 'yesterday' }), 0],
    ];
    for (const [name, reply, flags, options] of FLAGS) {
      it(`has the flags of ${name}`, () =>
        expect(store(reply, options).head.flags).to.equal(flags));
    }
  });

  describe('with a route ttl', () => {
    const ttl = { ttl: '1m' } as const;
    const freshMs = (reply: ResponseHead, options: HttpCachePolicyOptions = ttl) =>
      store(reply, options).head.freshMs;

    it('gives it to a response that says nothing', () =>
      expect(freshMs(response())).to.equal(60_000));
    it('gives it where no lifetime is said', () => expect(freshMs(cc('public'))).to.equal(60_000));
    it('prefers it to a guess', () => {
      expect(freshMs(response({ 'last-modified': date(-86_400) }), { ...RFC, ...ttl })).to.equal(
        60_000,
      );
    });

    const SAID: readonly (readonly [string, ResponseHead, number])[] = [
      ['max-age', cc('max-age=5'), 5000],
      ['s-maxage', cc('s-maxage=5'), 5000],
      ['max-age=0', cc('max-age=0', { etag: '"a"' }), 0],
      ['a broken max-age', cc('max-age=x', { etag: '"a"' }), 0],
      ['Expires', response({ expires: date(5) }), 5000],
      ['a broken Expires', response({ expires: '0', etag: '"a"' }), 0],
      ['a targeted field', response({ 'cdn-cache-control': 'max-age=5' }), 5000],
    ];
    for (const [name, reply, expected] of SAID) {
      it(`yields to ${name}`, () => expect(freshMs(reply)).to.equal(expected));
    }

    it('does not lift no-cache', () => {
      const { head: record, freshForMs } = store(cc('no-cache', { etag: '"a"' }), ttl);
      expect(record.flags & StoredFlag.noCache).to.equal(StoredFlag.noCache);
      expect(freshForMs).to.equal(0);
    });

    for (const text of ['no-store', 'private', 'max-age =5', 'PRIVATE=""']) {
      it(`does not lift ${text}`, () => expect(decide(cc(text), ttl).store).to.equal(false));
    }
  });

  describe('for a request with credentials', () => {
    it('takes a key that holds the identity for consent', () => {
      const request = { authorization: 'x', cookie: 'y' };
      expect(decide(cc('max-age=60'), {}, request, { keyedBy: 'identity' }).store).to.equal(true);
    });

    it('stores for both where the response is public', () => {
      expect(
        decide(cc('max-age=60, public'), {}, { authorization: 'x', cookie: 'y' }).store,
      ).to.equal(true);
    });

    describe('in another field', () => {
      const key = { 'x-api-key': 'k' };
      const both = { 'x-api-key': 'k', 'x-user': 'u' };

      it('does not store without a word of the response', () => {
        for (const reply of [cc('max-age=60'), cc('max-age=60', { vary: 'Accept, X-User' })]) {
          expect(decide(reply, {}, key)).to.deep.equal({ store: false, reason: 'credentials' });
        }
        const reply = cc('max-age=60', { vary: 'X-API-Key' });
        expect(decide(reply, {}, both)).to.deep.equal({ store: false, reason: 'credentials' });
        expect(decide(response(), { ttl: '1m' }, key).store).to.equal(false);
      });

      it('stores what allows it, or is selected by it', () => {
        for (const word of ['public', 'must-revalidate', 's-maxage=60']) {
          const { head: stored } = store(cc(`max-age=60, ${word}`), {}, both);
          expect(stored.flags & StoredFlag.forAuthorization).to.equal(StoredFlag.forAuthorization);
        }
        const { head: selected } = store(cc('max-age=60', { vary: 'x-user, X-API-KEY' }), {}, both);
        expect(selected.vary).to.deep.equal(['x-api-key', 'x-user']);
        expect(selected.selecting.join()).not.to.match(/=k|=u/);
      });

      it('is no concern of the RFC, of an empty list, and of a key that holds the identity', () => {
        expect(decide(cc('max-age=60'), RFC, key).store).to.equal(true);
        expect(decide(cc('max-age=60'), { credentialHeaders: [] }, key).store).to.equal(true);
        expect(decide(cc('max-age=60'), {}, key, { keyedBy: 'identity' }).store).to.equal(true);
      });
    });

    it('reads a permission from the targeted field alone', () => {
      const reply = cc('public, max-age=60', { 'cdn-cache-control': 'max-age=60' });
      expect(decide(reply, {}, { authorization: 'x' }).store).to.equal(false);
    });
  });

  describe('the time to keep', () => {
    const HOUR = 3_600_000;
    const ROWS: readonly (readonly [
      string,
      ResponseHead,
      HttpCachePolicyOptions,
      number,
      number,
    ])[] = [
      ['the lifetime', cc('max-age=60'), { staleIfError: 0 }, 60_000, 60_000],
      [
        'the lifetime less the age',
        cc('max-age=60', { age: '20' }),
        { staleIfError: 0 },
        40_000,
        40_000,
      ],
      ['with the window of errors', cc('max-age=60'), {}, 60_000, 120_000],
      ['with its own window', cc('max-age=60, stale-if-error=5'), {}, 60_000, 65_000],
      [
        'with the longer window',
        cc('max-age=60, stale-if-error=5, stale-while-revalidate=9'),
        {},
        60_000,
        69_000,
      ],
      [
        'with the windows of the options',
        cc('max-age=60'),
        { staleWhileRevalidate: '2m', staleIfError: '1m' },
        60_000,
        180_000,
      ],
      [
        'without windows under must-revalidate',
        cc('max-age=60, must-revalidate, stale-if-error=5'),
        { staleWhileRevalidate: '2m' },
        60_000,
        60_000,
      ],
      ['with a broken window as none', cc('max-age=60, stale-if-error=x'), {}, 60_000, 60_000],
      ['for validation', cc('max-age=60', { etag: '"a"' }), {}, 60_000, 60_000 + HOUR],
      [
        'for validation as the option says',
        cc('max-age=60, must-revalidate', { etag: '"a"' }),
        { keepForValidation: '5s' },
        60_000,
        65_000,
      ],
      [
        'not for validation without one',
        cc('max-age=60, must-revalidate'),
        { keepForValidation: '5s' },
        60_000,
        60_000,
      ],
      ['for validation alone where nothing is said', response({ etag: '"a"' }), RFC, 0, HOUR],
      [
        'from the first moment where it is to be validated',
        cc('no-cache', { etag: '"a"' }),
        {},
        0,
        HOUR,
      ],
      ['its own window where it is stale at once', cc('max-age=0, stale-if-error=5'), {}, 0, 5000],
      ['what is stale but inside a window', cc('max-age=60', { age: '90' }), {}, 0, 30_000],
    ];
    for (const [name, reply, options, freshForMs, keepMs] of ROWS) {
      it(`is ${name}`, () => expect(store(reply, options)).to.include({ freshForMs, keepMs }));
    }
  });
});
