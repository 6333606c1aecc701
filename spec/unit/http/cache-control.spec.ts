import { expect } from 'chai';
import fc from 'fast-check';
import {
  type CacheControl,
  emptyCacheControl,
  INVALID_SECONDS,
  parseCacheControl,
} from '#internal/http/cache-control.js';
import { MAX_DELTA_SECONDS } from '#internal/http/delta-seconds.js';

/** What was read, without what an empty field has too. */
function read(text: string): Partial<CacheControl> {
  const empty: Record<string, unknown> = { ...emptyCacheControl() };
  const found = Object.entries(parseCacheControl(text)).filter(
    ([name, value]) => value !== empty[name],
  );
  return Object.fromEntries(found) as Partial<CacheControl>;
}

describe('parseCacheControl', () => {
  const READINGS: readonly (readonly [string, Partial<CacheControl>])[] = [
    ['', {}],
    [' , ,', {}],
    ['max-age=60', { maxAge: 60 }],
    ['MaX-aGe=60', { maxAge: 60 }],
    ['max-age=0060', { maxAge: 60 }],
    ['max-age="60"', { maxAge: 60 }],
    ['max-age=99999999999', { maxAge: MAX_DELTA_SECONDS }],
    ['max-age=60, max-age=1', { maxAge: 60 }],
    ['max-age=1, max-age=60', { maxAge: 1 }],
    ['max-age=x, max-age=60', { maxAge: INVALID_SECONDS }],
    ['max-age', { maxAge: INVALID_SECONDS }],
    ['max-age=-60', { maxAge: INVALID_SECONDS }],
    ["max-age='60'", { maxAge: INVALID_SECONDS }],
    ['max-age=60.0', { maxAge: INVALID_SECONDS }],
    ['max-age=60a', { maxAge: INVALID_SECONDS }],
    ['max-age=""', { maxAge: INVALID_SECONDS }],
    ['s-maxage=5,max-age=60', { sMaxage: 5, maxAge: 60 }],
    ['\tmax-age=60 \t, public ', { maxAge: 60, public: true }],
    ['public="a"', {}],
    ['public=1', {}],
    ['must-understand', { mustUnderstand: true }],
    ['must-revalidate=no', { mustRevalidate: true }],
    ['proxy-revalidate, must-revalidate', { proxyRevalidate: true, mustRevalidate: true }],
    ['no-cache', { noCache: true }],
    ['no-cache="a, b"', { noCache: true }],
    ['no-cache=""', { noCache: true }],
    ['stale-while-revalidate=9, stale-if-error=8', { staleWhileRevalidate: 9, staleIfError: 8 }],
    ['min-fresh=3, max-stale', { minFresh: 3, maxStale: Infinity }],
    ['max-stale=4, only-if-cached', { maxStale: 4, onlyIfCached: true }],
    ['immutable, no-transform, foobar="a\\"b, max-age=1"', {}],
    ['extension="max-age=3600", max-age=1', { maxAge: 1 }],
    ['private', { private: true, mentionsPrivate: true }],
    ['PRIVATE=""', { private: true, mentionsPrivate: true }],
    ['private="set-cookie"', { private: true, mentionsPrivate: true }],
    ['No-StOrE', { noStore: true, mentionsNoStore: true }],
    // Faults: what could be read was read.
    ['max-age =60', { fault: true }],
    ['max-age= 60', { fault: true }],
    ['max-age=60; public', { fault: true }],
    ['max-age=60 public', { fault: true }],
    ['=60, max-age=1', { fault: true, maxAge: 1 }],
    ['"max-age=60", max-age=1', { fault: true, maxAge: 1 }],
    ['a="b"c, max-age=1', { fault: true, maxAge: 1 }],
    ['max-age=1, a="max-age=60', { fault: true, maxAge: 1 }],
    ['m\u00e4x=1, max-age=1', { fault: true, maxAge: 1 }],
    // Words that forbid, wherever they are.
    ['max-age=60; private', { fault: true, mentionsPrivate: true }],
    ['ext="private"', { mentionsPrivate: true }],
    ['no_store', { mentionsNoStore: true }],
    ['no store', { fault: true, mentionsNoStore: true }],
    ['"no-store', { fault: true, mentionsNoStore: true }],
    ['no, store', {}],
  ];
  for (const [text, expected] of READINGS) {
    it(`reads ${JSON.stringify(text)}`, () => expect(read(text)).to.deep.equal(expected));
  }

  it('reads its own words back from any list of sound directives', () => {
    const seconds = fc.integer({ min: 0, max: 2_000_000_000 });
    const space = fc.constantFrom('', ' ', '\t', '  ');
    fc.assert(
      fc.property(seconds, seconds, fc.boolean(), space, (maxAge, window, isPublic, gap) => {
        const members = [`Max-Age=${maxAge}`, `stale-if-error="${window}"`, 'x="a,b\\",c"'];
        if (isPublic) members.push('pubLIC');
        const expected: Partial<CacheControl> = { maxAge, staleIfError: window };
        if (isPublic) Object.assign(expected, { public: true });
        expect(read(members.join(`${gap},${gap}`))).to.deep.equal(expected);
      }),
    );
  });

  it('never throws, and never takes back a directive for what follows it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (rest) => {
        expect(parseCacheControl(`no-cache, max-age=0,${rest}`)).to.include({
          noCache: true,
          maxAge: 0,
        });
      }),
      { numRuns: 2000 },
    );
  });
});
