import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { isHashedKey, keyText, readablePrefix } from '#internal/cache/cache-key.js';

describe('a hashed key', () => {
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

  it('ends its readable prefix after a part, when that leaves half of it', () => {
    const parts = ['search', 'a'.repeat(60), 'b'.repeat(60), 'c'.repeat(90)];
    const key = keyText(parts);
    expect(key).to.equal(`search:${'a'.repeat(60)}:~${sha256(parts.join(':'))}`);
    expect(readablePrefix(key)).to.equal(`search:${'a'.repeat(60)}:`);
  });

  it('shows 120 characters at most, the colon after a part included', () => {
    expect(readablePrefix(keyText(['a'.repeat(119), 'b'.repeat(99)]))).to.match(/^a{119}:$/);
    expect(readablePrefix(keyText(['a'.repeat(120), 'b'.repeat(99)]))).to.match(/^a{120}$/);
    expect(readablePrefix(keyText(['a'.repeat(59), 'b'.repeat(199)]))).to.match(/^a{59}:$/);
    expect(readablePrefix(keyText(['a'.repeat(58), 'b'.repeat(199)]))).to.match(/^a{58}:b{61}$/);
  });

  it('ends its readable prefix within a part, when there is no such end', () => {
    const key = keyText(['search', 'a'.repeat(300)]);
    expect(readablePrefix(key)).to.equal(`search:${'a'.repeat(113)}`);
    expect(key).to.have.length(120 + 1 + 43);
  });

  it('never cuts an escape', () => {
    for (let shift = 0; shift < 6; shift++) {
      const prefix = readablePrefix(keyText('a'.repeat(shift) + ' '.repeat(100)));
      expect(prefix).to.match(/^a*(%20)+$/);
      expect(prefix.length).to.be.within(118, 120);
    }
  });

  it('depends on all of the text', () => {
    const [one, two] = [keyText(`${'x'.repeat(500)}1`), keyText(`${'x'.repeat(500)}2`)];
    expect(one).to.not.equal(two);
    expect(readablePrefix(one)).to.equal(readablePrefix(two));
  });

  it('is told from every other key', () => {
    const key = keyText('x'.repeat(300));
    expect(isHashedKey(key)).to.equal(true);
    expect(isHashedKey(keyText(key))).to.equal(false);
    expect(isHashedKey('')).to.equal(false);
    expect(isHashedKey('user:7')).to.equal(false);
    expect(readablePrefix('user:7')).to.equal('user:7');
  });
});
