import { expect } from 'chai';
import { INVALID_SECONDS } from '#internal/http/cache-control.js';
import { effectiveControl, parseTargeted } from '#internal/http/targeted-control.js';

const NAMES = ['cachewell-cache-control', 'cdn-cache-control'];

describe('parseTargeted', () => {
  const READINGS: readonly (readonly [string, object])[] = [
    ['max-age=60', { maxAge: 60, fault: false }],
    ['s-maxage=5', { sMaxage: 5 }],
    ['max-age=-1', { maxAge: INVALID_SECONDS, fault: false }],
    ['max-age=99999999999', { maxAge: 2_147_483_648 }],
    ['max-age=60;x=1, foobar', { maxAge: 60, fault: false }],
    ['max-age=1, max-age=2', { maxAge: 2 }],
    ['stale-while-revalidate=3, stale-if-error=4', { staleWhileRevalidate: 3, staleIfError: 4 }],
    ['public, must-understand', { public: true, mustUnderstand: true }],
    ['public=?0', { public: false }],
    ['public="x"', { public: false, fault: false }],
    [
      'no-cache, must-revalidate, proxy-revalidate',
      { noCache: true, mustRevalidate: true, proxyRevalidate: true },
    ],
    ['no-cache="a"', { noCache: true }],
    ['no-cache=?0', { noCache: false }],
    ['no-store', { noStore: true, mentionsNoStore: true }],
    ['private', { private: true, mentionsPrivate: true }],
    ['private=?0', { private: false, mentionsPrivate: true }],
    ['', { fault: true }],
    ['max-age="60"', { fault: true }],
    ['max-age=60.5', { fault: true }],
    ['max-age', { fault: true }],
    ['MAX-AGE=60', { fault: true }],
    ['Private', { fault: true, mentionsPrivate: true }],
  ];
  for (const [text, expected] of READINGS) {
    it(`reads ${JSON.stringify(text)}`, () => expect(parseTargeted(text)).to.include(expected));
  }
});

describe('effectiveControl', () => {
  it('is that of Cache-Control where no targeted field is there', () => {
    const { control, targetedBy, isStated } = effectiveControl(
      { 'cache-control': 'max-age=1' },
      NAMES,
    );
    expect([control.maxAge, targetedBy, isStated]).to.deep.equal([1, undefined, true]);
  });

  it('says that nothing is stated where no field is there', () => {
    expect(effectiveControl({}, NAMES).isStated).to.equal(false);
  });

  it('joins the lines of Cache-Control', () => {
    const { control } = effectiveControl({ 'cache-control': ['max-age=1', 'no-cache'] }, NAMES);
    expect(control).to.include({ maxAge: 1, noCache: true });
  });

  it('is that of the first valid targeted field, which replaces the rest', () => {
    const fields = {
      'cdn-cache-control': 'max-age=3',
      'cachewell-cache-control': 'max-age=2',
      'cache-control': 'no-store',
    };
    const { control, targetedBy, forbidden } = effectiveControl(fields, NAMES);
    expect(control).to.include({ maxAge: 2, noStore: false });
    expect([targetedBy, forbidden]).to.deep.equal(['cachewell-cache-control', undefined]);
  });

  it('goes on to the next field after a broken or empty one', () => {
    const fields = { 'cachewell-cache-control': 'max-age=', 'cdn-cache-control': 'max-age=3' };
    expect(effectiveControl(fields, NAMES)).to.deep.include({
      targetedBy: 'cdn-cache-control',
      forbidden: undefined,
    });
    const empty = { 'cdn-cache-control': '', 'cache-control': 'max-age=3' };
    expect(effectiveControl(empty, NAMES)).to.deep.include({
      targetedBy: undefined,
      forbidden: undefined,
    });
  });

  it('forbids storing for a broken field that tried to, whatever follows', () => {
    const fields = { 'cachewell-cache-control': 'Private', 'cdn-cache-control': 'max-age=3' };
    expect(effectiveControl(fields, NAMES).forbidden).to.equal('private');
    expect(effectiveControl({ 'cdn-cache-control': 'no-store,' }, NAMES).forbidden).to.equal(
      'no-store',
    );
  });

  it('reads no field that is not asked for', () => {
    expect(effectiveControl({ 'cdn-cache-control': 'max-age=3' }, []).isStated).to.equal(false);
  });
});
