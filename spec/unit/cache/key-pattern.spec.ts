import { expect } from 'chai';
import { keyText } from '#internal/cache/cache-key.js';
import { compilePattern, escapeGlob } from '#internal/cache/key-pattern.js';
import { InvalidOptionError } from '#internal/errors.js';
import { codeSpans, markdownTable } from '../../support/markdown-table.js';

function matches(glob: string, key: string): boolean {
  return compilePattern(glob).matches(key);
}

describe('docs/KEYS.md', () => {
  const rows = markdownTable('KEYS.md', 'pattern|matches|does not match');

  it('has patterns', () => {
    expect(rows).to.have.length.greaterThan(8);
  });

  for (const [pattern = '', matching = '', others = ''] of rows) {
    it(`${pattern} matches ${matching}, not ${others}`, () => {
      const [glob] = codeSpans(pattern);
      for (const key of codeSpans(matching)) expect(matches(glob!, key), key).to.equal(true);
      for (const key of codeSpans(others)) expect(matches(glob!, key), key).to.equal(false);
    });
  }
});

describe('compilePattern', () => {
  it('keeps the pattern as written', () => {
    expect(compilePattern('user **\\*').glob).to.equal('user **\\*');
  });

  it('lets * stand for nothing, for anything, and for parts', () => {
    expect(matches('*', '()')).to.equal(true);
    expect(matches('a*b', 'ab')).to.equal(true);
    expect(matches('a*b', 'a:x:b')).to.equal(true);
    expect(matches('a**b*', 'aXbY')).to.equal(true);
    expect(matches('a*b', 'abc')).to.equal(false);
    expect(matches('*ab', 'aab')).to.equal(true);
    expect(matches('*ab*ac', 'abXabYac')).to.equal(true);
    expect(matches('?*', '')).to.equal(false);
  });

  it('reads sets with ranges, negation, escapes and a closing hyphen', () => {
    expect(matches('[a-c]', 'b')).to.equal(true);
    expect(matches('[a-c]', 'd')).to.equal(false);
    expect(matches('[a-c]', 'bb')).to.equal(false);
    expect(matches('[^a-c]x', 'dx')).to.equal(true);
    expect(matches('[^a-c]x', 'ax')).to.equal(false);
    expect(matches('[a-]', '-')).to.equal(true);
    expect(matches('[a-]', 'b')).to.equal(false);
    expect(matches('[a\\-c]', 'b')).to.equal(false);
    expect(matches('[a\\-c]', '-')).to.equal(true);
    expect(matches('[:,]x', ':x')).to.equal(true);
    expect(matches('[0-9][0-9]', '42')).to.equal(true);
    expect(matches('[%]20', '%20')).to.equal(true);
  });

  it('takes a character that no key text holds for its escape', () => {
    expect(matches(' "', '%20%22')).to.equal(true);
    expect(matches('{\\*}', '%7B%2A%7D')).to.equal(true);
    expect(matches('漢😀\ud83d', keyText('漢😀\ud83d'))).to.equal(true);
    expect(matches('\\😀', keyText('😀'))).to.equal(true);
    expect(matches('\\a\\:\\\\', 'a:%5C')).to.equal(true);
  });

  it('gives the literal text that matches begin with', () => {
    expect(compilePattern('user:*').literalPrefix).to.equal('user:');
    expect(compilePattern('user:7').literalPrefix).to.equal('user:7');
    expect(compilePattern('a b?').literalPrefix).to.equal('a%20b');
    expect(compilePattern('a\\**').literalPrefix).to.equal('a%2A');
    expect(compilePattern('a[b]').literalPrefix).to.equal('a');
    expect(compilePattern('*a').literalPrefix).to.equal('');
    expect(compilePattern(`${'a'.repeat(100)}*`).literalPrefix).to.equal('a'.repeat(60));
  });

  it('matches a hashed key, when what the hash hides might match', () => {
    const key = keyText(['search', 'a'.repeat(300), 'x']);
    const shown = `search:${'a'.repeat(113)}`;
    for (const glob of [
      '*',
      'search:*',
      '*:y',
      'search:a*:y',
      `${shown}b`,
      `${shown}?`,
      `${shown}*`,
    ]) {
      expect(matches(glob, key), glob).to.equal(true);
    }
    for (const glob of ['search:b*', 'search:?b*', 'search:[^a]*', 'search', shown, 'b*', '?']) {
      expect(matches(glob, key), glob).to.equal(false);
    }
  });

  it('keeps to the part at which a hashed key was cut', () => {
    const key = keyText(['a'.repeat(80), 'b'.repeat(200)]);
    expect(matches(`${'a'.repeat(80)}:*`, key)).to.equal(true);
    expect(matches(`${'a'.repeat(81)}*`, key)).to.equal(false);
    expect(matches('a'.repeat(80), key)).to.equal(false);
  });

  it('means one hashed key, when it holds the mark', () => {
    const [one, two] = [keyText(`${'x'.repeat(300)}1`), keyText(`${'x'.repeat(300)}2`)];
    expect(matches(one, one)).to.equal(true);
    expect(matches(one, two)).to.equal(false);
    expect(matches('*~*', one)).to.equal(true);
    expect(matches('*~*', 'x')).to.equal(false);
  });

  it('takes no more steps than text times pattern', () => {
    let reads = 0;
    const text = new Proxy(Object('a'.repeat(200)) as object, {
      get: (target, name) => {
        if (typeof name === 'string' && /^\d+$/.test(name)) reads++;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const glob = `${'*a'.repeat(100)}*b`;
    expect(compilePattern(glob).matches(text as unknown as string)).to.equal(false);
    expect(reads).to.be.within(1, glob.length * 200);
  });

  const refused: readonly (readonly [string, unknown, string])[] = [
    ['an empty text', '', 'expected a glob'],
    ['undefined', undefined, 'expected a glob'],
    ['a regular expression', /a/, 'expected a glob'],
    ['an endless set', 'a[bc', 'never closed'],
    ['a set that ends in an escape', '[a\\]', 'never closed'],
    ['an empty set', '[]', 'a set is empty'],
    ['an empty negated set', '[^]', 'a set is empty'],
    ['a range that runs backwards', '[c-a]', 'backwards'],
    ['a set with what no text holds', '[a ]', 'a set can only hold'],
    ['a set with a letter beyond ASCII', '[é]', 'a set can only hold'],
    ['a set with a glob character', '[*]', 'a set can only hold'],
    ['a backslash at the end', 'a\\', 'ends in a backslash'],
    ['a text too long', 'a'.repeat(1025), 'at most 1024 characters'],
  ];
  for (const [name, glob, message] of refused) {
    it(`refuses ${name}`, () => {
      expect(() => compilePattern(glob as string))
        .to.throw(InvalidOptionError, message)
        .with.property('option', 'pattern');
    });
  }
});

describe('escapeGlob', () => {
  it('makes text of any origin reach itself and nothing else', () => {
    for (const resource of ['*', 'a*', '[a]', '?', '\\', 'a:b', 'items', "'", '~', '{x}', 'é']) {
      const glob = `GET:${escapeGlob(resource)}:*`;
      expect(matches(glob, keyText(['GET', resource, 1])), resource).to.equal(true);
      expect(matches(glob, keyText(['GET', 'other', 1])), resource).to.equal(false);
      expect(matches(glob, keyText(['GET', 'a', 'b', 1])), resource).to.equal(false);
    }
  });
});
