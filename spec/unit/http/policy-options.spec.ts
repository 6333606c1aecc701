import { expect } from 'chai';
import { InvalidOptionError } from '#internal/errors.js';
import { HTTP_PROFILES } from '#internal/http/http-profile.js';
import { HttpCachePolicy } from '#internal/http/http-cache-policy.js';
import {
  type HttpCachePolicyOptions,
  POLICY_OPTION_NAMES,
  resolveHttpCachePolicyOptions,
} from '#internal/http/policy-options.js';

describe('resolveHttpCachePolicyOptions', () => {
  it('is the profile safe where nothing is said', () => {
    expect(resolveHttpCachePolicyOptions({}, 'x')).to.deep.equal({
      profile: 'safe',
      rules: HTTP_PROFILES.safe,
      ttlMs: 0,
      staleWhileRevalidateMs: 0,
      staleIfErrorMs: 60_000,
      statuses: new Set([200]),
      requestControl: 'reload',
      onNoCache: 'bypass',
      targetedFields: ['cachewell-cache-control', 'cdn-cache-control'],
      keepForValidationMs: 3_600_000,
      credentials: 'likely',
    });
  });

  it('takes the defaults of rfc9111 from its profile', () => {
    const options = resolveHttpCachePolicyOptions({ profile: 'rfc9111' }, 'x');
    expect(options).to.deep.include({
      rules: HTTP_PROFILES.rfc9111,
      staleIfErrorMs: 86_400_000,
      statuses: undefined,
      requestControl: true,
      onNoCache: 'refresh',
      credentials: new Set(),
    });
  });

  it('lets every option win over its profile', () => {
    const options = resolveHttpCachePolicyOptions(
      {
        profile: 'rfc9111',
        ttl: '1m',
        staleWhileRevalidate: '2m',
        staleIfError: 0,
        statuses: [200, 404],
        respectRequestCacheControl: false,
        onNoCache: 'bypass',
        targetedFields: ['My-Cache-Control'],
        keepForValidation: 5,
        credentialHeaders: ['X-Acme'],
      },
      'x',
    );
    expect(options).to.deep.include({
      ttlMs: 60_000,
      staleWhileRevalidateMs: 120_000,
      staleIfErrorMs: 0,
      statuses: new Set([200, 404]),
      requestControl: false,
      onNoCache: 'bypass',
      targetedFields: ['my-cache-control'],
      credentials: new Set(['x-acme']),
      keepForValidationMs: 5,
    });
  });

  it('bounds times by what a number of seconds can say', () => {
    expect(resolveHttpCachePolicyOptions({ ttl: Infinity }, 'x').ttlMs).to.equal(2_147_483_648_000);
  });

  it('takes an explicit undefined for absent', () => {
    const nothing = Object.fromEntries(POLICY_OPTION_NAMES.map((name) => [name, undefined]));
    expect(resolveHttpCachePolicyOptions(nothing, 'x')).to.deep.equal(
      resolveHttpCachePolicyOptions({}, 'x'),
    );
  });

  const WRONG: readonly (readonly [string, object])[] = [
    ['profile', { profile: 'rfc7234' }],
    ['ttl', { ttl: -1 }],
    ['ttl', { ttl: '1 minute' }],
    ['staleWhileRevalidate', { staleWhileRevalidate: NaN }],
    ['staleIfError', { staleIfError: true }],
    ['keepForValidation', { keepForValidation: {} }],
    ['statuses', { statuses: 200 }],
    ['statuses', { statuses: [199] }],
    ['statuses', { statuses: [304] }],
    ['statuses', { statuses: [600] }],
    ['statuses', { statuses: ['200'] }],
    ['respectRequestCacheControl', { respectRequestCacheControl: 'all' }],
    ['onNoCache', { onNoCache: 'ignore' }],
    ['targetedFields', { targetedFields: 'CDN-Cache-Control' }],
    ['targetedFields', { targetedFields: ['a b'] }],
    ['targetedFields', { targetedFields: ['Cache-Control'] }],
    ['credentialHeaders', { credentialHeaders: 'X-API-Key' }],
    ['credentialHeaders', { credentialHeaders: ['a b'] }],
    ['credentialHeaders', { credentialHeaders: false }],
    ['tll', { tll: 1 }],
  ];
  for (const [name, options] of WRONG) {
    it(`refuses ${JSON.stringify(options)} by name`, () => {
      const build = () => new HttpCachePolicy(options as HttpCachePolicyOptions, 'owner');
      expect(build).to.throw(InvalidOptionError, `owner.${name}`);
    });
  }

  it('names the option that was meant', () => {
    const build = () => new HttpCachePolicy({ tll: 1 } as HttpCachePolicyOptions);
    expect(build).to.throw("HttpCachePolicy.tll: there is no such option; did you mean 'ttl'?");
  });
});
