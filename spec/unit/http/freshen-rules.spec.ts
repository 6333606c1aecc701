import { expect } from 'chai';
import type { FreshenDecision } from '#internal/http/cache-decision.js';
import { HttpCachePolicy } from '#internal/http/http-cache-policy.js';
import type { FieldMap, RequestHead, StoredResponse } from '#internal/http/http-message.js';
import type { HttpCachePolicyOptions } from '#internal/http/policy-options.js';
import { flatValues } from '#internal/http/end-to-end-fields.js';
import { readStored } from '#internal/http/read-stored.js';
import { AT_T0, at, date, get, head, T0 } from '../../support/http-messages.js';

const LATER = T0 + 3000;
const RFC = { profile: 'rfc9111' } as const;

/** A record that the policy made of these fields three seconds ago. */
function stored(
  fields: FieldMap,
  options: HttpCachePolicyOptions = RFC,
  request: FieldMap = {},
): StoredResponse {
  const policy = new HttpCachePolicy(options);
  const decision = policy.storage(
    policy.request(get(request)),
    { status: 200, headers: fields },
    AT_T0,
  );
  if (!decision.store) throw new RangeError(decision.reason);
  return { ...decision.head, body: Buffer.from('0123456789') };
}

function freshen(
  record: StoredResponse,
  fields: FieldMap,
  options: HttpCachePolicyOptions = RFC,
  request: RequestHead = get(),
  status = 304,
): FreshenDecision {
  const policy = new HttpCachePolicy(options);
  return policy.freshen(record, policy.request(request), { status, headers: fields }, at(LATER));
}

function updated(
  ...args: Parameters<typeof freshen>
): Extract<FreshenDecision, { kind: 'updated' }> {
  const decision = freshen(...args);
  if (decision.kind !== 'updated') throw new RangeError(decision.kind);
  expect(readStored(decision.stored)).to.equal(decision.stored);
  return decision;
}

const BASE = { 'cache-control': 'max-age=2', etag: '"a"', date: date(0) };

describe('HttpCachePolicy#freshen', () => {
  describe('with a 304', () => {
    it('keeps what it does not mention, the body among it', () => {
      const record = stored({ ...BASE, 'test-header': 'A' });
      const { stored: fresh } = updated(record, { etag: '"a"' });
      expect(flatValues(fresh.headers, 'test-header')).to.deep.equal(['A']);
      expect(fresh.body).to.equal(record.body);
      expect(fresh.respondedAt).to.equal(LATER);
    });

    const TAKEN = [
      'Test-Header',
      'X-Test-Header',
      'Content-Foo',
      'Content-Location',
      'Content-MD5',
      'Content-Security-Policy',
      'Clear-Site-Data',
      'Set-Cookie',
      'Set-Cookie2',
      'Public-Key-Pins',
      'X-Frame-Options',
      'X-XSS-Protection',
      'Content-Language',
    ];
    for (const name of TAKEN) {
      it(`takes its ${name}`, () => {
        const lower = name.toLowerCase();
        const { stored: fresh } = updated(stored({ ...BASE, [lower]: 'A' }), {
          etag: '"a"',
          [lower]: 'B',
        });
        expect(flatValues(fresh.headers, lower)).to.deep.equal(['B']);
      });
    }

    for (const name of ['content-length', 'content-encoding', 'content-range', 'content-type']) {
      it(`keeps the stored ${name}, which describes the stored body`, () => {
        const value = name === 'content-length' ? '10' : 'A';
        const { stored: fresh } = updated(stored({ ...BASE, [name]: value }), {
          etag: '"a"',
          [name]: '7',
        });
        expect(flatValues(fresh.headers, name)).to.deep.equal([value]);
        const without = updated(stored(BASE), { etag: '"a"', [name]: '7' });
        expect(flatValues(without.stored.headers, name)).to.deep.equal([]);
      });
    }

    it('leaves every field in its place, lists for lists, and adds the new ones', () => {
      const record = stored({
        'x-a': ['1', '2'],
        'cache-control': 'max-age=2',
        'x-b': '3',
        date: date(0),
      });
      const { stored: fresh } = updated(record, {
        'x-new': '9',
        'x-a': ['4', '5', '6'],
        date: date(3),
      });
      expect(fresh.headers).to.deep.equal([
        ...['x-a', '4', 'x-a', '5', 'x-a', '6', 'cache-control', 'max-age=2', 'x-b', '3'],
        ...['date', date(3), 'x-new', '9'],
      ]);
    });

    it('does not change the record that it was given', () => {
      const record = stored(BASE);
      const before = structuredClone(record);
      updated(record, { etag: '"a"', 'x-new': '1' });
      expect(structuredClone(record)).to.deep.equal(before);
    });

    it('takes the new lifetime, and the age from the new Date', () => {
      const { stored: fresh, freshForMs } = updated(stored(BASE), {
        etag: '"a"',
        'cache-control': 'max-age=3600',
        date: date(3),
      });
      expect([fresh.freshMs, fresh.initialAgeMs, freshForMs]).to.deep.equal([
        3_600_000, 0, 3_600_000,
      ]);
    });

    it('is dated anew where it has no Date, so that it does not seem as old as the first', () => {
      const { stored: fresh } = updated(stored(BASE), { etag: '"a"' });
      expect(flatValues(fresh.headers, 'date')).to.deep.equal([date(3)]);
      expect(fresh.initialAgeMs).to.equal(0);
    });

    it('forgets the old Age and takes the new one', () => {
      const record = stored({ ...BASE, 'cache-control': 'max-age=60', age: '50' });
      expect(updated(record, { etag: '"a"' }).stored.initialAgeMs).to.equal(0);
      const { stored: fresh } = updated(record, { etag: '"a"', age: '7' });
      expect(fresh.initialAgeMs).to.equal(7000);
      expect(flatValues(fresh.headers, 'age')).to.deep.equal([]);
    });

    it('gives the route ttl once more', () => {
      const options = { ttl: '1m' } as const;
      const { freshForMs } = updated(stored({ etag: '"a"' }, options), { etag: '"a"' }, options);
      expect(freshForMs).to.equal(60_000);
    });

    it('follows a Vary that it brings', () => {
      const { stored: fresh } = updated(
        stored(BASE),
        { etag: '"a"', vary: 'Foo' },
        RFC,
        get({ foo: '1' }),
      );
      expect([fresh.vary, fresh.selecting]).to.deep.equal([['foo'], ['=1']]);
    });

    it('names the groups of the merged fields', () => {
      const record = stored({ ...BASE, 'surrogate-key': 'a' });
      expect(updated(record, { etag: '"a"' }).groups).to.deep.equal(['a']);
      expect(updated(record, { etag: '"a"', 'surrogate-key': 'b' }).groups).to.deep.equal(['b']);
    });

    for (const [text, reason] of [
      ['no-store', 'no-store'],
      ['private', 'private'],
      ['max-age=5; PRIVATE', 'private'],
    ] as const) {
      it(`is the last use where it says ${text}`, () => {
        const decision = freshen(stored(BASE), { etag: '"a"', 'cache-control': text });
        expect(decision).to.include({ kind: 'last-use', reason });
      });
    }

    it('is the last use where it sets a cookie in safe', () => {
      const decision = freshen(stored(BASE, {}), { etag: '"a"', 'set-cookie': 'a=b' }, {});
      expect(decision).to.include({ kind: 'last-use', reason: 'set-cookie' });
    });

    it('is the last use where the request has credentials and nothing allows to share', () => {
      const request = get({ authorization: 'x' });
      expect(freshen(stored(BASE), { etag: '"a"' }, RFC, request)).to.include({
        kind: 'last-use',
        reason: 'authorization',
      });
    });

    const VALIDATORS: readonly (readonly [string, FieldMap, FieldMap, FreshenDecision['kind']])[] =
      [
        ['none in either', {}, {}, 'updated'],
        ['none in the answer', { etag: '"a"' }, {}, 'updated'],
        ['the same tag', { etag: '"a"' }, { etag: '"a"' }, 'updated'],
        ['another tag', { etag: '"a"' }, { etag: '"b"' }, 'mismatch'],
        ['a weak twin', { etag: '"a"' }, { etag: 'W/"a"' }, 'updated'],
        ['another weak tag', { etag: 'W/"a"' }, { etag: 'W/"b"' }, 'mismatch'],
        [
          'a strong tag where none is stored',
          { 'last-modified': date(-9) },
          { etag: '"b"' },
          'mismatch',
        ],
        ['the same date', { 'last-modified': date(-9) }, { 'last-modified': date(-9) }, 'updated'],
        ['another date', { 'last-modified': date(-9) }, { 'last-modified': date(-8) }, 'mismatch'],
        ['a date where none is stored', { etag: '"a"' }, { 'last-modified': date(-8) }, 'updated'],
        [
          'the same tag and another date',
          { etag: '"a"', 'last-modified': date(-9) },
          { etag: '"a"', 'last-modified': date(-8) },
          'updated',
        ],
      ];
    for (const [name, old, fields, kind] of VALIDATORS) {
      it(`compares validators: ${name} → ${kind}`, () => {
        expect(freshen(stored({ 'cache-control': 'max-age=2', ...old }), fields).kind).to.equal(
          kind,
        );
      });
    }
  });

  describe('with a 200 to a HEAD', () => {
    const update = (fields: FieldMap, status = 200) =>
      freshen(stored({ ...BASE, 'x-a': '1', 'x-b': '2' }), fields, RFC, head(), status);

    it('takes fields and lifetime, and keeps the rest', () => {
      const decision = update({
        'x-a': '9',
        'cache-control': 'max-age=1000',
        'content-length': '10',
      });
      expect(decision).to.include({ kind: 'updated', freshForMs: 1_000_000 });
      const fields = decision.kind === 'updated' ? decision.stored.headers : [];
      expect(flatValues(fields, 'x-a').concat(flatValues(fields, 'x-b'))).to.deep.equal(['9', '2']);
    });

    it('is about another body where its length differs', () => {
      expect(update({ 'content-length': '11' }).kind).to.equal('mismatch');
    });

    it('is about another body where its tag differs', () => {
      expect(update({ etag: '"b"' }).kind).to.equal('mismatch');
    });

    for (const status of [204, 410, 500]) {
      it(`says nothing with ${status}`, () => expect(update({}, status).kind).to.equal('mismatch'));
    }
  });

  it('takes a 200 to a GET for a new response', () => {
    expect(freshen(stored(BASE), { etag: '"a"' }, RFC, get(), 200).kind).to.equal('mismatch');
  });
});
