import { expect } from 'chai';
import fc from 'fast-check';
import { choice, flag, integer } from '#internal/config/setting-kind.js';
import { time } from '#internal/config/time-kind.js';

describe('flag', () => {
  it('reads true, 1, yes, on and false, 0, no, off, in any case', () => {
    for (const word of ['true', 'True', 'TRUE', '1', 'yes', 'Yes', 'on', 'ON', ' true ']) {
      expect(flag().read(word), word).to.equal(true);
    }
    for (const word of ['false', 'False', 'FALSE', '0', 'no', 'No', 'off', 'OFF', ' false\r']) {
      expect(flag().read(word), word).to.equal(false);
    }
  });

  it('reads nothing else', () => {
    for (const word of ['', '2', 'ioredis:*', 'y', 'truee', 'constructor']) {
      expect(flag().read(word), word).to.equal(undefined);
    }
  });
});

describe('integer', () => {
  it('reads whole numbers, and leaves the range to the rules', () => {
    expect(integer(1, 10).read(' 42 ')).to.equal(42);
    expect(integer(1, 10).read('-1')).to.equal(-1);
  });

  it('reads nothing else', () => {
    for (const word of ['abc', '1.5', '1e3', '0x10', '', 'NaN', 'Infinity', '1 2']) {
      expect(integer(1, 10).read(word), word).to.equal(undefined);
    }
  });

  it('says its range', () => {
    expect(integer(0).expectedText).to.equal('a whole number >= 0');
    expect(integer(1, 10).expectedText).to.equal('a whole number from 1 to 10');
  });
});

describe('choice', () => {
  const kind = choice(['json', 'msgpack'], { mp: 'msgpack' });

  it('reads names and aliases in any case', () => {
    expect(kind.read('JSON')).to.equal('json');
    expect(kind.read(' MP ')).to.equal('msgpack');
  });

  it('reads nothing else', () => {
    for (const word of ['xml', '', 'constructor', '__proto__']) {
      expect(kind.read(word), word).to.equal(undefined);
    }
  });
});

describe('time', () => {
  const kind = time({ min: 0 });
  const cases: readonly [string, number | undefined][] = [
    ['3600', 3_600_000],
    ['0.25', 250],
    ['1.001', 1001],
    ['0', 0],
    ['250ms', 250],
    ['10s', 10_000],
    ['5m', 300_000],
    ['1H', 3_600_000],
    ['7d', 604_800_000],
    [' 1.5h ', 5_400_000],
    ['-5', -5000],
    ['-5m', undefined],
    ['0.0001', undefined],
    ['0.1ms', undefined],
    ['1 h', undefined],
    ['1w', undefined],
    ['1e3', undefined],
    ['abc', undefined],
    ['none', undefined],
    ['', undefined],
  ];
  for (const [word, ms] of cases) {
    it(`reads '${word}' as ${ms === undefined ? 'nothing' : `${ms} ms`}`, () => {
      expect(kind.read(word)).to.equal(ms);
    });
  }

  it("reads 'none' as no end, when it may", () => {
    expect(time({ min: 0, allowsNone: true }).read('None')).to.equal(Infinity);
  });

  it('says its range in units', () => {
    expect(time({ min: 1, max: 60_000 }).range).to.equal('from 1ms to 1m');
    expect(time({ min: 0, max: 7_200_000, allowsNone: true }).range).to.equal(
      'from 0 to 2h, or none',
    );
    expect(time({ min: 1500, max: 90_000 }).range).to.equal('from 1500ms to 90s');
  });

  it('reads back what it writes', () => {
    const any = time({ min: 0, allowsNone: true });
    fc.assert(
      fc.property(fc.oneof(fc.nat(), fc.constant(Infinity)), (ms) => {
        expect(any.read(any.write(ms))).to.equal(ms);
      }),
    );
  });
});
