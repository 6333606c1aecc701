import { expect } from 'chai';
import fc from 'fast-check';
import { parseRedisUrl } from '#internal/config/redis-url.js';

describe('parseRedisUrl', () => {
  const cases: readonly [string, object][] = [
    ['redis://cache', { host: 'cache' }],
    ['redis://cache:7000/3', { host: 'cache', port: 7000, db: 3 }],
    ['redis://cache/', { host: 'cache' }],
    ['rediss://cache', { host: 'cache', ssl: true }],
    ['REDISS://cache', { host: 'cache', ssl: true }],
    ['redis://:secret@cache', { host: 'cache', password: 'secret' }],
    ['redis://ada:p%40ss%2F@cache', { host: 'cache', username: 'ada', password: 'p@ss/' }],
    ['redis://[::1]:6380', { host: '::1', port: 6380 }],
  ];
  for (const [url, parts] of cases) {
    it(`reads ${url}`, () => {
      expect(parseRedisUrl(url)).to.deep.equal(parts);
    });
  }

  for (const url of [
    '',
    'cache:6379',
    'http://cache',
    'redis://',
    'redis:///3',
    'redis://cache:0',
    'redis://cache:99999',
    'redis://cache:port',
    'redis://cache/three',
    'redis://cache/3/4',
    'redis://cache/12345678901',
    'redis://:%zz@cache',
  ]) {
    it(`refuses '${url}'`, () => {
      expect(parseRedisUrl(url)).to.equal(undefined);
    });
  }

  it('gives back any credentials', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1 }),
        fc.string({ unit: 'grapheme', minLength: 1 }),
        (username, password) => {
          const url = `redis://${encodeURIComponent(username)}:${encodeURIComponent(password)}@cache`;
          expect(parseRedisUrl(url)).to.deep.equal({ host: 'cache', username, password });
        },
      ),
    );
  });
});
