import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import {
  CacheBackendError,
  CacheClosedError,
  CacheCompressionError,
  CacheConfigurationError,
  CacheConnectionError,
  CacheDecompressionError,
  CacheDeserializationError,
  CacheError,
  CacheKeyError,
  CacheSerializationError,
  CacheTimeoutError,
  DecoratorUsageError,
  InvalidOptionError,
  isCacheError,
  LoadTimeoutError,
  MissingPeerError,
  RateLimitError,
  UnknownCacheError,
  type CacheErrorCode,
} from '#internal/errors.js';

type ErrorClass = abstract new (...args: never[]) => CacheError;
type Row = readonly [
  error: CacheError,
  code: CacheErrorCode,
  httpStatus: number,
  bases: readonly ErrorClass[],
];

const ROWS: readonly Row[] = [
  [new CacheConfigurationError('m'), 'ERR_CACHE_CONFIGURATION', 500, []],
  [new InvalidOptionError('X.y', 'm'), 'ERR_CACHE_INVALID_OPTION', 500, [CacheConfigurationError]],
  [new UnknownCacheError('a', []), 'ERR_CACHE_UNKNOWN_CACHE', 500, [CacheConfigurationError]],
  [
    new DecoratorUsageError('D', 'm', 'm'),
    'ERR_CACHE_DECORATOR_USAGE',
    500,
    [CacheConfigurationError],
  ],
  [new MissingPeerError('f', 'p', '^1'), 'ERR_CACHE_MISSING_PEER', 500, [CacheConfigurationError]],
  [new CacheKeyError('m'), 'ERR_CACHE_KEY', 400, []],
  [new CacheBackendError('m'), 'ERR_CACHE_BACKEND', 500, []],
  [new CacheConnectionError('m'), 'ERR_CACHE_CONNECTION', 503, [CacheBackendError]],
  [new CacheTimeoutError('get', 250), 'ERR_CACHE_TIMEOUT', 503, [CacheBackendError]],
  [new CacheClosedError('m'), 'ERR_CACHE_CLOSED', 503, [CacheBackendError]],
  [new LoadTimeoutError('find', 5), 'ERR_CACHE_LOAD_TIMEOUT', 504, []],
  [new CacheSerializationError('m'), 'ERR_CACHE_SERIALIZATION', 500, []],
  [new CacheDeserializationError('m'), 'ERR_CACHE_DESERIALIZATION', 500, []],
  [new CacheCompressionError('m'), 'ERR_CACHE_COMPRESSION', 500, []],
  [new CacheDecompressionError('m'), 'ERR_CACHE_DECOMPRESSION', 500, []],
  [new RateLimitError('m', 5), 'ERR_CACHE_RATE_LIMIT', 429, []],
];

const CLASSES = ROWS.map(([error]) => error.constructor as unknown as ErrorClass);

describe('The errors', () => {
  for (const [error, code, httpStatus, bases] of ROWS) {
    describe(error.constructor.name, () => {
      it('has its code, its status and its name', () => {
        expect(error.code).to.equal(code);
        expect(error.httpStatus).to.equal(httpStatus);
        expect(error.name).to.equal(error.constructor.name);
        expect(String(error)).to.equal(`${error.name}: ${error.message}`);
        expect(error.stack).to.contain('errors.spec');
      });

      it('stands below exactly the classes of the tree', () => {
        const above = CLASSES.filter((each) => error instanceof each);
        expect(above).to.have.members([error.constructor as unknown as ErrorClass, ...bases]);
        expect(error).to.be.instanceOf(CacheError).and.instanceOf(Error);
      });

      it('shows name, code and message as JSON, and nothing more', () => {
        expect(JSON.parse(JSON.stringify(error))).to.deep.equal({
          name: error.name,
          code,
          message: error.message,
        });
      });
    });
  }

  it('have a code of their own each', () => {
    expect(new Set(ROWS.map(([, code]) => code)).size).to.equal(ROWS.length);
  });

  it('keep their cause out of the JSON', () => {
    const cause = new Error('redis://user:password@host');
    const error = new CacheConnectionError('no answer', { cause });
    expect(error.cause).to.equal(cause);
    expect(JSON.stringify(error)).to.not.contain('password');
    expect(new CacheConnectionError('no answer')).to.not.have.property('cause');
  });

  describe('say what to do:', () => {
    it('an option tells where it stands', () => {
      const error = new InvalidOptionError('MemoryBackend.maxEntries', 'expected more');
      expect(error.message).to.equal('MemoryBackend.maxEntries: expected more');
      expect(error.option).to.equal('MemoryBackend.maxEntries');
    });

    it('an unknown cache lists the known ones', () => {
      const error = new UnknownCacheError('usres', ['users', 'posts']);
      expect(error.message).to.equal(
        "There is no cache 'usres' (declared: users, posts). Declare it in the manager's 'caches', or turn 'strictCaches' off.",
      );
      expect(error.cacheName).to.equal('usres');
      expect(new UnknownCacheError('a', []).message).to.contain('(none is declared)');
    });

    it('a decorator names itself and the member, symbols too', () => {
      const error = new DecoratorUsageError('Cacheable', Symbol('find'), 'it is a field');
      expect(error.message).to.equal("@Cacheable on 'Symbol(find)': it is a field");
      expect(error).to.include({ decorator: 'Cacheable', member: 'Symbol(find)' });
    });

    it('a missing peer names feature, package, range and the command', () => {
      const cause = new Error('not found');
      const error = new MissingPeerError('RedisBackend', 'ioredis', '^5.4.0', { cause });
      expect(error.message).to.equal(
        "RedisBackend needs the package 'ioredis' (^5.4.0), which is not installed. Run: npm install ioredis",
      );
      expect(error).to.include({ packageName: 'ioredis', range: '^5.4.0', cause });
    });

    it('a key and a value tell where in them the fault lies', () => {
      expect(new CacheKeyError('m', 'args[0].filter').path).to.equal('args[0].filter');
      expect(new CacheKeyError('m').path).to.equal('');
      expect(new CacheSerializationError('m', 'value.items[3]').path).to.equal('value.items[3]');
      expect(new CacheSerializationError('m').path).to.equal('');
    });

    it('timeouts tell the limit', () => {
      const command = new CacheTimeoutError("'get'", 250);
      expect(command.message).to.equal("'get' got no answer within 250 ms");
      expect(command.timeoutMs).to.equal(250);
      const load = new LoadTimeoutError("'find'", 50);
      expect(load.message).to.equal("'find' took longer than its hardTimeout of 50 ms");
      expect(load.timeoutMs).to.equal(50);
    });

    it('stored bytes tell why they are no value', () => {
      expect(new CacheDeserializationError('m').reason).to.equal('damaged');
      expect(new CacheDeserializationError('m', { reason: 'model' }).reason).to.equal('model');
    });

    it('a rate limit tells when to come again', () => {
      expect(new RateLimitError('too many', 1500).retryAfterMs).to.equal(1500);
    });
  });

  describe('isCacheError', () => {
    it('knows every one of them, with or without the code', () => {
      for (const [error, code] of ROWS) {
        expect(isCacheError(error), code).to.equal(true);
        expect(isCacheError(error, code), code).to.equal(true);
        const other = code === 'ERR_CACHE_KEY' ? 'ERR_CACHE_CLOSED' : 'ERR_CACHE_KEY';
        expect(isCacheError(error, other), code).to.equal(false);
      }
    });

    it('knows the errors of another copy of the package by their brand', () => {
      const elsewhere: unknown = runInNewContext(`
        class CacheTimeoutError extends Error { code = 'ERR_CACHE_TIMEOUT' }
        Object.defineProperty(CacheTimeoutError.prototype, Symbol.for('cachewell.error'), { value: true });
        new CacheTimeoutError('late');
      `);
      expect(elsewhere).to.not.be.instanceOf(CacheError);
      expect(isCacheError(elsewhere, 'ERR_CACHE_TIMEOUT')).to.equal(true);
      expect(isCacheError(elsewhere, 'ERR_CACHE_KEY')).to.equal(false);
    });

    it('knows nothing else, a code of ours on others included', () => {
      const impostor = Object.assign(new Error('m'), { code: 'ERR_CACHE_KEY' });
      for (const value of [impostor, undefined, null, 'ERR_CACHE_KEY', 1, {}, () => undefined]) {
        expect(isCacheError(value)).to.equal(false);
        expect(isCacheError(value, 'ERR_CACHE_KEY')).to.equal(false);
      }
    });

    it('does not show the brand among the properties', () => {
      expect(Object.getOwnPropertySymbols(new CacheKeyError('m'))).to.deep.equal([]);
    });
  });
});
