import { expect } from 'chai';
import { TimedCache } from '../../support/timed-cache.js';

describe('idleTtl', () => {
  let timed: TimedCache;
  beforeEach(() => {
    timed = new TimedCache({ ttl: '60s', idleTtl: '10s' });
  });
  afterEach(() => timed.manager.close());

  it('lets go of what nobody reads', async () => {
    await timed.cache.set(1, 'value');
    timed.clock.advance(9_999);
    expect(await timed.cache.has(1)).to.equal(true);
    timed.clock.advance(1);
    expect(await timed.cache.get(1)).to.equal(undefined);
  });

  it('keeps what is read, however it is read, until its ttl', async () => {
    await timed.cache.set(1, 'value');
    const reads = [
      () => timed.cache.get(1),
      () => timed.cache.getEntry(1).then(({ value }) => value),
      () => timed.cache.getMany([1]).then((found) => found.get(1)),
      () => timed.read(),
      () =>
        timed.cache
          .getOrSetMany([1], () => Promise.reject(new Error('loaded')))
          .then((found) => found.get(1)),
    ];
    for (let second = 9; second < 60; second += 9) {
      timed.clock.advance('9s');
      expect(await reads[(second / 9) % reads.length]!(), `at ${second} s`).to.equal('value');
    }
    timed.clock.advance(5_999);
    expect(await timed.cache.get(1)).to.equal('value');
    timed.clock.advance(1);
    expect(await timed.cache.get(1)).to.equal(undefined);
  });

  it('is not moved by has and ttl, nor by a read within a tenth of it', async () => {
    await timed.cache.set(1, 'value');
    timed.clock.advance(999);
    await timed.cache.get(1);
    timed.clock.advance('8s');
    await timed.cache.has(1);
    await timed.cache.ttl(1);
    timed.clock.advance(1_001);
    expect(await timed.cache.get(1)).to.equal(undefined);
  });

  it('goes on after expire, and does not go beyond it', async () => {
    await timed.cache.set(1, 'value');
    expect(await timed.cache.expire(1, '15s')).to.equal(true);
    timed.clock.advance('8s');
    expect(await timed.cache.get(1)).to.equal('value');
    timed.clock.advance(6_999);
    expect(await timed.cache.get(1)).to.equal('value');
    timed.clock.advance(1);
    expect(await timed.cache.get(1)).to.equal(undefined);
    await timed.cache.set(2, 'value');
    await timed.cache.expire(2, '15s');
    timed.clock.advance('10s');
    expect(await timed.cache.get(2)).to.equal(undefined);
  });

  it('holds for entries without an end', async () => {
    await timed.cache.set(1, 'value', { ttl: Infinity });
    for (let read = 0; read < 20; read++) {
      timed.clock.advance('9s');
      expect(await timed.cache.get(1)).to.equal('value');
    }
    timed.clock.advance('10s');
    expect(await timed.cache.get(1)).to.equal(undefined);
  });

  it('brings nothing back that was invalidated', async () => {
    await timed.cache.set(1, 'value');
    timed.clock.advance('5s');
    const get = timed.backend.hold('get', 'response');
    const reading = timed.cache.get(1);
    await get.arrived();
    await timed.cache.delete(1);
    get.release();
    expect(await reading).to.equal('value');
    expect(await timed.cache.get(1)).to.equal(undefined);
  });
});
