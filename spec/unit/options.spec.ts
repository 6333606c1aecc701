import { expect } from 'chai';
import { InvalidOptionError } from '#internal/errors.js';
import {
  describeValue,
  expectBoolean,
  expectFunction,
  expectInteger,
  expectNumber,
  expectOneOf,
  expectOptions,
  expectText,
  nearest,
  rejectUnknown,
} from '#internal/options.js';

describe('The checks of options', () => {
  describe('rejectUnknown', () => {
    const known = ['maxEntries', 'maxBytes', 'isolation'];

    it('passes known options, undefined ones and none', () => {
      rejectUnknown('Memory', { maxEntries: 1, isolation: undefined }, known);
      rejectUnknown('Memory', {}, known);
    });

    it('proposes the nearest name, whatever its case', () => {
      for (const [given, meant] of [
        ['maxEntrys', 'maxEntries'],
        ['MAXBYTES', 'maxBytes'],
        ['isolatoin', 'isolation'],
      ] as const) {
        expect(() => rejectUnknown('Memory', { [given]: 1 }, known)).to.throw(
          InvalidOptionError,
          `Memory.${given}: there is no such option; did you mean '${meant}'?`,
        );
      }
    });

    it('lists what there is, when nothing is near', () => {
      expect(() => rejectUnknown('Memory', { colour: 1 }, known)).to.throw(
        'Memory.colour: there is no such option; known options: maxEntries, maxBytes, isolation',
      );
    });

    it('refuses an unknown option even if it is undefined', () => {
      expect(() => rejectUnknown('Memory', { maxEntrys: undefined }, known)).to.throw(
        InvalidOptionError,
      );
    });

    it('does not take what every object inherits for known', () => {
      expect(() => rejectUnknown('Memory', { toString: 1 }, known)).to.throw(
        InvalidOptionError,
        'Memory.toString',
      );
    });
  });

  describe('expectOptions', () => {
    it('passes objects, also without prototype', () => {
      expectOptions('X', {});
      expectOptions('X', Object.create(null));
    });

    it('refuses everything else', () => {
      for (const value of [undefined, null, 1, 'text', [], () => undefined]) {
        expect(() => expectOptions('X', value)).to.throw(
          InvalidOptionError,
          /^X: expected an object of options, got /,
        );
      }
    });
  });

  describe('expectInteger', () => {
    it('gives a whole number within the bounds, both included', () => {
      for (const value of [0, 1, 10]) expect(expectInteger('X.n', value, 0, 10)).to.equal(value);
    });

    it('gives Infinity only without an upper bound', () => {
      expect(expectInteger('X.n', Infinity, 0, Infinity)).to.equal(Infinity);
      expect(() => expectInteger('X.n', Infinity, 0, 10)).to.throw(InvalidOptionError);
      expect(() => expectInteger('X.n', -Infinity, -Infinity, Infinity)).to.throw(
        InvalidOptionError,
      );
    });

    it('refuses everything else, with the bounds', () => {
      for (const value of [-1, 11, 0.5, NaN, '1', 1n, null, undefined, true]) {
        expect(() => expectInteger('X.n', value, 0, 10)).to.throw(
          InvalidOptionError,
          'X.n: expected a whole number >= 0 and <= 10, got ',
        );
      }
      expect(() => expectInteger('X.n', 0, 1, Infinity)).to.throw(
        'X.n: expected a whole number >= 1, got 0 (number)',
      );
    });
  });

  describe('expectNumber', () => {
    it('gives a number within the bounds, both included', () => {
      for (const value of [0, 0.1, 1]) expect(expectNumber('X.n', value, 0, 1)).to.equal(value);
    });

    it('refuses everything else, with the bounds', () => {
      for (const value of [-0.1, 1.1, NaN, Infinity, '0.5', null, undefined]) {
        expect(() => expectNumber('X.n', value, 0, 1)).to.throw(
          InvalidOptionError,
          'X.n: expected a number from 0 to 1, got ',
        );
      }
    });
  });

  describe('expectOneOf', () => {
    it('gives a value that is allowed, by identity', () => {
      expect(expectOneOf('X.mode', 'local', ['local', false])).to.equal('local');
      expect(expectOneOf('X.mode', false, ['local', false])).to.equal(false);
    });

    it('refuses everything else, with what is allowed', () => {
      for (const value of ['Local', true, 0, null, undefined]) {
        expect(() => expectOneOf('X.mode', value, ['local', false])).to.throw(
          InvalidOptionError,
          "X.mode: expected 'local' or false, got ",
        );
      }
    });
  });

  describe('expectText', () => {
    it('gives a text of one character or more', () => {
      expect(expectText('X.name', ' ')).to.equal(' ');
    });

    it('refuses the empty text and other kinds', () => {
      for (const value of ['', 1, null, undefined, ['a']]) {
        expect(() => expectText('X.name', value)).to.throw(
          InvalidOptionError,
          'X.name: expected a text, got ',
        );
      }
    });
  });

  describe('expectFunction', () => {
    it('passes functions and classes', () => {
      expectFunction('X.call', () => undefined);
      expectFunction('X.call', class {});
    });

    it('refuses everything else', () => {
      for (const value of [{}, 'f', null, undefined]) {
        expect(() => expectFunction('X.call', value)).to.throw(
          InvalidOptionError,
          'X.call: expected a function, got ',
        );
      }
    });
  });

  describe('expectBoolean', () => {
    it('gives true and false', () => {
      expect(expectBoolean('X.on', true)).to.equal(true);
      expect(expectBoolean('X.on', false)).to.equal(false);
    });

    it('refuses what only looks like it', () => {
      for (const value of [0, 1, 'true', '', null, undefined]) {
        expect(() => expectBoolean('X.on', value)).to.throw(
          InvalidOptionError,
          'X.on: expected true or false, got ',
        );
      }
    });
  });

  describe('describeValue', () => {
    it('shows plain values with their kind', () => {
      expect(describeValue(5)).to.equal('5 (number)');
      expect(describeValue('a')).to.equal("'a' (string)");
      expect(describeValue(5n)).to.equal('5n (bigint)');
      expect(describeValue(Symbol('s'))).to.equal('Symbol(s) (symbol)');
      expect(describeValue(null)).to.equal('null');
      expect(describeValue(undefined)).to.equal('undefined');
    });

    it('never shows the inside of an object, nor runs its code', () => {
      const secret = {
        password: 'secret',
        toString: () => 'secret',
        get key() {
          throw new Error('read');
        },
      };
      expect(describeValue(secret)).to.equal('an object');
      expect(describeValue(['secret'])).to.equal('an array');
      expect(describeValue(() => 'secret')).to.equal('a function');
    });

    it('cuts long texts', () => {
      expect(describeValue('x'.repeat(1000))).to.equal(`'${'x'.repeat(59)}… (string)`);
    });
  });

  describe('nearest', () => {
    it('gives the name with the fewest changes', () => {
      expect(nearest('cahce', ['cache', 'cached'])).to.equal('cache');
      expect(nearest('ttls', ['ttl', 'tls'])).to.equal('ttl');
    });

    it('gives nothing, when more than a third, and more than two letters, would have to change', () => {
      expect(nearest('ttl', ['prefix'])).to.equal(undefined);
      expect(nearest('abc', ['abcde'])).to.equal('abcde');
      expect(nearest('abc', ['abcdef'])).to.equal(undefined);
      expect(nearest('abcdefghi', ['abcdefghi123'])).to.equal('abcdefghi123');
      expect(nearest('abcdefghi', ['abcdefghi1234'])).to.equal(undefined);
      expect(nearest('ttl', [])).to.equal(undefined);
    });
  });
});
