import { expect } from 'chai';
import { silentLogger, type CacheLogger } from '#internal/cache/cache-logger.js';
import {
  CacheConnectionError,
  CacheSerializationError,
  CacheTimeoutError,
  type CacheError,
} from '#internal/errors.js';
import { ErrorLog } from '#internal/manager/error-log.js';
import { ManualClock } from '#internal/testing/manual-clock.js';

describe('ErrorLog', () => {
  let clock: ManualClock;
  let logged: { level: string; message: string; details: Record<string, unknown> | undefined }[];
  let log: ErrorLog;
  beforeEach(() => {
    clock = new ManualClock();
    logged = [];
    const at =
      (level: string): CacheLogger['warn'] =>
      (message, details) =>
        void logged.push({ level, message, details });
    log = new ErrorLog({ ...silentLogger, info: at('info'), warn: at('warn') }, clock);
  });

  const outage = new CacheConnectionError('no server');
  const fault: CacheError = new CacheSerializationError('a function cannot be stored', 'value.f');

  it('logs the first fault of a kind with all that is known', () => {
    log.report('store', fault, 'users', '1');
    expect(logged).to.deep.equal([
      {
        level: 'warn',
        message: 'The cache failed and was bypassed: a function cannot be stored',
        details: { operation: 'store', code: 'ERR_CACHE_SERIALIZATION', cache: 'users', key: '1' },
      },
    ]);
  });

  it('logs the next one after a minute, with the number of those in between', () => {
    for (let count = 0; count < 10; count++) log.report('store', fault, 'users', '1');
    clock.advance('59s');
    log.report('store', fault, 'users', '1');
    clock.advance('1s');
    log.report('store', fault, 'users', '1');
    expect(logged.map(({ details }) => details?.['suppressed'])).to.deep.equal([undefined, 10]);
  });

  it('tells kinds apart by operation, code and cache', () => {
    log.report('store', fault, 'users', '1');
    log.report('store', fault, 'orders', '1');
    log.report('get', fault, 'users', '1');
    expect(logged).to.have.length(3);
  });

  it('takes an outage for one fault, whichever operations and caches it hits', () => {
    log.report('get', outage, 'users', '1');
    log.report('store', outage, 'orders', '2');
    log.report('clearAll', outage, undefined, undefined);
    expect(logged).to.have.length(1);
    log.report('get', new CacheTimeoutError('get', 250), 'users', '1');
    expect(logged).to.have.length(2);
  });

  it('says once that the store answers again, and takes the next outage for news', () => {
    log.report('get', outage, 'users', '1');
    log.report('get', outage, 'users', '1');
    log.recovered();
    log.recovered();
    log.report('get', outage, 'users', '1');
    expect(logged.map(({ level }) => level)).to.deep.equal(['warn', 'info', 'warn']);
    expect(logged[1]!.details).to.deep.equal({ failures: 2 });
  });

  it('does not take a fault of another kind for over, when the store answers again', () => {
    log.report('store', fault, 'users', '1');
    log.recovered();
    log.report('store', fault, 'users', '1');
    expect(logged).to.have.length(1);
  });

  it('forgets, rather than grow without bound', () => {
    for (let cache = 0; cache < 5_000; cache++) log.report('store', fault, `cache-${cache}`, '1');
    expect(logged).to.have.length(5_000);
  });
});
