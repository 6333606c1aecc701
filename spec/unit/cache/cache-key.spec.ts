import { runInThisContext } from 'node:vm';
import { expect } from 'chai';
import {
  argumentsKey,
  cacheSegment,
  isHashedKey,
  type KeyPart,
  keyText,
  MAX_KEY_TEXT_LENGTH,
} from '#internal/cache/cache-key.js';
import { keyErrorOf } from '../../support/key-error.js';
import { codeSpans, markdownTable } from '../../support/markdown-table.js';

function isKeyPart(value: unknown): value is KeyPart {
  return value === null || typeof value !== 'object' || value instanceof Date;
}

describe('docs/KEYS.md', () => {
  const rows = markdownTable('KEYS.md', 'arguments|key text');

  it('has examples', () => {
    expect(rows).to.have.length.greaterThan(50);
  });

  for (const [expressions = '', expected = ''] of rows) {
    const source = codeSpans(expressions)[0] ?? '';
    it(`(${source}) has the key text ${expected}`, () => {
      const args = runInThisContext(`[${source}]`) as unknown[];
      const text = codeSpans(expected)[0]!;
      expect(argumentsKey(args)).to.equal(text);
      if (!args.every(isKeyPart)) return;
      expect(keyText(args)).to.equal(text);
      if (args.length === 1) expect(keyText(args[0])).to.equal(text);
    });
  }
});

describe('keyText', () => {
  it('gives one part the key of its tuple, when it is the only one', () => {
    for (const part of ['a', '', '42', 7, -0, 7n, true, null, undefined, new Date(5)]) {
      expect(keyText(part)).to.equal(keyText([part]));
    }
  });

  it('drops undefined at the end, and only there', () => {
    expect(keyText(['a', undefined, undefined])).to.equal('a');
    expect(keyText([undefined, undefined])).to.equal('()');
    expect(keyText([undefined, 'a'])).to.equal('undefined:a');
    expect(keyText(['a', null])).to.equal('a:null');
  });

  it('marks a string exactly when a number or bigint prints like it', () => {
    const marked = ['0', '-1', '1.5', '1e+21', '5e-324', '0.1', '-Infinity', '0n', '-7n', '10n'];
    const longest = '-0.0000012345678901234567';
    for (const text of [...marked, longest, '1.7976931348623157e+308']) {
      expect(keyText(text)).to.equal(`'${text}`);
    }
    const plain = [
      '-',
      'n',
      '-n',
      '-0n',
      '01',
      '01n',
      '1.0',
      '1e21',
      '+1',
      '.5',
      '1_000',
      '0x10',
      '1.5n',
    ];
    for (const text of [...plain, '99999999999999999999999999', '--1', '1nn', 'nan', 'True']) {
      expect(keyText(text)).to.equal(text);
    }
    expect(String(Number(longest))).to.equal(longest);
  });

  it('encodes UTF-8, when characters are beyond ASCII, and keeps lone surrogates apart', () => {
    for (const text of ['ß', 'Zażółć', '漢字', '😀', '\u{10ffff}', '\u2028', '\u0000', '\u007f']) {
      const key = keyText(text);
      expect(key).to.match(/^[\w%]+$/);
      expect(decodeURIComponent(key)).to.equal(text);
    }
    const surrogates = ['\ud800', '\udbff', '\udc00', '\udfff', '\ufffd', '\udc00\ud800'];
    expect(new Set(surrogates.map((text) => keyText(text)))).to.have.property('size', 6);
  });

  it('hashes long texts of every kind', () => {
    expect(isHashedKey(keyText('x'.repeat(200)))).to.equal(false);
    for (const key of ['x'.repeat(201), 10n ** 200n, ['a', 10n ** 200n], ["'".repeat(67)]]) {
      const text = keyText(key);
      expect(isHashedKey(text)).to.equal(true);
      expect(text.length).to.be.at.most(MAX_KEY_TEXT_LENGTH);
    }
  });

  // oxlint-disable-next-line unicorn/no-thenable -- what is not a Promise and behaves like one
  const thenable = { then: () => 1 };
  const refused: readonly (readonly [string, unknown, string, string])[] = [
    ['an object', {}, 'key', 'key is an object; a key part is a string, number'],
    ['an object in a tuple', ['a', {}], 'key[1]', 'key[1] is an object'],
    ['a nested array', ['a', ['b']], 'key[1]', 'key[1] is an array'],
    ['a function', () => 1, 'key', 'key is a function'],
    ['a symbol', [Symbol('s')], 'key[0]', 'key[0] is a symbol'],
    ['an invalid Date', [1, new Date(NaN)], 'key[1]', 'key[1] is an invalid Date'],
    ['a Buffer', Buffer.from('a'), 'key', 'key is an instance of Buffer'],
    ['a promise', Promise.resolve(1), 'key', 'key is a promise: key functions must be synchronous'],
    [
      'a promise in a tuple',
      [1, Promise.resolve(1)],
      'key[1]',
      'key functions must be synchronous',
    ],
    ['a thenable', [thenable], 'key[0]', 'key[0] is a promise'],
  ];
  for (const [name, key, path, message] of refused) {
    it(`refuses ${name}, naming its place`, () => {
      const error = keyErrorOf(() => keyText(key as KeyPart));
      expect(error.path).to.equal(path);
      expect(error.message).to.include(message);
    });
  }

  it('calls the key as it is told', () => {
    const error = keyErrorOf(() => keyText([1, {} as KeyPart], 'keys[3]'));
    expect(error.path).to.equal('keys[3][1]');
  });

  it('reports what a proxy throws, as the cause', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const error = keyErrorOf(() => keyText(proxy as KeyPart));
    expect(error.path).to.equal('key');
    expect(error.cause).to.be.instanceOf(TypeError);
  });
});

describe('cacheSegment', () => {
  it('leaves an ordinary name as it is', () => {
    for (const name of ['users', 'UserService.find', 'v2', 'user_list-1', '42', '@scope/name']) {
      expect(cacheSegment(name)).to.equal(name);
    }
  });

  it('lets nothing through that separates, matches or tags', () => {
    expect(cacheSegment('a:b')).to.equal('a%3Ab');
    expect(cacheSegment('*?[]\\{}~')).to.equal('%2A%3F%5B%5D%5C%7B%7D%7E');
    expect(cacheSegment('a%3Ab')).to.equal('a%253Ab');
  });
});
