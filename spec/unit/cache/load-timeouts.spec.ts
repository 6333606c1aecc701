import { expect } from 'chai';
import sinon from 'sinon';
import { LoadTimeoutError } from '#internal/errors.js';
import { settle } from '../../support/gated-source.js';
import { failureOf, TimedCache } from '../../support/timed-cache.js';

describe('load timeouts', () => {
  let timers: sinon.SinonFakeTimers;
  beforeEach(() => {
    timers = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  });
  afterEach(() => timers.restore());

  describe('softTimeout', () => {
    let timed: TimedCache;
    beforeEach(() => {
      timed = new TimedCache({ ttl: '10s', staleIfError: '1m', softTimeout: 100 });
    });
    afterEach(() => timed.manager.close());

    it('serves the expired value, and the load goes on and stores', async () => {
      await timed.expired('old');
      const reading = timed.read();
      await timed.source.started(1);
      await timers.tickAsync(99);
      expect(timed.events).to.deep.equal([]);
      await timers.tickAsync(1);
      expect(await reading).to.equal('old');
      timed.source.finish(1, 'new');
      await settle();
      expect(await timed.cache.get(1)).to.equal('new');
      expect(timed.events).to.deep.equal(['stale', 'load', 'hit']);
      expect(timers.countTimers()).to.equal(0);
    });

    it('does not let everybody wait for a load that is known to be slow', async () => {
      await timed.expired('old');
      const first = timed.read();
      await timed.source.started(1);
      await timers.tickAsync(100);
      await first;
      expect(await timed.read()).to.equal('old');
      expect(timed.source.count).to.equal(1);
      timed.source.finish(1, 'new');
    });

    it('stores under the token of its own load: what was invalidated meanwhile is refused', async () => {
      await timed.expired('old');
      const reading = timed.read();
      await timed.source.started(1);
      await timers.tickAsync(100);
      await reading;
      await timed.cache.delete(1);
      timed.source.finish(1, 'before');
      await settle();
      expect(await timed.cache.get(1)).to.equal(undefined);
    });

    it('serves nothing that was invalidated meanwhile, and waits on', async () => {
      await timed.expired('old');
      const reading = timed.read();
      await timed.source.started(1);
      await timed.cache.delete(1);
      await timers.tickAsync(100);
      timed.source.finish(1, 'value');
      expect(await reading).to.equal('value');
    });

    it('tells of a load that fails behind those who were served, once, and throttles', async () => {
      await timed.expired('old');
      const readings = [timed.read(), timed.read()];
      await timed.source.started(1);
      await timers.tickAsync(100);
      await Promise.all(readings);
      const error = new RangeError('down');
      timed.source.fail(1, error);
      await settle();
      expect(timed.errors).to.deep.equal([error]);
      expect(await timed.read()).to.equal('old');
      expect(timed.source.count).to.equal(1);
    });

    it('waits as long as it takes, when there is nothing to serve', async () => {
      const reading = timed.read();
      await timed.source.started(1);
      await timers.tickAsync(10_000);
      timed.source.finish(1, 'value');
      expect(await reading).to.equal('value');
    });
  });

  describe('hardTimeout', () => {
    it('rejects with LoadTimeoutError, whatever onError says, and the load goes on and stores', async () => {
      const timed = new TimedCache({ ttl: '10s', hardTimeout: 100 });
      const readings = [timed.read(), timed.read(1, { sync: false })].map(failureOf);
      await timed.source.started(2);
      await timers.tickAsync(100);
      for (const error of await Promise.all(readings)) {
        expect(error).to.be.instanceOf(LoadTimeoutError);
        expect((error as LoadTimeoutError).timeoutMs).to.equal(100);
        expect((error as Error).message).to.include("'1' in cache 'a'");
      }
      timed.source.finish(1, 'value');
      await settle();
      expect(await timed.cache.get(1)).to.equal('value');
      await timed.manager.close();
    });

    it('is joined by those who come later, each with its own time', async () => {
      const timed = new TimedCache({ ttl: '10s', hardTimeout: 100 });
      const first = failureOf(timed.read());
      await timed.source.started(1);
      await timers.tickAsync(60);
      const second = timed.read();
      await timers.tickAsync(40);
      expect(await first).to.be.instanceOf(LoadTimeoutError);
      await timers.tickAsync(59);
      timed.source.finish(1, 'value');
      expect(await second).to.equal('value');
      expect(timed.source.count).to.equal(1);
      await timed.manager.close();
    });

    it('serves an expired value where staleIfError has one', async () => {
      const timed = new TimedCache({ ttl: '10s', staleIfError: '1m', hardTimeout: 100 });
      await timed.expired('old');
      const reading = timed.read();
      await timed.source.started(1);
      await timers.tickAsync(100);
      expect(await reading).to.equal('old');
      timed.clock.advance('2m');
      const late = failureOf(timed.read());
      await settle();
      await timers.tickAsync(100);
      expect(await late).to.be.instanceOf(LoadTimeoutError);
      await timed.manager.close();
    });

    it('reports a load that fails when nobody waits any more', async () => {
      const timed = new TimedCache({ ttl: '10s', hardTimeout: 100 });
      const reading = failureOf(timed.read());
      await timed.source.started(1);
      await timers.tickAsync(100);
      await reading;
      const error = new RangeError('late');
      timed.source.fail(1, error);
      await settle();
      expect(timed.errors).to.deep.equal([error]);
      await timed.manager.close();
    });

    it('bounds a load of many keys', async () => {
      const timed = new TimedCache({ ttl: '10s', hardTimeout: 100 });
      const reading = failureOf(
        timed.cache.getOrSetMany([1, 2], () => timed.source.load() as Promise<never>),
      );
      await timed.source.started(1);
      await timers.tickAsync(100);
      expect(await reading).to.be.instanceOf(LoadTimeoutError);
      timed.source.finish(1, new Map([[1, 'one']]));
      await settle();
      expect(await timed.cache.get(1)).to.equal('one');
      await timed.manager.close();
    });
  });
});
