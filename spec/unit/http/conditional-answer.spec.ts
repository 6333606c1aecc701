import { expect } from 'chai';
import type { ConditionalAnswer } from '#internal/http/cache-decision.js';
import { notModifiedFields } from '#internal/http/conditional-answer.js';
import { HttpCachePolicy } from '#internal/http/http-cache-policy.js';
import type { FieldMap, StoredHead } from '#internal/http/http-message.js';
import { date, stored } from '../../support/http-messages.js';

const policy = new HttpCachePolicy();

/** What a GET with these fields gets of a ten byte body. */
function answer(
  fields: readonly string[],
  request: FieldMap,
  parts: Partial<StoredHead> = {},
  method = 'GET',
): ConditionalAnswer {
  return policy.conditional(stored({ headers: fields, ...parts }), { method, headers: request });
}

const TAG = ['ETag', '"a"'];
const MODIFIED = ['Last-Modified', date(-3000), 'Date', date(0)];

describe('HttpCachePolicy#conditional', () => {
  it('sends all of it to a plain request, without making an object', () => {
    expect(answer([], {})).to.deep.equal({ kind: 'full' });
    expect(answer([], {})).to.equal(answer(TAG, {}));
  });

  const CONDITIONS: readonly (readonly [
    string,
    readonly string[],
    FieldMap,
    ConditionalAnswer['kind'],
  ])[] = [
    ['the tag', TAG, { 'if-none-match': '"a"' }, 'not-modified'],
    ['the tag in a list', TAG, { 'if-none-match': '"x", "a"' }, 'not-modified'],
    ['the tag in two lines', TAG, { 'if-none-match': ['"x"', '"a"'] }, 'not-modified'],
    ['the weak tag', ['etag', 'W/"a"'], { 'if-none-match': '"a"' }, 'not-modified'],
    ['another tag', TAG, { 'if-none-match': '"b"' }, 'full'],
    ['any tag', [], { 'if-none-match': '*' }, 'not-modified'],
    ['a tag where none is', [], { 'if-none-match': '"a"' }, 'full'],
    [
      'the tag, though changed since',
      [...TAG, ...MODIFIED],
      { 'if-none-match': '"a"', 'if-modified-since': date(-10_000) },
      'not-modified',
    ],
    [
      'another tag, though not changed since',
      [...TAG, ...MODIFIED],
      { 'if-none-match': '"b"', 'if-modified-since': date(0) },
      'full',
    ],
    ['the date', MODIFIED, { 'if-modified-since': date(-3000) }, 'not-modified'],
    ['a later date', MODIFIED, { 'if-modified-since': date(-2000) }, 'not-modified'],
    ['an earlier date', MODIFIED, { 'if-modified-since': date(-3001) }, 'full'],
    [
      'a date of the old form',
      ['Last-Modified', 'Sunday, 06-Nov-94 08:49:37 GMT'],
      { 'if-modified-since': 'Sun, 06 Nov 1994 08:49:37 GMT' },
      'not-modified',
    ],
    ['no date', MODIFIED, { 'if-modified-since': 'yesterday' }, 'full'],
    ['two dates', MODIFIED, { 'if-modified-since': [date(0), date(0)] }, 'full'],
    [
      'a date before its Date, where it has no other',
      ['Date', date(0)],
      { 'if-modified-since': date(-1) },
      'full',
    ],
    [
      'its Date, where it has no other',
      ['Date', date(0)],
      { 'if-modified-since': date(0) },
      'not-modified',
    ],
    ['a date where it has none', [], { 'if-modified-since': date(0) }, 'full'],
  ];
  for (const [name, fields, request, kind] of CONDITIONS) {
    it(`answers ${name}: ${kind}`, () => expect(answer(fields, request).kind).to.equal(kind));
    it(`answers a HEAD with ${name} alike`, () => {
      expect(answer(fields, request, {}, 'HEAD').kind).to.equal(kind);
    });
  }

  for (const status of [301, 404, 500]) {
    it(`sends a ${status} as it is`, () => {
      const request = { 'if-none-match': '"a"', range: 'bytes=0-1' };
      expect(answer(TAG, request, { status }).kind).to.equal('full');
    });
  }

  const part = (start: number, end: number): ConditionalAnswer => ({
    kind: 'partial',
    start,
    end,
    contentRange: `bytes ${start}-${end - 1}/10`,
  });
  const RANGES: readonly (readonly [string, FieldMap, ConditionalAnswer, (readonly string[])?])[] =
    [
      ['from, to', { range: 'bytes=0-1' }, part(0, 2)],
      ['from', { range: 'bytes=1-' }, part(1, 10)],
      ['the last', { range: 'bytes=-1' }, part(9, 10)],
      ['all', { range: 'bytes=0-' }, part(0, 10)],
      ['several', { range: 'bytes=0-1,3-4' }, { kind: 'full' }],
      ['nonsense', { range: 'bytes=x' }, { kind: 'full' }],
      ['two lines', { range: ['bytes=0-1', 'bytes=0-1'] }, { kind: 'full' }],
      ['outside', { range: 'bytes=10-' }, { kind: 'unsatisfiable', contentRange: 'bytes */10' }],
      [
        'of what it has already',
        { range: 'bytes=0-1', 'if-none-match': '"a"' },
        { kind: 'not-modified' },
        TAG,
      ],
      ['under its tag', { range: 'bytes=0-1', 'if-range': '"a"' }, part(0, 2), TAG],
      ['under another tag', { range: 'bytes=0-1', 'if-range': '"b"' }, { kind: 'full' }, TAG],
      [
        'under another tag, outside',
        { range: 'bytes=99-', 'if-range': '"b"' },
        { kind: 'full' },
        TAG,
      ],
      [
        'under its weak tag',
        { range: 'bytes=0-1', 'if-range': 'W/"a"' },
        { kind: 'full' },
        ['ETag', 'W/"a"'],
      ],
      ['under a tag where none is', { range: 'bytes=0-1', 'if-range': '"a"' }, { kind: 'full' }],
      ['under its date', { range: 'bytes=0-1', 'if-range': date(-3000) }, part(0, 2), MODIFIED],
      [
        'under another date',
        { range: 'bytes=0-1', 'if-range': date(-2999) },
        { kind: 'full' },
        MODIFIED,
      ],
      [
        'under a date that is too young to tell',
        { range: 'bytes=0-1', 'if-range': date(0) },
        { kind: 'full' },
        ['Last-Modified', date(0), 'Date', date(0)],
      ],
      [
        'under nonsense',
        { range: 'bytes=0-1', 'if-range': 'x' },
        { kind: 'full' },
        ['Last-Modified', 'x'],
      ],
    ];
  for (const [name, request, expected, fields = []] of RANGES) {
    it(`answers a range: ${name}`, () => expect(answer(fields, request)).to.deep.equal(expected));
  }

  it('sends a HEAD no part', () => {
    expect(answer([], { range: 'bytes=0-1' }, {}, 'HEAD').kind).to.equal('full');
  });

  it('sends a stored part as it is', () => {
    const request = { range: 'bytes=0-1', 'if-none-match': '"a"' };
    expect(answer(TAG, request, { status: 206 }).kind).to.equal('full');
  });

  it('sends no part of what is not a 200', () => {
    expect(answer([], { range: 'bytes=0-1' }, { status: 203 }).kind).to.equal('full');
  });
});

describe('notModifiedFields', () => {
  it('keeps what a 304 has to carry and what is not about the body', () => {
    const kept = [
      'Cache-Control',
      'a',
      'Content-Location',
      'b',
      'Date',
      'c',
      'ETag',
      'd',
      'Expires',
      'e',
      'Vary',
      'f',
      'Last-Modified',
      'g',
      'Access-Control-Allow-Origin',
      'h',
      'Content-Security-Policy',
      'i',
    ];
    const dropped = [
      'Content-Length',
      '1',
      'content-type',
      'x',
      'Content-Encoding',
      'gzip',
      'CONTENT-LANGUAGE',
      'de',
      'Content-Range',
      'y',
      'Content-MD5',
      'z',
    ];
    expect(notModifiedFields([...dropped, ...kept])).to.deep.equal(kept);
  });
});
