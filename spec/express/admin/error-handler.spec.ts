import { expect } from 'chai';
import express from 'express';
import {
  CacheBackendError,
  CacheClosedError,
  CacheCompressionError,
  CacheConfigurationError,
  CacheConnectionError,
  CacheDecompressionError,
  CacheDeserializationError,
  CacheKeyError,
  CacheSerializationError,
  CacheTimeoutError,
  DecoratorUsageError,
  InvalidOptionError,
  LoadTimeoutError,
  MissingPeerError,
  RateLimitError,
  UnknownCacheError,
} from '#internal/errors.js';
import { cacheErrorHandler } from '#internal/express/error-handler.js';
import { HttpServer } from '../../support/http-server.js';

const SECRET = 'redis://admin:hunter2@10.1.2.3:6379';

const TABLE: readonly [error: Error, status: number, code: string][] = [
  [new CacheConfigurationError(SECRET), 500, 'ERR_CACHE_CONFIGURATION'],
  [new InvalidOptionError('a', SECRET), 500, 'ERR_CACHE_INVALID_OPTION'],
  [new UnknownCacheError(SECRET, []), 500, 'ERR_CACHE_UNKNOWN_CACHE'],
  [new DecoratorUsageError('Cacheable', 'm', SECRET), 500, 'ERR_CACHE_DECORATOR_USAGE'],
  [new MissingPeerError(SECRET, 'p', '1'), 500, 'ERR_CACHE_MISSING_PEER'],
  [new CacheKeyError(SECRET), 400, 'ERR_CACHE_KEY'],
  [new CacheBackendError(SECRET), 500, 'ERR_CACHE_BACKEND'],
  [new CacheConnectionError(SECRET), 503, 'ERR_CACHE_CONNECTION'],
  [new CacheTimeoutError(SECRET, 5), 503, 'ERR_CACHE_TIMEOUT'],
  [new CacheClosedError(SECRET), 503, 'ERR_CACHE_CLOSED'],
  [new LoadTimeoutError(SECRET, 5), 504, 'ERR_CACHE_LOAD_TIMEOUT'],
  [new CacheSerializationError(SECRET), 500, 'ERR_CACHE_SERIALIZATION'],
  [new CacheDeserializationError(SECRET), 500, 'ERR_CACHE_DESERIALIZATION'],
  [new CacheCompressionError(SECRET), 500, 'ERR_CACHE_COMPRESSION'],
  [new CacheDecompressionError(SECRET), 500, 'ERR_CACHE_DECOMPRESSION'],
  [new RateLimitError(SECRET, 1_200), 429, 'ERR_CACHE_RATE_LIMIT'],
];

describe(cacheErrorHandler.name, () => {
  const start = (
    fail: express.RequestHandler,
    handler: express.ErrorRequestHandler = cacheErrorHandler(),
  ): Promise<HttpServer> => {
    const app = express();
    app.get('/', fail);
    app.use(handler);
    app.use(((error: Error, _req, res, _next) => {
      if (res.headersSent) res.destroy();
      else res.status(418).send(error.message);
    }) as express.ErrorRequestHandler);
    return HttpServer.start(app);
  };

  it('answers every error of the library with its status, and tells nothing of its message', async () => {
    for (const [error, status, code] of TABLE) {
      await using server = await start((_req, _res, next) => next(error));
      const answer = await server.ask('/');
      expect(answer.status, code).to.equal(status);
      const { error: shown } = answer.json() as { error: Record<string, string> };
      expect(shown).to.have.all.keys('code', 'name', 'message');
      expect(shown['code']).to.equal(code);
      expect(shown['name']).to.equal(error.name);
      expect(shown['message'], code).to.be.a('string').and.not.equal('');
      expect(answer.text).not.to.match(/hunter2|10\.1\.2\.3/);
      expect(answer.headers['cache-control']).to.equal('no-store');
      expect(answer.headers['content-type']).to.equal('application/json; charset=utf-8');
    }
  });

  it('shows the message where details are exposed', async () => {
    await using server = await start(
      (_req, _res, next) => next(new CacheKeyError('args[0] is a function')),
      cacheErrorHandler({ exposeDetails: true }),
    );
    expect((await server.ask('/')).json()).to.deep.equal({
      error: { code: 'ERR_CACHE_KEY', name: 'CacheKeyError', message: 'args[0] is a function' },
    });
  });

  it('says when to try again: a limit its own time, a store out of reach the option', async () => {
    const retryAfter = async (error: Error, options = {}, header?: string): Promise<unknown> => {
      await using server = await start((_req, res, next) => {
        if (header !== undefined) res.setHeader('Retry-After', header);
        next(error);
      }, cacheErrorHandler(options));
      return (await server.ask('/')).headers['retry-after'];
    };
    expect(await retryAfter(new RateLimitError('', 1_200))).to.equal('2');
    expect(await retryAfter(new RateLimitError('', 0))).to.equal(undefined);
    expect(await retryAfter(new CacheConnectionError(''))).to.equal('5');
    expect(await retryAfter(new CacheConnectionError(''), { retryAfter: '90s' })).to.equal('90');
    expect(await retryAfter(new CacheConnectionError(''), { retryAfter: 0 })).to.equal(undefined);
    expect(await retryAfter(new LoadTimeoutError('', 1))).to.equal(undefined);
    expect(await retryAfter(new RateLimitError('', 1_200), {}, '77')).to.equal('77');
  });

  it('passes other errors on untouched', async () => {
    await using server = await start((_req, _res, next) => next(new TypeError('mine')));
    const answer = await server.ask('/');
    expect(answer.status).to.equal(418);
    expect(answer.text).to.equal('mine');
  });

  it('passes on what comes after the head was sent', async () => {
    await using server = await start((_req, res, next) => {
      res.write('half');
      next(new CacheConnectionError(SECRET));
    });
    const outcome = await server.ask('/').then(
      () => 'complete',
      () => 'cut off',
    );
    expect(outcome).to.equal('cut off');
  });

  it('takes off what was set for another body, and keeps what is not about it', async () => {
    await using server = await start((_req, res, next) => {
      res.set({
        ETag: '"a"',
        'Content-Encoding': 'gzip',
        'Cache-Control': 'public, max-age=60',
        'CDN-Cache-Control': 'max-age=60',
        'Content-Length': '3',
        'Access-Control-Allow-Origin': '*',
      });
      next(new CacheTimeoutError('get', 5));
    });
    const answer = await server.ask('/');
    expect(answer.headers).not.to.have.any.keys('etag', 'content-encoding', 'cdn-cache-control');
    expect(answer.headers['cache-control']).to.equal('no-store');
    expect(answer.headers['access-control-allow-origin']).to.equal('*');
    expect(answer.json()).to.have.nested.property('error.code', 'ERR_CACHE_TIMEOUT');
  });

  it('answers HEAD without a body', async () => {
    await using server = await start((_req, _res, next) => next(new CacheTimeoutError('get', 5)));
    const answer = await server.ask('/', { method: 'HEAD' });
    expect(answer.status).to.equal(503);
    expect(answer.text).to.equal('');
    expect(Number(answer.headers['content-length'])).to.be.above(10);
  });

  it('does not answer with a status that tells of no failure', async () => {
    const odd = Object.assign(new CacheConnectionError(''), { httpStatus: 200 });
    await using server = await start((_req, _res, next) => next(odd));
    expect((await server.ask('/')).status).to.equal(500);
  });

  it('refuses unknown and wrong options', () => {
    expect(() => cacheErrorHandler({ exposeDetail: true } as object)).to.throw(
      InvalidOptionError,
      "did you mean 'exposeDetails'",
    );
    expect(() => cacheErrorHandler({ exposeDetails: 1 as never })).to.throw(InvalidOptionError);
    expect(() => cacheErrorHandler({ retryAfter: 'soon' as never })).to.throw(InvalidOptionError);
  });
});
