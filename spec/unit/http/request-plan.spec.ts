import { expect } from 'chai';
import type { BypassReason, RequestContext, RequestPlan } from '#internal/http/cache-decision.js';
import { HttpCachePolicy } from '#internal/http/http-cache-policy.js';
import { type RequestHead, StoredFlag } from '#internal/http/http-message.js';
import type { HttpCachePolicyOptions } from '#internal/http/policy-options.js';
import { get, head } from '../../support/http-messages.js';

function plan(
  request: RequestHead,
  options: HttpCachePolicyOptions = {},
  context?: RequestContext,
): RequestPlan {
  return new HttpCachePolicy(options).request(request, context);
}

const cc = (value: string | readonly string[]): RequestHead => get({ 'cache-control': value });
const RFC = { profile: 'rfc9111' } as const;
const ALL = { respectRequestCacheControl: true } as const;

describe('HttpCachePolicy#request', () => {
  it('lets a plain GET read and fill', () => {
    const request = get({ host: 'a' });
    expect(plan(request)).to.deep.equal({
      method: 'GET',
      headers: request.headers,
      lookup: true,
      store: true,
      bypass: undefined,
      reload: false,
      onlyIfCached: false,
      maxAgeMs: Infinity,
      minFreshMs: 0,
      maxStaleMs: 0,
      hideRange: true,
      requiredFlags: 0,
      credentials: [],
      context: {},
    });
  });

  it('lets a HEAD read only', () => {
    expect(plan(head())).to.include({ lookup: true, store: false, bypass: undefined });
  });

  const PASSED_BY: readonly (readonly [BypassReason, RequestHead, HttpCachePolicyOptions?])[] = [
    ['method', { method: 'POST', headers: {} }],
    ['method', { method: 'OPTIONS', headers: {} }],
    ['method', { method: 'get', headers: {} }],
    ['request-body', get({ 'content-length': '1' })],
    ['request-body', get({ 'content-length': 5 })],
    ['request-body', get({ 'content-length': '00' })],
    ['request-body', get({ 'transfer-encoding': 'chunked' })],
    ['request-body', head({ 'content-length': '1' })],
    ['precondition', get({ 'if-match': '*' })],
    ['precondition', get({ 'if-unmodified-since': 'x' })],
    ['request-no-store', cc('no-store')],
    ['request-no-store', cc('No-Store, no-cache')],
    ['request-no-store', cc('no-store'), RFC],
    ['request-no-cache', cc('no-cache')],
    ['request-no-cache', cc(['max-age=0', 'NO-CACHE'])],
    ['request-no-cache', cc('no-cache'), { ...RFC, onNoCache: 'bypass' }],
  ];
  for (const [reason, request, options] of PASSED_BY) {
    const name = `${request.method} ${JSON.stringify(request.headers)} ${JSON.stringify(options ?? {})}`;
    it(`passes the cache by for ${name}: ${reason}`, () => {
      expect(plan(request, options)).to.include({ lookup: false, store: false, bypass: reason });
    });
  }

  it('takes a content length of 0 for no body', () => {
    expect(plan(get({ 'content-length': '0' })).bypass).to.equal(undefined);
    expect(plan(get({ 'content-length': 0 })).bypass).to.equal(undefined);
  });

  describe('with a Cache-Control of the client', () => {
    it('obeys no more than no-cache and no-store in safe', () => {
      const request = cc('max-age=1, min-fresh=2, max-stale=3, only-if-cached');
      expect(plan(request)).to.deep.equal({ ...plan(get()), headers: request.headers });
    });

    it('obeys all of it in rfc9111', () => {
      const request = cc('max-age=1, min-fresh=2, max-stale=3, only-if-cached, no-cache');
      expect(plan(request, RFC)).to.include({
        ...{ lookup: true, store: true, reload: true, onlyIfCached: true },
        ...{ maxAgeMs: 1000, minFreshMs: 2000, maxStaleMs: 3000 },
      });
    });

    it('takes a number that cannot be read for the most careful one', () => {
      expect(plan(cc('max-age=x, min-fresh=x, max-stale=x'), ALL)).to.include({
        ...{ maxAgeMs: 0, minFreshMs: 0, maxStaleMs: 0 },
      });
      expect(plan(cc('max-stale'), ALL).maxStaleMs).to.equal(Infinity);
    });

    it('obeys what can be read of a broken one', () => {
      expect(plan(cc('&&; no-cache, no-cache')).bypass).to.equal('request-no-cache');
    });

    it('turns no-cache into a reload where the option says so', () => {
      expect(plan(cc('no-cache'), { onNoCache: 'refresh' })).to.include({
        ...{ lookup: true, store: true, reload: true, bypass: undefined },
      });
    });

    it('ignores it where the option says so', () => {
      const request = cc('no-cache, no-store, max-age=0');
      const ignoring = plan(request, { respectRequestCacheControl: false });
      expect(ignoring).to.deep.equal({ ...plan(get()), headers: request.headers });
    });

    it('leaves the choice to a predicate of the caller', () => {
      const no = { respectRequestCacheControl: false };
      const yes = { respectRequestCacheControl: true };
      expect(plan(cc('no-cache'), {}, no).lookup).to.equal(true);
      expect(plan(cc('max-age=1'), {}, yes).maxAgeMs).to.equal(1000);
      expect(plan(cc('no-cache'), no, yes).bypass).to.equal('request-no-cache');
    });

    it('reloads where the caller says so, and obeys what else the client says', () => {
      const reload = { reload: true };
      expect(plan(get(), {}, reload)).to.include({
        ...{ lookup: true, store: true, reload: true, bypass: undefined },
      });
      expect(plan(cc('no-cache'), {}, reload)).to.include({ store: true, reload: true });
      expect(plan(cc('no-cache'), ALL, { reload: false }).bypass).to.equal('request-no-cache');
      expect(plan(cc('no-store'), {}, reload).bypass).to.equal('request-no-store');
      expect(plan(cc('max-age=1'), ALL, reload)).to.include({ reload: true, maxAgeMs: 1000 });
    });

    it('says nothing through Pragma', () => {
      expect(plan(get({ pragma: 'no-cache' }), RFC)).to.include({ lookup: true, reload: false });
    });
  });

  describe('with credentials', () => {
    const { forAuthorization, forCookie } = StoredFlag;
    const both = get({ authorization: 'x', cookie: 'y' });
    const ROWS: readonly (readonly [
      string,
      number,
      RequestHead,
      HttpCachePolicyOptions?,
      RequestContext?,
    ])[] = [
      ['Authorization', forAuthorization, get({ authorization: 'x' })],
      ['Cookie', forCookie, get({ cookie: 'x' })],
      ['an empty Cookie', forCookie, get({ cookie: '' })],
      ['both', forAuthorization | forCookie, both],
      ['both, keyed by who asks', 0, both, {}, { keyedBy: 'identity' }],
      ['both by the RFC', 0, both, RFC],
    ];
    for (const [name, flags, request, options, context] of ROWS) {
      it(`asks for consent: ${name}`, () => {
        expect(plan(request, options, context).requiredFlags).to.equal(flags);
      });
    }
  });

  it('names the credentials in other fields: in safe by their looks, else by a list, never with an identity', () => {
    const request = get({ 'x-api-key': 'a', 'x-acme': 'b', host: 'c' });
    const list = { credentialHeaders: ['X-Acme', 'X-Other'] };
    expect(plan(request).credentials).to.deep.equal(['x-api-key']);
    expect(plan(request, list).credentials).to.deep.equal(['x-acme']);
    expect(plan(request, RFC).credentials).to.deep.equal([]);
    expect(plan(request, { ...RFC, ...list }).credentials).to.deep.equal(['x-acme']);
    expect(plan(request, { credentialHeaders: [] }).credentials).to.deep.equal([]);
    expect(plan(request, {}, { keyedBy: 'identity' }).credentials).to.deep.equal([]);
  });

  it('hides Range from the handler in safe, not by the RFC', () => {
    expect(plan(get({ range: 'bytes=0-1' })).hideRange).to.equal(true);
    expect(plan(get({ range: 'bytes=0-1' }), RFC).hideRange).to.equal(false);
  });

  it('lets a POST fill where the profile and its URL allow it', () => {
    const post = { method: 'POST', headers: {} };
    const url = 'https://example.com/a';
    expect(plan(post, RFC, { url })).to.include({ lookup: false, store: true, bypass: 'method' });
    expect(plan(post, RFC).store).to.equal(false);
    expect(plan(post, {}, { url }).store).to.equal(false);
    expect(plan({ method: 'PUT', headers: {} }, RFC, { url }).store).to.equal(false);
  });
});
