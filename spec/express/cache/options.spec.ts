import { expect } from 'chai';
import type { Request, RequestHandler, Response } from 'express';
import { InvalidOptionError } from '#internal/errors.js';
import { httpCache } from '#internal/express/http-cache.js';
import {
  DEFAULT_COLLAPSE_TIMEOUT,
  DEFAULT_HTTP_CACHE,
  DEFAULT_MAX_BUFFERED_BYTES,
  DEFAULT_MAX_RESPONSE_SIZE,
  DEFAULT_MAX_VARIANTS,
} from '#internal/express/http-cache-options.js';
import { resolveHttpCacheOptions } from '#internal/express/resolve-http-cache-options.js';

const WRONG: readonly (readonly [option: string, value: unknown, message: RegExp])[] = [
  ['ttll', 1, /httpCache\.ttll.*did you mean 'ttl'/],
  ['manager', {}, /httpCache\.manager/],
  ['ttl', 'soon', /httpCache\.ttl/],
  ['cache', '', /httpCache\.cache/],
  ['tags', 'items', /httpCache\.tags/],
  ['varyBy', 'user', /httpCache\.varyBy/],
  ['varyBy', [''], /httpCache\.varyBy\[0\]/],
  ['varyBy', [() => 1], /httpCache\.varyBy\[0\].*has no name/],
  ['varyBy', [{ name: 'a', val: 1 }], /httpCache\.varyBy\[0\]\.val.*did you mean 'value'/],
  ['varyBy', ['a', 'a'], /two attributes 'a'/],
  ['key', 'x', /httpCache\.key/],
  ['condition', true, /httpCache\.condition/],
  ['maxResponseSize', -1, /httpCache\.maxResponseSize/],
  ['maxBufferedBytes', 1.5, /httpCache\.maxBufferedBytes/],
  ['statuses', [99], /httpCache\.statuses/],
  ['refreshWhen', true, /httpCache\.refreshWhen/],
  ['respectRequestCacheControl', 'yes', /httpCache\.respectRequestCacheControl/],
  ['queryAllow', 'page', /httpCache\.queryAllow/],
  ['origin', 'api.example.com', /httpCache\.origin/],
  ['origin', 'https://api.example.com/x', /httpCache\.origin/],
  ['maxVariants', 300, /httpCache\.maxVariants/],
  ['sync', 'global', /httpCache\.sync/],
  ['collapseTimeout', 'x', /httpCache\.collapseTimeout/],
  ['staleWhileRevalidate', -1, /httpCache\.staleWhileRevalidate/],
  ['staleIfError', 'x', /httpCache\.staleIfError/],
  ['profile', 'fast', /httpCache\.profile/],
  ['credentialHeaders', 'all', /httpCache\.credentialHeaders/],
  ['replayHeaders', 'some', /httpCache\.replayHeaders/],
  ['replayHeaders', ['a b'], /httpCache\.replayHeaders/],
  ['sendCacheControl', 'yes', /httpCache\.sendCacheControl/],
  ['hideFields', 'X-A', /httpCache\.hideFields/],
  ['hideFields', ['X A'], /httpCache\.hideFields/],
  ['hideFields', ['Cache-control'], /httpCache\.hideFields.*other caches/],
  ['hideFields', ['Vary'], /httpCache\.hideFields.*other caches/],
  ['xCache', 'X Cache', /httpCache\.xCache/],
  ['statusHeader', true, /httpCache\.statusHeader/],
  ['debug', 1, /httpCache\.debug/],
  ['front', 1, /httpCache\.front/],
];

describe('httpCache options', () => {
  for (const [option, value, message] of WRONG) {
    it(`refuses ${option} that is ${JSON.stringify(value) ?? typeof value}`, () => {
      expect(() => httpCache({ [option]: value } as never)).to.throw(InvalidOptionError, message);
    });
  }

  it('have the documented defaults', () => {
    const resolved = resolveHttpCacheOptions({});
    expect(resolved).to.include({
      cache: DEFAULT_HTTP_CACHE,
      maxResponseSize: DEFAULT_MAX_RESPONSE_SIZE,
      maxBufferedBytes: DEFAULT_MAX_BUFFERED_BYTES,
      maxVariants: DEFAULT_MAX_VARIANTS,
      collapseTimeoutMs: 10_000,
      replayHeaders: 'safe',
      sendCacheControl: false,
      xCache: 'X-Cache',
      statusHeader: 'Cache-Status',
      isDebug: false,
      isFront: false,
      hasTtl: false,
    });
    expect([DEFAULT_HTTP_CACHE, DEFAULT_MAX_VARIANTS, DEFAULT_COLLAPSE_TIMEOUT]).to.deep.equal([
      'http',
      16,
      '10s',
    ]);
    expect([DEFAULT_MAX_RESPONSE_SIZE, DEFAULT_MAX_BUFFERED_BYTES]).to.deep.equal([
      10 * 1024 * 1024,
      64 * 1024 * 1024,
    ]);
  });

  it("take and give Express' own types", () => {
    const plain: RequestHandler = httpCache({ ttl: '1m' });
    const typed: RequestHandler = httpCache({
      ttl: '1m',
      key: (req: Request) => [req.params['id'] as string, req.hostname],
      tags: (req: Request, res: Response) => [req.path, String(res.locals['tag'])],
      condition: (req: Request) => req.secure,
      varyBy: ['userId', { name: 'lang', value: (req: Request) => req.acceptsLanguages()[0] }],
    });
    expect([typeof plain, typeof typed]).to.deep.equal(['function', 'function']);
  });

  it('know an identity by its name, or because it is said to be', () => {
    const { varyBy, keyedBy } = resolveHttpCacheOptions({
      varyBy: ['user_id', 'accountId', 'sub', 'lang', 'name', { name: 'plan', identity: true }],
    });
    expect(varyBy.map(({ isIdentity }) => isIdentity)).to.deep.equal([
      true,
      true,
      true,
      false,
      false,
      true,
    ]);
    expect(keyedBy).to.equal('identity');
    expect(resolveHttpCacheOptions({ varyBy: ['lang'] }).keyedBy).to.equal('attribute');
  });
});
