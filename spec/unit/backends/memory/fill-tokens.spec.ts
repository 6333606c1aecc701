import { expect } from 'chai';
import { FillTokens, MAX_CLAIMS } from '#internal/backends/memory/fill-tokens.js';
import { startsWith } from '#internal/testing/backend-session.js';

describe(FillTokens.name, () => {
  let tokens: FillTokens;

  beforeEach(() => {
    tokens = new FillTokens();
  });

  describe('#take', () => {
    it('gives each loader its own sequence, and one claim to all of a key', () => {
      const first = tokens.take('k', 1);
      const second = tokens.take('k', 2);
      expect([first.sequence, second.sequence]).to.deep.equal([1, 2]);
      expect(tokens.size).to.equal(1);
      tokens.end(first);
      expect(tokens.holds('k', second)).to.equal(true);
      tokens.end(second);
      expect(tokens.size).to.equal(0);
    });

    it('voids the oldest claim, when there are too many', () => {
      const first = tokens.take('first', 0);
      const second = tokens.take('second', 0);
      for (let index = 2; index <= MAX_CLAIMS; index++) tokens.take(`k${index}`, 0);
      expect(tokens.size).to.equal(MAX_CLAIMS);
      expect(tokens.holds('first', first)).to.equal(false);
      expect(tokens.holds('second', second)).to.equal(true);
    });
  });

  describe('#holds', () => {
    it('returns false, when the key is another one', () => {
      const token = tokens.take('k', 0);
      tokens.take('other', 0);
      expect(tokens.holds('other', token)).to.equal(false);
    });

    it('returns false for a token that was not taken here', () => {
      tokens.take('k', 0);
      expect(tokens.holds('k', { key: 'k', sequence: 0 })).to.equal(false);
      expect(tokens.holds('k', new FillTokens().take('k', 0))).to.equal(false);
      expect(tokens.holds('k', new FillTokens().watch(0))).to.equal(false);
    });

    it('returns false after the end of the token, while others hold the claim', () => {
      const first = tokens.take('k', 0);
      tokens.take('k', 0);
      tokens.end(first);
      expect(tokens.holds('k', first)).to.equal(false);
    });

    it('returns false for an old token, when the key is loaded anew', () => {
      const old = tokens.take('k', 0);
      tokens.void('k');
      const current = tokens.take('k', 0);
      expect(tokens.holds('k', old)).to.equal(false);
      expect(tokens.holds('k', current)).to.equal(true);
    });
  });

  describe('#end', () => {
    it('counts a token once, however often it ends', () => {
      const first = tokens.take('k', 0);
      const second = tokens.take('k', 0);
      tokens.end(first);
      tokens.end(first);
      expect(tokens.holds('k', second)).to.equal(true);
    });

    it('leaves the claim of a later loader alone, when a void token ends', () => {
      const old = tokens.take('k', 0);
      tokens.void('k');
      const current = tokens.take('k', 0);
      tokens.end(old);
      expect(tokens.holds('k', current)).to.equal(true);
    });

    it('does nothing with a token of another cache', () => {
      const other = new FillTokens();
      const foreign = other.take('k', 0);
      tokens.end(foreign);
      tokens.end({ key: 'k', sequence: 0 });
      expect(other.holds('k', foreign)).to.equal(true);
      const watching = other.watch(0);
      tokens.end(watching);
      expect(other.holds('k', watching)).to.equal(true);
      expect(other.size).to.equal(2);
    });
  });

  describe('#voidMatching', () => {
    it('voids what matches, and nothing else', () => {
      const user = tokens.take('user:1', 0);
      const order = tokens.take('order:1', 0);
      const watching = tokens.watch(0);
      tokens.voidMatching(startsWith('user:'));
      expect(tokens.holds('user:1', user)).to.equal(false);
      expect(tokens.holds('order:1', order)).to.equal(true);
      expect(tokens.holds('user:2', watching)).to.equal(false);
      expect(tokens.holds('order:2', watching)).to.equal(true);
    });
  });

  describe('#voidAll', () => {
    it('voids every token', () => {
      const token = tokens.take('k', 0);
      const watching = tokens.watch(0);
      tokens.voidAll();
      expect(tokens.holds('k', token)).to.equal(false);
      expect(tokens.holds('k', watching)).to.equal(false);
      tokens.end(token);
      tokens.end(watching);
      expect(tokens.size).to.equal(0);
    });
  });
});
