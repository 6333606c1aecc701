import { expect } from 'chai';
import { KeyWatches, MAX_VOIDED_KEYS } from '#internal/backends/memory/key-watches.js';
import { startsWith } from '#internal/testing/backend-session.js';

describe(KeyWatches.name, () => {
  let watches: KeyWatches;

  beforeEach(() => {
    watches = new KeyWatches();
  });

  describe('#holds', () => {
    it('returns true for keys that were voided before the token was taken', () => {
      const early = watches.take(0);
      watches.void('k');
      const late = watches.take(0);
      expect(watches.holds('k', early)).to.equal(false);
      expect(watches.holds('k', late)).to.equal(true);
      expect(watches.holds('other', early)).to.equal(true);
    });

    it('returns false, when the key was voided again', () => {
      const early = watches.take(0);
      watches.void('k');
      const late = watches.take(0);
      watches.void('k');
      expect(watches.holds('k', early)).to.equal(false);
      expect(watches.holds('k', late)).to.equal(false);
    });

    it('returns false for every key, when more were voided than are remembered', () => {
      const early = watches.take(0);
      watches.void('first');
      const late = watches.take(0);
      for (let index = 0; index < MAX_VOIDED_KEYS; index++) watches.void(`k${index}`);
      expect(watches.holds('untouched', early)).to.equal(false);
      expect(watches.holds('untouched', late)).to.equal(true);
      expect(watches.holds('k0', late)).to.equal(false);
    });

    it('forgets first the key that was voided longest ago, not the one voided again', () => {
      watches.take(0);
      watches.void('first');
      watches.void('second');
      const token = watches.take(0);
      watches.void('first');
      for (let index = 0; index < MAX_VOIDED_KEYS - 1; index++) watches.void(`k${index}`);
      expect(watches.holds('untouched', token)).to.equal(true);
      expect(watches.holds('first', token)).to.equal(false);
    });

    it('returns false for every key, when more patterns were voided than are remembered', () => {
      const early = watches.take(0);
      watches.voidMatching(startsWith('a'));
      const late = watches.take(0);
      for (let index = 0; index < 16; index++) watches.voidMatching(startsWith(`b${index}`));
      expect(watches.holds('untouched', early)).to.equal(false);
      expect(watches.holds('untouched', late)).to.equal(true);
      expect(watches.holds('b0', late)).to.equal(false);
    });

    it('returns false after the end of the token', () => {
      const token = watches.take(0);
      watches.end(token);
      expect(watches.holds('k', token)).to.equal(false);
    });
  });

  describe('#end', () => {
    it('forgets the voided keys with the last token, and not before', () => {
      const first = watches.take(0);
      const second = watches.take(0);
      watches.void('k');
      watches.end(first);
      watches.end(first);
      expect(watches.size).to.equal(1);
      expect(watches.holds('k', second)).to.equal(false);
      watches.end(second);
      expect(watches.size).to.equal(0);
      expect(watches.holds('k', watches.take(0))).to.equal(true);
    });
  });

  describe('#voidAll', () => {
    it('voids tokens taken before, also when nobody watched in between', () => {
      const token = watches.take(0);
      watches.voidAll();
      expect(watches.holds('k', token)).to.equal(false);
      expect(watches.holds('k', watches.take(0))).to.equal(true);
    });
  });
});
