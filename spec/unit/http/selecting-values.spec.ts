import { expect } from 'chai';
import fc from 'fast-check';
import type { FieldMap } from '#internal/http/http-message.js';
import { selectingValues, selectsVariant, varyNames } from '#internal/http/selecting-values.js';
import { storedHead } from '../../support/http-messages.js';

describe('varyNames', () => {
  const ROWS: readonly (readonly [string | undefined, readonly string[] | undefined])[] = [
    [undefined, []],
    ['', []],
    ['Foo', ['foo']],
    ['Foo, bar,,FOO', ['bar', 'foo']],
    ['*', undefined],
    ['*, *', undefined],
    [', *', undefined],
    ['Foo, *', undefined],
    ['foo bar', undefined],
    ['foo; bar', undefined],
    [Array.from({ length: 33 }, (_, index) => `x${index}`).join(','), undefined],
  ];
  for (const [field, expected] of ROWS) {
    it(`reads ${JSON.stringify(field)?.slice(0, 40)}`, () =>
      expect(varyNames(field)).to.deep.equal(expected));
  }
});

/** Whether a response that was made for `first` answers `second`. */
function isSame(name: string, first: FieldMap, second: FieldMap): boolean {
  const stored = storedHead({ vary: [name], selecting: selectingValues([name], first) });
  return selectsVariant(stored, second);
}

describe('selectsVariant', () => {
  const SAME: readonly (readonly [string, FieldMap, FieldMap])[] = [
    ['foo', {}, {}],
    ['foo', { foo: '1' }, { foo: '1' }],
    ['foo', { foo: '1, 2' }, { foo: ['1', '2'] }],
    ['foo', { foo: '1,2' }, { foo: ' 1, 2 ' }],
    ['foo', { foo: 7 }, { foo: '7' }],
    ['foo', { foo: '"a\\\\",b' }, { foo: '"a\\\\" , b' }],
    ['accept-language', { 'accept-language': 'en, de' }, { 'accept-language': 'de, en' }],
    ['accept-language', { 'accept-language': 'en, de' }, { 'accept-language': 'eN, De' }],
    ['accept-language', { 'accept-language': 'en;q=1.0' }, { 'accept-language': ' en ; q=1' }],
    [
      'accept-encoding',
      { 'accept-encoding': 'gzip, br' },
      { 'accept-encoding': 'BR,gzip;q=1.000' },
    ],
    ['cookie', { cookie: 'a=1' }, { cookie: 'a=1' }],
  ];
  for (const [name, first, second] of SAME) {
    it(`takes ${JSON.stringify(second)} for ${JSON.stringify(first)}`, () => {
      expect(isSame(name, first, second)).to.equal(true);
      expect(isSame(name, second, first)).to.equal(true);
    });
  }

  const DIFFERENT: readonly (readonly [string, FieldMap, FieldMap])[] = [
    ['foo', {}, { foo: '' }],
    ['foo', {}, { foo: '1' }],
    ['foo', { foo: '1' }, { foo: '2' }],
    ['foo', { foo: 'a' }, { foo: 'A' }],
    ['foo', { foo: '1, 2' }, { foo: '2, 1' }],
    ['foo', { foo: '"a,b"' }, { foo: '"a, b"' }],
    ['foo', { foo: '"a\\",b"' }, { foo: '"a\\", b"' }],
    ['foo', { foo: 'a b' }, { foo: 'ab' }],
    ['foo', { foo: '#x' }, { foo: '=#x' }],
    ['accept-language', { 'accept-language': 'en, de' }, { 'accept-language': 'en, de;q=0.5' }],
    ['accept-encoding', { 'accept-encoding': 'gzip' }, { 'accept-encoding': 'gzip;q=0' }],
    ['accept-encoding', { 'accept-encoding': 'gzip' }, { 'accept-encoding': 'g zip' }],
    ['cookie', { cookie: 'a=1, b=2' }, { cookie: 'a=1,b=2' }],
    ['authorization', { authorization: 'Bearer a' }, { authorization: 'bearer a' }],
  ];
  for (const [name, first, second] of DIFFERENT) {
    it(`tells ${JSON.stringify(second)} from ${JSON.stringify(first)}`, () => {
      expect(isSame(name, first, second)).to.equal(false);
      expect(isSame(name, second, first)).to.equal(false);
    });
  }

  it('compares all fields', () => {
    const vary = ['bar', 'foo'];
    const stored = storedHead({ vary, selecting: selectingValues(vary, { foo: '1', bar: '2' }) });
    expect(selectsVariant(stored, { foo: '1', bar: '2', other: '3' })).to.equal(true);
    expect(selectsVariant(stored, { foo: '1', bar: '3' })).to.equal(false);
    expect(selectsVariant(stored, { foo: '2', bar: '2' })).to.equal(false);
  });

  describe('with a Content-Language', () => {
    const german = storedHead({
      headers: ['content-language', 'de'],
      vary: ['accept-language'],
      selecting: selectingValues(['accept-language'], { 'accept-language': 'en, de' }),
    });
    const ROWS: readonly (readonly [string, boolean])[] = [
      ['fr;q=0.5, de;q=1.0', true],
      ['DE', true],
      ['de;q=0.3, fr;q=0.2', true],
      ['fr, de', false],
      ['de;q=0.5, fr', false],
      ['de-AT', false],
      ['*', false],
      ['fr, de;q=7', false],
      ['de;q=x', false],
    ];
    for (const [wanted, expected] of ROWS) {
      it(`${expected ? 'answers' : 'does not answer'} ${wanted}`, () => {
        expect(selectsVariant(german, { 'accept-language': wanted })).to.equal(expected);
      });
    }

    it('does not answer for two languages', () => {
      const both = { ...german, headers: [...german.headers, 'Content-Language', 'fr'] };
      expect(selectsVariant(both, { 'accept-language': 'de' })).to.equal(false);
    });
  });
});

describe('selectingValues', () => {
  it('keeps no secret and nothing long', () => {
    const headers = {
      cookie: 'session=hunter2',
      authorization: 'Bearer hunter2',
      'x-api-key': 'hunter2',
      foo: 'x'.repeat(9999),
    };
    const values = selectingValues(['authorization', 'cookie', 'foo', 'x-api-key'], headers);
    expect(values.join()).not.to.contain('hunter2');
    expect(values.join().length).to.be.lessThan(200);
  });

  it('finds nothing where a request has only what every object has', () => {
    expect(selectingValues(['__proto__', 'constructor', 'foo'], {})).to.deep.equal(['', '', '']);
  });

  it('gives the same for a field and text that were seen before, and after many others', () => {
    const value = (name: string, text: string) => selectingValues([name], { [name]: text })[0];
    for (let round = 0; round < 2; round++) {
      expect(value('foo', 'B, a')).to.equal('=B,a');
      expect(value('accept-language', 'B, a')).to.equal('=a,b');
      for (let count = 0; count < 600; count++) {
        expect(value('foo', `x ,${count}`)).to.equal(`=x,${count}`);
        expect(value(`f${count % 40}`, `y ,${count}`)).to.equal(`=y,${count}`);
      }
    }
  });

  it('never confuses two values, long or short', () => {
    const value = fc.array(fc.constantFrom('a', 'b', 'A', '"', '\\', '#', '=', 'x'.repeat(130)), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(value, value, (one, other) => {
        const first = one.join('');
        const second = other.join('');
        expect(isSame('foo', { foo: first }, { foo: second })).to.equal(first === second);
      }),
      { numRuns: 2000 },
    );
  });
});
