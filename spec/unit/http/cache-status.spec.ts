import { expect } from 'chai';
import fc from 'fast-check';
import { parseList, Token } from 'structured-headers';
import { type CacheOutcome, formatCacheStatus } from '#internal/http/cache-status.js';

/** The field as another library reads it: the cache and its parameters. */
function readBack(text: string): { cache: string; parameters: Record<string, unknown> } {
  const members = parseList(text);
  expect(members).to.have.length(1);
  const [cache, parameters] = members[0]!;
  const plain = [...parameters].map(([name, value]) => [
    name,
    value instanceof Token ? String(value) : value,
  ]);
  return { cache: String(cache), parameters: Object.fromEntries(plain) as Record<string, unknown> };
}

describe('formatCacheStatus', () => {
  const miss = { cache: 'cachewell', hit: false } as const;
  const ROWS: readonly (readonly [CacheOutcome, string])[] = [
    [{ cache: 'cachewell', hit: true }, 'cachewell; hit'],
    [{ cache: 'cachewell', hit: true, ttl: 30 }, 'cachewell; hit; ttl=30'],
    [{ cache: 'cachewell', hit: true, ttl: -5 }, 'cachewell; hit; ttl=-5'],
    [{ ...miss, fwd: 'uri-miss' }, 'cachewell; fwd=uri-miss'],
    [
      { ...miss, fwd: 'uri-miss', stored: true, ttl: 60 },
      'cachewell; fwd=uri-miss; ttl=60; stored',
    ],
    [{ ...miss, fwd: 'uri-miss', collapsed: true }, 'cachewell; fwd=uri-miss; collapsed'],
    [{ ...miss, fwd: 'vary-miss', stored: false }, 'cachewell; fwd=vary-miss'],
    [{ ...miss, fwd: 'miss' }, 'cachewell; fwd=miss'],
    [
      { ...miss, fwd: 'stale', fwdStatus: 304, stored: true },
      'cachewell; fwd=stale; fwd-status=304; stored',
    ],
    [{ ...miss, fwd: 'bypass', detail: 'set-cookie' }, 'cachewell; fwd=bypass; detail=set-cookie'],
    [{ ...miss, fwd: 'method' }, 'cachewell; fwd=method'],
    [{ ...miss, fwd: 'request' }, 'cachewell; fwd=request'],
    [{ ...miss, fwd: 'partial' }, 'cachewell; fwd=partial'],
    [{ cache: 'my cache', hit: true }, '"my cache"; hit'],
    [{ cache: 'c', hit: true, key: 'GET:a"\\b' }, 'c; hit; key="GET:a\\"\\\\b"'],
    [{ cache: 'c', hit: true, detail: 'two words' }, 'c; hit; detail="two words"'],
    [{ cache: 'c', hit: true, key: 'a\r\nb\u00fc' }, 'c; hit; key="a??b?"'],
  ];
  for (const [outcome, expected] of ROWS) {
    it(`writes ${expected}`, () => {
      const text = formatCacheStatus(outcome);
      expect(text).to.equal(expected);
      const { cache, parameters } = readBack(text);
      expect(cache).to.equal(outcome.cache);
      expect(parameters['hit'] ?? false).to.equal(outcome.hit);
      expect(parameters['ttl']).to.equal(outcome.ttl);
      if (!outcome.hit) expect(parameters['fwd']).to.equal(outcome.fwd);
    });
  }

  it('stays readable and on one line whatever the texts hold', () => {
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(text, text, text, (cache, key, detail) => {
        const field = formatCacheStatus({ cache: `c${cache}`, hit: true, key, detail });
        expect(field).to.match(/^[ -~]*$/);
        expect(readBack(field).parameters).to.include({ hit: true });
      }),
    );
  });
});
