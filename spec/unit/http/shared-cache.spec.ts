import { expect } from 'chai';
import { HttpCachePolicy } from '#internal/http/http-cache-policy.js';
import type { FieldMap } from '#internal/http/http-message.js';
import { date, T0 } from '../../support/http-messages.js';
import { ReplayCache, type Verdict } from '../../support/replay-cache.js';

/**
 * What a shared cache owes to the RFCs, one row for each question: the handler answers a first request, some time passes, a second
 * request is answered in one way. Every row runs in both profiles; `safe` is written only where it differs.
 */
interface Row {
  readonly asks: string;
  /** Fields of the handler's first answer. */
  readonly reply: FieldMap;
  readonly status?: number;
  readonly method?: string;
  /** Fields of the first request. */
  readonly request?: FieldMap;
  /** Seconds between the two. */
  readonly wait?: number;
  /** Fields of the second request. */
  readonly again?: FieldMap;
  /** The handler's answer to the second request, if it is asked; by default the first one. */
  readonly next?: FieldMap | 'dies' | number;
  readonly is: Verdict;
  readonly safe?: Verdict;
}

const HOUR = 'max-age=3600';
const cc = (value: string | readonly string[], more: FieldMap = {}): FieldMap => ({
  'cache-control': value,
  ...more,
});
const row = (asks: string, reply: FieldMap, is: Verdict, more: Partial<Row> = {}): Row => ({
  asks,
  reply,
  is,
  ...more,
});
/** A table of replies that differ in one field. */
const each = (
  name: string,
  rows: readonly (readonly [value: string | readonly string[], is: Verdict, safe?: Verdict])[],
  rest: (value: string | readonly string[]) => FieldMap,
): readonly Row[] =>
  rows.map(([value, is, safe]) =>
    row(`${name}: ${JSON.stringify(value)}`, rest(value), is, safe === undefined ? {} : { safe }),
  );

const GROUPS: Readonly<Record<string, readonly Row[]>> = {
  'lifetime by Cache-Control': [
    row('nothing is said', {}, 'run'),
    ...each(
      'Cache-Control',
      [
        ['max-age=3600', 'hit'],
        ['MaX-aGe=3600', 'hit'],
        ['foobar, max-age=3600', 'hit'],
        ['max-age=2147483647', 'hit'],
        ['max-age=2147483648', 'hit'],
        ['max-age=2147483649', 'hit'],
        ['max-age=99999999999', 'hit'],
        ['max-age=2', 'run'],
        ['max-age=0', 'run'],
        ['max-age=-3600', 'run'],
        ['s-maxage=3600', 'hit'],
        ['max-age=3600, s-maxage=1', 'run'],
        ['s-maxage=1, max-age=3600', 'run'],
        [['max-age=3600', 's-maxage=1'], 'run'],
        ['max-age=1, s-maxage=3600', 'hit'],
        [['max-age=1', 's-maxage=3600'], 'hit'],
      ],
      cc,
    ),
    row('Age above it', cc(HOUR, { date: date(0), age: '7200' }), 'run'),
    row('Date so old', cc(HOUR, { date: date(-7200) }), 'run'),
    row('beats a past Expires', cc(HOUR, { expires: date(-7200), date: date(0) }), 'hit'),
    row('beats a broken Expires', cc(HOUR, { expires: '0', date: date(0) }), 'hit'),
    row('0 beats a future Expires', cc('max-age=0', { expires: date(3600), date: date(0) }), 'run'),
    row('s-maxage beats a future Expires', cc('s-maxage=1', { expires: date(3600) }), 'run'),
  ],

  'grammar of Cache-Control': each(
    'Cache-Control',
    [
      ['max-age=1800, max-age=1', 'hit'],
      [['max-age=1800', 'max-age=1'], 'hit'],
      ['max-age=1, max-age=1800', 'run'],
      [['max-age=1', 'max-age=1800'], 'run'],
      ['max-age="3600"', 'hit'],
      ['extension="max-age=3600", max-age=1', 'run'],
      ['max-age=1, extension="max-age=3600"', 'run'],
      ['max-age =3600', 'run'],
      ['max-age= 3600', 'run'],
      ['max-age=003600', 'hit'],
      ["max-age='3600'", 'run'],
      ['max-age=3600.0', 'run'],
      ['max-age=3600.5', 'run'],
      ['max-age=a3600', 'run'],
      ['max-age=3600a', 'run'],
    ],
    cc,
  ),

  'grammar of Age': each(
    'Age',
    [
      ['abc', 'hit'],
      ['-7200', 'hit'],
      ['7200.0', 'hit'],
      ['2147483647', 'run'],
      ['2147483648', 'run'],
      ['2147483649', 'run'],
      ['7200, 0', 'run'],
      ['0, 7200', 'hit'],
      [['7200', '0'], 'run'],
      [['0', '7200'], 'hit'],
      ['0, 0', 'hit'],
      [['0', '0'], 'hit'],
      [['300', '300'], 'hit'],
      ['7200;foo=bar', 'run'],
      ['7200;foo=111', 'run'],
    ],
    (age) => cc(HOUR, { date: date(0), age }),
  ),

  'lifetime by Expires': [
    row('in the future', { expires: date(3600), date: date(0) }, 'hit'),
    row('in the past', { expires: date(-3600), date: date(0) }, 'run'),
    row('now', { expires: date(0), date: date(0) }, 'run', { wait: 0 }),
    row('before Date', { expires: date(300), date: date(400) }, 'run'),
    row('no date at all', { expires: '0', date: date(0) }, 'run'),
    row('without a Date that can be read', { date: 'foo', expires: date(10) }, 'hit'),
    row('Age above it, slow clock', { date: date(-10), expires: date(10), age: '25' }, 'run'),
    row('Age above it, fast clock', { date: date(10), expires: date(20), age: '15' }, 'run'),
    ...each(
      'Expires',
      [
        ['Tue, 19 Jan 2038 14:14:08 GMT', 'hit'],
        ['Sun, 21 Nov 2286 04:46:39 GMT', 'hit'],
        ['Thursday, 18-Aug-50 02:01:18 GMT', 'hit'],
        ['Thu Aug  8 02:01:18 2050', 'hit'],
        ['THU, 18 Aug 2050 02:01:18 GMT', 'hit'],
        ['Thu, 18 AUG 2050 02:01:18 GMT', 'hit'],
        ['Thu, 18 Aug 2050 02:01:18 gMT', 'hit'],
        ['Thu, 18 Aug 2050 02:01:18 UTC', 'run'],
        ['Thu, 18 Aug 2050 02:01:18 AEST', 'run'],
        ['Thu, 18 Aug 50 02:01:18 GMT', 'run'],
        ['Thu 18 Aug 2050 02:01:18 GMT', 'run'],
        ['Thu, 18  Aug  2050 02:01:18 GMT', 'run'],
        ['Thu, 18-Aug-2050 02:01:18 GMT', 'run'],
        ['Thu, 18 Aug 2050 02.01.18 GMT', 'run'],
        ['Thu, 18 Aug 2050 2:01:18 GMT', 'run'],
        [['Thu, 18 Aug 2050 02:01:18 GMT', 'Thu, 18 Aug 2050 02:01:19 GMT'], 'run'],
      ],
      (expires) => ({ expires, date: date(0) }),
    ),
  ],

  'lifetime by guess': [
    ...[200, 203, 204, 404, 405, 410, 414, 501].map((status) =>
      row(`${status}`, { 'last-modified': date(-86_400), date: date(0) }, 'hit', {
        status,
        safe: 'run',
      }),
    ),
    ...[201, 202, 403, 502, 503, 504, 599].map((status) =>
      row(`never ${status}`, { 'last-modified': date(-86_400), date: date(0) }, 'run', {
        status,
        next: status,
      }),
    ),
    row(
      '599 that says public',
      cc('public', { 'last-modified': date(-86_400), date: date(0) }),
      'hit',
      { status: 599, safe: 'run' },
    ),
    ...[5, 10, 30].map((seconds) =>
      row(
        `not from ${seconds} s`,
        { 'last-modified': date(-seconds), date: date(0) },
        'validated',
        {
          safe: 'run',
        },
      ),
    ),
    ...[60, 300, 600, 1200, 1800, 3600, 43_200, 86_400].map((seconds) =>
      row(`from ${seconds} s`, { 'last-modified': date(-seconds), date: date(0) }, 'hit', {
        safe: 'run',
      }),
    ),
    row('not past a tenth', { 'last-modified': date(-60), date: date(0) }, 'validated', {
      wait: 6,
      safe: 'run',
    }),
    row('not with a broken Expires', { 'last-modified': date(-86_400), expires: '0' }, 'validated'),
    row(
      'an attachment as anything else',
      { 'last-modified': date(-100_000), date: date(0), 'content-disposition': 'attachment' },
      'hit',
      { safe: 'run' },
    ),
    row(
      'Pragma in a response says nothing',
      { 'last-modified': date(-10_000), date: date(0), pragma: 'no-cache' },
      'hit',
      { safe: 'run' },
    ),
  ],

  'directives of a response': [
    row('private', cc('private, max-age=3600'), 'run'),
    row('no-store', cc('no-store'), 'run'),
    row('no-store in any case', cc('max-age=3600, No-StOrE'), 'run'),
    row(
      'no-store beside lifetimes',
      cc('max-age=10000, no-store', { expires: date(10_000), date: date(0) }),
      'run',
    ),
    row('no-cache', cc('max-age=10000, no-cache', { expires: date(10_000), date: date(0) }), 'run'),
    row('no-cache in any case', cc('max-age=10000, No-CaChE', { date: date(0) }), 'run'),
    row('no-cache with an ETag', cc('no-cache', { etag: '"a"' }), 'validated'),
    row(
      'no-cache with a lifetime and an ETag',
      cc('max-age=10000, no-cache', { etag: '"a"' }),
      'validated',
    ),
    row('no-cache for a field is no-cache', cc('no-cache="a", max-age=3600', { a: '1' }), 'run'),
    row(
      'must-revalidate while fresh',
      cc('max-age=10000, must-revalidate', { etag: '"a"' }),
      'hit',
    ),
    row(
      'must-revalidate once stale',
      cc('max-age=2, must-revalidate', { etag: '"a"' }),
      'validated',
    ),
    row('immutable once stale', cc('max-age=2, immutable', { etag: '"a"' }), 'validated'),
    row('must-understand lifts no-store', cc('max-age=3600, no-store, must-understand'), 'hit'),
    row(
      'but not of a status that is not understood',
      cc('max-age=3600, no-store, must-understand'),
      'run',
      { status: 599 },
    ),
    row('and forbids what is not understood', cc('max-age=3600, must-understand'), 'run', {
      status: 599,
    }),
    row('Pragma says nothing beside a lifetime', cc(HOUR, { pragma: 'no-cache' }), 'hit'),
    row('nor does an unknown one', cc(HOUR, { pragma: 'unknown' }), 'hit'),
    row('an attachment is stored', cc(HOUR, { 'content-disposition': 'attachment' }), 'hit'),
    row('Set-Cookie', cc(HOUR, { 'set-cookie': 'a=b' }), 'hit', { safe: 'run' }),
    row('Set-Cookie twice', cc(HOUR, { 'set-cookie': ['a=b', 'c=d'] }), 'hit', { safe: 'run' }),
  ],

  'directives of a request': [
    row('max-age=0', cc(HOUR), 'run', { again: cc('max-age=0'), safe: 'hit' }),
    row('max-age=0 in the same instant', cc(HOUR), 'run', {
      again: cc('max-age=0'),
      wait: 0,
      safe: 'hit',
    }),
    row('max-age below its age', cc(HOUR), 'run', { again: cc('max-age=1'), safe: 'hit' }),
    row('max-age above its age', cc(HOUR), 'hit', { again: cc('max-age=4') }),
    row('max-age below its Age', cc(HOUR, { age: '1800' }), 'run', {
      again: cc('max-age=600'),
      safe: 'hit',
    }),
    row('max-age that is no number', cc(HOUR), 'run', { again: cc('max-age=x'), safe: 'hit' }),
    row('max-stale', cc('max-age=2'), 'stale', { again: cc('max-stale=1000'), safe: 'run' }),
    row('max-stale without a number', cc('max-age=2'), 'stale', {
      again: cc('max-stale'),
      safe: 'run',
    }),
    row('max-stale that is too short', cc('max-age=2'), 'run', {
      again: cc('max-stale=1'),
      wait: 10,
    }),
    row('max-stale and Age', cc('max-age=1500', { age: '2000' }), 'stale', {
      again: cc('max-stale=1000'),
      safe: 'run',
    }),
    row('max-stale against must-revalidate', cc('max-age=2, must-revalidate'), 'run', {
      again: cc('max-stale=1000'),
    }),
    row('max-stale against s-maxage', cc('s-maxage=2'), 'run', { again: cc('max-stale=1000') }),
    row('min-fresh above its lifetime', cc('max-age=1500'), 'run', {
      again: cc('min-fresh=2000'),
      safe: 'hit',
    }),
    row('min-fresh above what is left', cc('max-age=1500', { age: '1000' }), 'run', {
      again: cc('min-fresh=1000'),
      safe: 'hit',
    }),
    row('min-fresh below what is left', cc('max-age=1500'), 'hit', { again: cc('min-fresh=1000') }),
    row('no-cache', cc(HOUR), 'run', { again: cc('no-cache') }),
    row('no-cache in a list', cc(HOUR), 'run', { again: cc('max-age=0, No-Cache') }),
    row('no-cache with Last-Modified', cc(HOUR, { 'last-modified': date(-10_000) }), 'validated', {
      again: cc('no-cache'),
      safe: 'run',
    }),
    row('no-cache with ETag', cc(HOUR, { etag: '"a"' }), 'validated', {
      again: cc('no-cache'),
      safe: 'run',
    }),
    row('no-store', cc(HOUR), 'run', { again: cc('no-store') }),
    row('only-if-cached with a hit', cc(HOUR), 'hit', { again: cc('only-if-cached') }),
    row('only-if-cached without', cc('no-store'), 'gateway-timeout', {
      again: cc('only-if-cached'),
      safe: 'run',
    }),
    row('only-if-cached once stale', cc('max-age=2'), 'gateway-timeout', {
      again: cc('only-if-cached'),
      safe: 'run',
    }),
    row('Pragma', cc(HOUR), 'hit', { again: { pragma: 'no-cache' } }),
    row('unknown Pragma', cc(HOUR), 'hit', { again: { pragma: 'unknown' } }),
    row('no-store keeps its answer out', cc(HOUR), 'run', { request: cc('no-store') }),
  ],

  credentials: [
    row('Authorization, then none', cc('max-age=3600'), 'run', {
      request: { authorization: 'FOO' },
    }),
    row('Authorization and public', cc('max-age=3600, public'), 'hit', {
      request: { authorization: 'FOO' },
    }),
    row('Authorization and must-revalidate', cc('max-age=3600, must-revalidate'), 'hit', {
      request: { authorization: 'FOO' },
    }),
    row('Authorization and s-maxage', cc('s-maxage=3600'), 'hit', {
      request: { authorization: 'FOO' },
    }),
    row('Authorization and proxy-revalidate', cc('max-age=3600, proxy-revalidate'), 'run', {
      request: { authorization: 'FOO' },
    }),
    row('Authorization and Expires', { expires: date(3600) }, 'run', {
      request: { authorization: 'FOO' },
    }),
    row('none, then Authorization', cc(HOUR), 'hit', {
      again: { authorization: 'FOO' },
      safe: 'run',
    }),
    row('none, then Authorization, public', cc('max-age=3600, public'), 'hit', {
      again: { authorization: 'FOO' },
    }),
    row('one Authorization, then another, public', cc('max-age=3600, public'), 'hit', {
      request: { authorization: 'FOO' },
      again: { authorization: 'BAR' },
    }),
    row('Cookie, then none', cc(HOUR), 'hit', { request: { cookie: 'a=b' }, safe: 'run' }),
    row('none, then Cookie', cc(HOUR), 'hit', { again: { cookie: 'a=b' }, safe: 'run' }),
    row('one Cookie, then another', cc(HOUR), 'hit', {
      request: { cookie: 'a=b' },
      again: { cookie: 'a=c' },
      safe: 'run',
    }),
    row('Cookie and public', cc('max-age=3600, public'), 'hit', {
      request: { cookie: 'a=b' },
      again: { cookie: 'a=c' },
    }),
    row('Cookie and s-maxage', cc('s-maxage=3600'), 'hit', {
      request: { cookie: 'a=b' },
      safe: 'run',
    }),
    row('Cookie beside a public Authorization', cc('s-maxage=3600'), 'hit', {
      request: { cookie: 'a=b', authorization: 'FOO' },
      safe: 'run',
    }),
  ],

  'targeted fields': [
    ...each(
      'CDN-Cache-Control',
      [
        ['max-age=3600', 'hit'],
        ['max-age=2147483648', 'hit'],
        ['max-age=99999999999', 'hit'],
        ['max-age=0', 'run'],
        ['foobar, max-age=3600', 'hit'],
        ['MaX-aGe=3600', 'run'],
        ['max-age=1', 'run'],
        ['no-store', 'run'],
        ['private', 'run'],
      ],
      (value) => ({ 'cdn-cache-control': value }),
    ),
    row('Age above it', { date: date(0), 'cdn-cache-control': HOUR, age: '7200' }, 'run'),
    row('a blank before =', cc('max-age=1', { 'cdn-cache-control': 'max-age =100' }), 'run'),
    row('a blank after =', cc('max-age=1', { 'cdn-cache-control': 'max-age= 100' }), 'run'),
    row(
      'beats a past Expires',
      { 'cdn-cache-control': HOUR, expires: date(-10_000), date: date(0) },
      'hit',
    ),
    row(
      'beats a broken Expires',
      { 'cdn-cache-control': HOUR, expires: '0', date: date(0) },
      'hit',
    ),
    row(
      '0 beats a future Expires',
      { 'cdn-cache-control': 'max-age=0', expires: date(10_000), date: date(0) },
      'run',
    ),
    row(
      'without a lifetime hides Expires',
      { 'cdn-cache-control': 'foobar', expires: date(10_000) },
      'run',
    ),
    row('long beats short', cc('max-age=1', { 'cdn-cache-control': HOUR }), 'hit'),
    row('short beats long', cc(HOUR, { 'cdn-cache-control': 'max-age=1' }), 'run'),
    row(
      'private beats all',
      cc(HOUR, { 'cdn-cache-control': 'private', expires: date(10_000) }),
      'run',
    ),
    row(
      'no-cache beats all',
      cc(HOUR, { 'cdn-cache-control': 'no-cache', expires: date(10_000) }),
      'run',
    ),
    row(
      'no-store beats all',
      cc(HOUR, { 'cdn-cache-control': 'no-store', expires: date(10_000) }),
      'run',
    ),
    row('beats no-store', cc('no-store', { 'cdn-cache-control': 'max-age=10000' }), 'hit'),
    row('beats private', cc('private', { 'cdn-cache-control': 'max-age=10000' }), 'hit'),
    row(
      'unknown kind of value',
      cc('no-store', { 'cdn-cache-control': 'max-age=10000, &&&&&' }),
      'run',
    ),
    row('wrong kind of value', cc('no-store', { 'cdn-cache-control': 'max-age="10000"' }), 'run'),
    row('broken, so Cache-Control holds', cc(HOUR, { 'cdn-cache-control': 'max-age="1"' }), 'hit'),
    row('broken private', cc(HOUR, { 'cdn-cache-control': 'Private' }), 'run'),
    row('broken no-store', cc(HOUR, { 'cdn-cache-control': 'max-age=5;, no-store' }), 'run'),
    row(
      'the own field beats the general one',
      { 'cachewell-cache-control': 'max-age=1', 'cdn-cache-control': HOUR },
      'run',
    ),
  ],

  variants: [
    ...(
      [
        ['the same', 'Foo', { foo: '1' }, { foo: '1' }, 'hit'],
        ['another value', 'Foo', { foo: '1' }, { foo: '2' }, 'run'],
        ['none before', 'Foo', {}, { foo: '1' }, 'run'],
        ['none now', 'Foo', { foo: '1' }, {}, 'run'],
        [
          'a field that does not select',
          'Foo',
          { foo: '1', other: '2' },
          { foo: '1', other: '3' },
          'hit',
        ],
        ['two, the same', 'Foo, Bar', { foo: '1', bar: 'a' }, { foo: '1', bar: 'a' }, 'hit'],
        ['two, one differs', 'Foo, Bar', { foo: '1', bar: 'a' }, { foo: '2', bar: 'a' }, 'run'],
        ['two, both gone', 'Foo, Bar', { foo: '1', bar: 'a' }, {}, 'run'],
        [
          'three, the same',
          'Foo, Bar, Baz',
          { foo: '1', bar: 'a', baz: 'b' },
          { foo: '1', bar: 'a', baz: 'b' },
          'hit',
        ],
        [
          'three, one differs',
          'Foo, Bar, Baz',
          { foo: '1', bar: 'a', baz: 'b' },
          { foo: '2', bar: 'a', baz: 'b' },
          'run',
        ],
        [
          'three, one longer',
          'Foo, Bar, Baz',
          { foo: '1', bar: 'a', baz: 'b' },
          { foo: '1', bar: 'ab', baz: 'b' },
          'run',
        ],
        [
          'three, one in neither',
          'Foo, Bar, Baz',
          { foo: '1', baz: 'b' },
          { foo: '1', baz: 'b' },
          'hit',
        ],
        ['lines joined', 'Foo', { foo: '1, 2' }, { foo: ['1', '2'] }, 'hit'],
        ['blanks', 'Foo', { foo: '1,2' }, { foo: ' 1, 2 ' }, 'hit'],
        [
          'languages in another order',
          'Accept-Language',
          { 'accept-language': 'en, de' },
          { 'accept-language': 'de, en' },
          'hit',
        ],
        [
          'languages in another case',
          'Accept-Language',
          { 'accept-language': 'en, de' },
          { 'accept-language': 'eN, De' },
          'hit',
        ],
        [
          'languages with blanks',
          'Accept-Language',
          { 'accept-language': 'en, de' },
          { 'accept-language': ' en ,   de' },
          'hit',
        ],
        ['star', '*', { foo: '1' }, { foo: '1' }, 'run'],
        ['star twice', '*, *', { foo: '1' }, { foo: '1' }, 'run'],
        ['star in two lines', ['*', '*'], { foo: '1' }, { foo: '1' }, 'run'],
        ['star after nothing', ', *', { foo: '1' }, { foo: '1' }, 'run'],
        ['star after an empty line', ['', '*'], { foo: '1' }, { foo: '1' }, 'run'],
        ['star and a name', '*, Foo', { foo: '1' }, { foo: '1' }, 'run'],
        ['a name and star', 'Foo, *', { foo: '1' }, { foo: '1' }, 'run'],
      ] as const
    ).map(([asks, vary, request, again, is]) =>
      row(asks, cc('max-age=5000', { vary }), is, { request, again }),
    ),
    row(
      'the language that is liked best',
      cc('max-age=5000', { vary: 'Accept-Language', 'content-language': 'de' }),
      'hit',
      {
        request: { 'accept-language': 'en, de' },
        again: { 'accept-language': 'fr;q=0.5, de;q=1.0' },
      },
    ),
    row(
      'the variant that is validated',
      { expires: date(1), date: date(0), etag: '"a"', vary: 'Abc' },
      'validated',
      {
        request: { abc: '123' },
        again: { abc: '123' },
      },
    ),
  ],

  statuses: [
    200, 203, 204, 299, 301, 302, 303, 307, 308, 400, 404, 410, 499, 500, 502, 503, 504, 599,
  ].flatMap((status) => [
    row(`${status} while fresh`, cc('max-age=100000', { date: date(0) }), 'hit', {
      status,
      safe: status === 200 ? 'hit' : 'run',
    }),
    row(
      `${status} that was stale at once`,
      { expires: date(-5000), 'last-modified': date(-100_000), date: date(0) },
      status === 200 ? 'validated' : 'run',
      { status, ...(status === 200 ? {} : { next: status, safe: 'run' as const }) },
    ),
  ]),

  validation: [
    row('by Last-Modified', cc('max-age=2', { 'last-modified': date(-3000) }), 'validated'),
    row('by a strong ETag', cc('max-age=2', { etag: '"a"' }), 'validated'),
    row('by a weak ETag', cc('max-age=2', { etag: 'W/"a"' }), 'validated'),
    row('by an ETag without quotes', cc('max-age=2', { etag: 'a' }), 'validated'),
    row('by nothing', cc('max-age=2'), 'run'),
    row('fails when it changed', cc('max-age=2', { etag: '"a"' }), 'run', {
      next: { etag: '"b"' },
    }),
  ],

  stale: [
    row('when the handler dies', cc('max-age=2'), 'instead', { next: 'dies' }),
    row('when it answers 503', cc('max-age=2'), 'instead', { next: 503 }),
    row('not when it answers 404', cc('max-age=2'), 'run', { next: 404 }),
    row('stale-if-error, dies', cc('max-age=2, stale-if-error=60'), 'instead', { next: 'dies' }),
    row('stale-if-error, 503', cc('max-age=2, stale-if-error=60'), 'instead', { next: 503 }),
    row('stale-if-error is over', cc('max-age=2, stale-if-error=1'), 'error', {
      next: 'dies',
      wait: 10,
    }),
    row('stale-if-error=0', cc('max-age=2, stale-if-error=0'), 'error', { next: 'dies' }),
    row('a minute and no more in safe', cc('max-age=2'), 'instead', {
      next: 'dies',
      wait: 62,
      safe: 'error',
    }),
    row('must-revalidate', cc('max-age=2, must-revalidate'), 'error', { next: 'dies' }),
    row('proxy-revalidate', cc('max-age=2, proxy-revalidate'), 'error', { next: 'dies' }),
    row('no-cache', cc('max-age=2, no-cache', { etag: '"a"' }), 'error', { next: 'dies' }),
    row('s-maxage', cc('max-age=2, s-maxage=2'), 'error', { next: 'dies' }),
    row('s-maxage against stale-if-error', cc('s-maxage=2, stale-if-error=60'), 'error', {
      next: 'dies',
    }),
    row(
      'while it is refreshed',
      cc('max-age=1, stale-while-revalidate=3600', { etag: '"a"' }),
      'stale',
    ),
    row(
      'not beyond the window',
      cc('max-age=1, stale-while-revalidate=4', { etag: '"a"' }),
      'validated',
      { wait: 6 },
    ),
    row(
      'not against must-revalidate',
      cc('max-age=1, stale-while-revalidate=3600, must-revalidate'),
      'run',
    ),
    row('not against s-maxage', cc('s-maxage=1, stale-while-revalidate=3600'), 'run'),
  ],

  parts: [
    row('206 for the same range', cc(HOUR, { 'content-range': 'bytes 4-9/10' }), 'hit', {
      status: 206,
      request: { range: 'bytes=-5' },
      again: { range: 'bytes=-5' },
      safe: 'run',
    }),
    row('206 for another range', cc(HOUR, { 'content-range': 'bytes 4-9/10' }), 'run', {
      status: 206,
      request: { range: 'bytes=-5' },
      again: { range: 'bytes=6-8' },
    }),
    row('206 for all', cc(HOUR, { 'content-range': 'bytes 0-4/10' }), 'run', {
      status: 206,
      request: { range: 'bytes=-5' },
    }),
    row(
      '206 for the same range under a condition',
      cc(HOUR, { 'content-range': 'bytes 4-9/10' }),
      'run',
      {
        status: 206,
        request: { range: 'bytes=-5' },
        again: { range: 'bytes=-5', 'if-range': '"a"' },
      },
    ),
    row('206 that nobody asked for', cc(HOUR, { 'content-range': 'bytes 0-4/10' }), 'run', {
      status: 206,
    }),
    row('206 without its range', cc(HOUR), 'run', {
      status: 206,
      request: { range: 'bytes=0-4' },
      again: { range: 'bytes=0-4' },
    }),
    row('200 for a range', cc(HOUR), 'hit', { again: { range: 'bytes=0-1' } }),
    row('200 to a range for all', cc(HOUR), 'hit', { request: { range: 'bytes=0-1' } }),
  ],

  methods: [
    row('POST that names its own URL', cc(HOUR, { 'content-location': '/a' }), 'hit', {
      method: 'POST',
      safe: 'run',
    }),
    row('POST that made what it names', cc(HOUR, { 'content-location': '/a' }), 'run', {
      method: 'POST',
      status: 201,
    }),
    row('POST that names another', cc(HOUR, { 'content-location': '/b' }), 'run', {
      method: 'POST',
    }),
    row('POST that names another host', cc(HOUR, { 'content-location': '//other/a' }), 'run', {
      method: 'POST',
    }),
    row(
      'POST without a lifetime',
      { 'content-location': '/a', 'last-modified': date(-86_400) },
      'run',
      { method: 'POST' },
    ),
    row('POST that names none', cc(HOUR), 'run', { method: 'POST' }),
    row('PUT that names its own URL', cc(HOUR, { 'content-location': '/a' }), 'run', {
      method: 'PUT',
    }),
    row('HEAD is not stored', cc(HOUR), 'run', { method: 'HEAD' }),
    row('lower-case get is no GET', cc(HOUR), 'run', { method: 'get' }),
    row('GET with a body', cc(HOUR), 'run', { request: { 'content-length': '3' } }),
    row('GET with a chunked body', cc(HOUR), 'run', {
      request: { 'transfer-encoding': 'chunked' },
    }),
    row('GET with an empty body', cc(HOUR), 'hit', { request: { 'content-length': '0' } }),
    row('If-Match', cc(HOUR), 'run', { again: { 'if-match': '"a"' } }),
    row('If-Unmodified-Since', cc(HOUR), 'run', { again: { 'if-unmodified-since': date(0) } }),
  ],
};

describe('A shared cache', () => {
  for (const profile of ['rfc9111', 'safe'] as const) {
    describe(`of profile ${profile}`, () => {
      for (const [group, rows] of Object.entries(GROUPS)) {
        describe(group, () => {
          for (const each of rows) {
            const expected = profile === 'safe' ? (each.safe ?? each.is) : each.is;
            it(`${each.asks} → ${expected}`, () => {
              expect(play(each, new HttpCachePolicy({ profile }))).to.equal(expected);
            });
          }
        });
      }
    });
  }

  /** The second answer of a row. */
  function play(each: Row, policy: HttpCachePolicy): Verdict {
    const cache = new ReplayCache(policy);
    const { method = 'GET', request = {}, reply, status = 200, again = {}, next, wait = 3 } = each;
    const first = { status, headers: reply };
    expect(cache.ask({ method, headers: request }, first, T0).verdict).to.equal('run');
    const second =
      next === undefined
        ? { status: 200, headers: reply }
        : next === 'dies'
          ? next
          : typeof next === 'number'
            ? { status: next, headers: {} }
            : { status: 200, headers: next };
    return cache.ask({ method: 'GET', headers: again }, second, T0 + wait * 1000).verdict;
  }
});
