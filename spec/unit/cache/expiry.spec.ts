import { expect } from 'chai';
import { BUILT_IN_DEFAULTS, resolveCacheSettings } from '#internal/cache/cache-settings.js';
import { timeToLive } from '#internal/cache/expiry.js';
import { InvalidOptionError } from '#internal/errors.js';

describe('timeToLive', () => {
  const settings = (definition: object) => resolveCacheSettings('a', definition, BUILT_IN_DEFAULTS);
  const half = (): number => 0.5;

  const TABLE: readonly (readonly [
    title: string,
    value: unknown,
    choice: object,
    definition: object,
    expected: number,
  ])[] = [
    ['the built-in hour', 'v', {}, {}, 3_600_000],
    ["the cache's", 'v', {}, { ttl: '10s' }, 10_000],
    ["the choice over the cache's", 'v', { ttl: '1s' }, { ttl: '10s' }, 1_000],
    ['0 = not at all', 'v', { ttl: 0 }, { ttl: '10s' }, 0],
    ['endless', 'v', { ttl: Infinity }, {}, Infinity],
    ['cut to maxTtl', 'v', { ttl: '1h' }, { maxTtl: '1m' }, 60_000],
    ['endless, cut to maxTtl', 'v', { ttl: Infinity }, { maxTtl: '1m' }, 60_000],
    ['null by the ttl', null, { ttl: '1s' }, {}, 1_000],
    ['null by the nullTtl of the cache', null, { ttl: '1s' }, { nullTtl: '2s' }, 2_000],
    ['null by the chosen nullTtl', null, { ttl: '1s', nullTtl: '3s' }, { nullTtl: '2s' }, 3_000],
    ['null kept out', null, { nullTtl: 0 }, {}, 0],
    ['nullTtl for null alone', 0, { ttl: '1s', nullTtl: 0 }, {}, 1_000],
    ['jitter in the middle', 'v', { ttl: 1_000, jitter: 0.5 }, {}, 1_000],
    ['no jitter on an endless one', 'v', { ttl: Infinity, jitter: 0.5 }, {}, Infinity],
    ['no jitter on 0', 'v', { ttl: 0, jitter: 1 }, {}, 0],
  ];
  for (const [title, value, choice, definition, expected] of TABLE) {
    it(`is ${title}`, () => {
      expect(timeToLive(value, choice, settings(definition), half)).to.equal(expected);
    });
  }

  it('spreads by the jitter, both ways', () => {
    const cache = settings({ ttl: 1_000, jitter: 0.1 });
    expect(timeToLive('v', {}, cache, () => 0)).to.equal(900);
    expect(timeToLive('v', {}, cache, () => 0.999_999)).to.be.closeTo(1_100, 0.01);
    expect(timeToLive('v', { jitter: 0 }, cache, () => 0)).to.equal(1_000);
  });

  it('never spreads to 0, and never beyond maxTtl', () => {
    expect(timeToLive('v', { ttl: 1_000, jitter: 1 }, settings({}), () => 0)).to.equal(1);
    expect(
      timeToLive('v', { ttl: 1_000, jitter: 1 }, settings({ maxTtl: 1_500 }), () => 0.99),
    ).to.equal(1_500);
  });

  it('refuses what is no duration', () => {
    expect(() => timeToLive('v', { ttl: -1 }, settings({}), half)).to.throw(
      InvalidOptionError,
      'a.ttl',
    );
    expect(() => timeToLive(null, { nullTtl: 'soon' as never }, settings({}), half)).to.throw(
      'a.nullTtl',
    );
  });
});
