import { expect } from 'chai';
import type { ReuseDecision } from '#internal/http/cache-decision.js';
import { HttpCachePolicy } from '#internal/http/http-cache-policy.js';
import { type FieldMap, StoredFlag, type StoredHead } from '#internal/http/http-message.js';
import type { HttpCachePolicyOptions } from '#internal/http/policy-options.js';
import { date, get, storedHead, T0 } from '../../support/http-messages.js';

function reuse(
  stored: StoredHead,
  ageMs: number,
  request: FieldMap = {},
  options: HttpCachePolicyOptions = {},
): ReuseDecision {
  const policy = new HttpCachePolicy(options);
  return policy.reuse(stored, policy.request(get(request)), T0 + ageMs);
}

const ALL = { respectRequestCacheControl: true, onNoCache: 'refresh' } as const;

describe('HttpCachePolicy#reuse', () => {
  it('is fresh below the lifetime and stale at it', () => {
    expect(reuse(storedHead(), 59_999)).to.deep.equal({ kind: 'fresh' });
    expect(reuse(storedHead(), 60_000)).to.include({ kind: 'revalidate', reason: 'stale' });
  });

  it('counts the age that it came with', () => {
    const stored = storedHead({ initialAgeMs: 59_000 });
    expect(reuse(stored, 999).kind).to.equal('fresh');
    expect(reuse(stored, 1000).kind).to.equal('revalidate');
  });

  it('makes nothing for a plain hit', () => {
    expect(reuse(storedHead(), 0)).to.equal(reuse(storedHead(), 1));
    const stale = storedHead({ staleWhileRevalidateMs: 9000 });
    expect(reuse(stale, 60_000)).to.equal(reuse(stale, 60_001));
  });

  it('is refreshed behind the client inside its window only', () => {
    const stored = storedHead({ staleWhileRevalidateMs: 1000 });
    expect(reuse(stored, 60_999)).to.deep.equal({ kind: 'stale', refresh: true });
    expect(reuse(stored, 61_000).kind).to.equal('revalidate');
  });

  it('may replace an error while fresh, inside its window, and no longer', () => {
    const stored = storedHead({ staleIfErrorMs: 1000 });
    expect(reuse(stored, 60_000)).to.include({ staleIfError: true });
    expect(reuse(stored, 60_999)).to.include({ staleIfError: true });
    expect(reuse(stored, 61_000)).to.include({ staleIfError: false });
    const older = reuse(stored, 5000, { 'cache-control': 'max-age=1' }, ALL);
    expect(older).to.include({ kind: 'revalidate', reason: 'request', staleIfError: true });
  });

  it('is never stale under neverStale, even where a record has windows', () => {
    const parts = {
      flags: StoredFlag.neverStale,
      staleWhileRevalidateMs: 1000,
      staleIfErrorMs: 1000,
    };
    const decision = reuse(storedHead(parts), 60_500, { 'cache-control': 'max-stale' }, ALL);
    expect(decision).to.include({ kind: 'revalidate', reason: 'stale', staleIfError: false });
    expect(reuse(storedHead(parts), 500).kind).to.equal('fresh');
  });

  it('is validated before each use under noCache, and never replaces an error', () => {
    const stored = storedHead({ flags: StoredFlag.noCache, staleIfErrorMs: 1000 });
    expect(reuse(stored, 0)).to.deep.include({
      kind: 'revalidate',
      reason: 'no-cache',
      staleIfError: false,
    });
  });

  it('is validated for a client that asks for it, and does not replace an error then', () => {
    const decision = reuse(storedHead(), 0, { 'cache-control': 'no-cache' }, ALL);
    expect(decision).to.include({ kind: 'revalidate', reason: 'request', staleIfError: false });
  });

  it('bounds stale-while-revalidate by the wishes of the client', () => {
    const stored = storedHead({ staleWhileRevalidateMs: 9000 });
    expect(reuse(stored, 60_500, { 'cache-control': 'max-age=60' }, ALL).kind).to.equal(
      'revalidate',
    );
    expect(reuse(stored, 60_500, { 'cache-control': 'max-age=61' }, ALL).kind).to.equal('stale');
    expect(reuse(stored, 60_500, { 'cache-control': 'min-fresh=1' }, ALL).kind).to.equal(
      'revalidate',
    );
  });

  it('is accepted stale without a refresh by max-stale', () => {
    const request = { 'cache-control': 'max-stale=1' };
    expect(reuse(storedHead(), 61_000, request, ALL)).to.deep.equal({
      kind: 'stale',
      refresh: false,
    });
    expect(reuse(storedHead(), 61_001, request, ALL).kind).to.equal('revalidate');
  });

  it('is another variant', () => {
    const stored = storedHead({ vary: ['foo'], selecting: ['=1'] });
    expect(reuse(stored, 0, { foo: '1' }).kind).to.equal('fresh');
    expect(reuse(stored, 0, { foo: '2' })).to.deep.equal({ kind: 'none', reason: 'vary' });
  });

  it('is not for requests with a credential in another field unless it says so, or is selected by it', () => {
    const none = { kind: 'none', reason: 'credentials' };
    const key = { 'x-api-key': 'k' };
    const { selecting } = storedHead({
      selecting: new HttpCachePolicy().selectingValues(['x-api-key'], key),
    });
    const selected = storedHead({ vary: ['x-api-key'], selecting });
    expect(reuse(storedHead(), 0, key)).to.deep.equal(none);
    expect(reuse(storedHead({ flags: StoredFlag.forCookie }), 0, key)).to.deep.equal(none);
    expect(reuse(storedHead({ flags: StoredFlag.forAuthorization }), 0, key).kind).to.equal(
      'fresh',
    );
    expect(reuse(selected, 0, key).kind).to.equal('fresh');
    expect(reuse(selected, 0, { 'x-api-key': 'K' })).to.include({ kind: 'none', reason: 'vary' });
    expect(reuse(selected, 0)).to.include({ kind: 'none', reason: 'vary' });
    expect(reuse(selected, 0, { ...key, 'x-user': 'u' })).to.deep.equal(none);
    expect(reuse(storedHead(), 0, key, { profile: 'rfc9111' }).kind).to.equal('fresh');
    expect(reuse(storedHead(), 0, key, { credentialHeaders: [] }).kind).to.equal('fresh');
  });

  it('is not for requests with credentials unless it says so', () => {
    const none = { kind: 'none', reason: 'credentials' };
    const shared = storedHead({ flags: StoredFlag.forAuthorization });
    expect(reuse(storedHead(), 0, { authorization: 'x' })).to.deep.equal(none);
    expect(reuse(shared, 0, { authorization: 'x' }).kind).to.equal('fresh');
    expect(reuse(shared, 0, { authorization: 'x', cookie: 'y' })).to.deep.equal(none);
    const open = storedHead({ flags: StoredFlag.forAuthorization | StoredFlag.forCookie });
    expect(reuse(open, 0, { authorization: 'x', cookie: 'y' }).kind).to.equal('fresh');
  });

  it('is a part that a condition may make useless', () => {
    const stored = storedHead({ status: 206, vary: ['range'], selecting: ['=bytes=0-1'] });
    expect(reuse(stored, 0, { range: 'bytes=0-1' }).kind).to.equal('fresh');
    const conditional = { range: 'bytes=0-1', 'if-range': '"a"' };
    expect(reuse(stored, 0, conditional)).to.deep.equal({ kind: 'none', reason: 'range' });
  });

  it('does not answer a request that passes the cache by', () => {
    const policy = new HttpCachePolicy();
    const plan = policy.request({ method: 'DELETE', headers: {} });
    expect(policy.reuse(storedHead(), plan, T0).kind).to.equal('revalidate');
  });

  describe('asks for validation', () => {
    const flags = StoredFlag.hasValidator;
    const ROWS: readonly (readonly [string, readonly string[], Record<string, string>])[] = [
      ['by ETag', ['ETag', '"a"'], { 'if-none-match': '"a"' }],
      ['by Last-Modified', ['last-modified', date(-9)], { 'if-modified-since': date(-9) }],
      [
        'by both',
        ['ETAG', 'W/"a"', 'Last-Modified', date(-9)],
        { 'if-none-match': 'W/"a"', 'if-modified-since': date(-9) },
      ],
      [
        'without a date that is none',
        ['ETag', '"a"', 'Last-Modified', 'x'],
        { 'if-none-match': '"a"' },
      ],
      [
        'without an empty tag',
        ['ETag', '', 'Last-Modified', date(-9)],
        { 'if-modified-since': date(-9) },
      ],
    ];
    for (const [name, headers, conditions] of ROWS) {
      it(name, () => {
        expect(reuse(storedHead({ headers, flags }), 60_000)).to.deep.include({ conditions });
      });
    }
    it('of nothing', () => {
      expect(reuse(storedHead(), 60_000)).to.deep.include({ conditions: {} });
    });
  });

  describe('beside it', () => {
    const policy = new HttpCachePolicy();
    const stored = storedHead({ initialAgeMs: 1500 });
    it('the age in whole seconds', () => {
      expect(policy.ageSeconds(stored, T0)).to.equal(1);
      expect(policy.ageSeconds(stored, T0 + 500)).to.equal(2);
      expect(policy.ageSeconds(stored, T0 - 9999)).to.equal(1);
    });
    it('the seconds that are left', () => {
      expect(policy.ttlSeconds(stored, T0)).to.equal(58);
      expect(policy.ttlSeconds(stored, T0 + 58_500)).to.equal(0);
      expect(policy.ttlSeconds(stored, T0 + 58_501)).to.equal(-1);
    });
  });
});
