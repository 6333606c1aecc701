import { expect } from 'chai';
import { InvalidOptionError } from '#internal/errors.js';
import { startsWith } from '#internal/testing/backend-session.js';
import { MemoryFixture, type SynchronousStore } from '../../../support/memory-fixture.js';

describe('MemoryStore', () => {
  describe('#scan', () => {
    let fixture: MemoryFixture;
    let store: SynchronousStore;

    beforeEach(() => {
      fixture = new MemoryFixture();
      store = fixture.open();
      for (let index = 0; index < 30; index++) fixture.set(store, `k${index}`, index);
    });

    it('gives pages in the order in which keys were stored', () => {
      const first = store.scan({ count: 3 });
      expect(first.keys).to.deep.equal(['k0', 'k1', 'k2']);
      expect(store.scan({ count: 2, cursor: first.cursor }).keys).to.deep.equal(['k3', 'k4']);
    });

    it('gives the same page again for the same cursor', () => {
      const { cursor } = store.scan({ count: 3 });
      const again = store.scan({ count: 3, cursor });
      expect(again.keys).to.deep.equal(['k3', 'k4', 'k5']);
      expect(store.scan({ count: 3, cursor })).to.deep.equal(again);
    });

    it('finds its place again, when more walks are open than are remembered', () => {
      const cursors = Array.from(
        { length: 20 },
        (_, index) => store.scan({ count: index + 1 }).cursor,
      );
      cursors.forEach((cursor, index) => {
        expect(store.scan({ count: 1, cursor }).keys).to.deep.equal([`k${index + 1}`]);
      });
    });

    it('keeps the place of a key that is written again', () => {
      const { cursor } = store.scan({ count: 3 });
      fixture.set(store, 'k0', 'again');
      fixture.set(store, 'k5', 'again');
      store.expire('k6', 1_000, 1_000);
      const rest = store.scan({ count: 100, cursor });
      expect(rest.keys).to.have.length(27).and.not.include('k0');
      expect(rest.keys.slice(0, 4)).to.deep.equal(['k3', 'k4', 'k5', 'k6']);
      expect(rest.cursor).to.equal('0');
    });

    it('ends, although keys keep coming', () => {
      const { cursor } = store.scan({ count: 29 });
      for (let index = 0; index < 50; index++) fixture.set(store, `later${index}`, 1);
      expect(store.scan({ count: 100, cursor })).to.deep.equal({ keys: ['k29'], cursor: '0' });
    });

    it('ends after a clear', () => {
      const { cursor } = store.scan({ count: 3 });
      store.clear();
      fixture.set(store, 'k4', 1);
      expect(store.scan({ count: 100, cursor })).to.deep.equal({ keys: [], cursor: '0' });
    });

    it('looks at many entries for a rare pattern, and not at all of them', () => {
      for (let index = 0; index < 3_000; index++) fixture.set(store, `other${index}`, 1);
      fixture.set(store, 'rare', 1);
      let pages = 0;
      const keys: string[] = [];
      let cursor: string | undefined;
      do {
        const page = store.scan({ count: 10, cursor, pattern: startsWith('rare') } as never);
        keys.push(...page.keys);
        cursor = page.cursor;
        pages += 1;
      } while (cursor !== '0');
      expect(keys).to.deep.equal(['rare']);
      expect(pages).to.be.within(4, 5);
    });

    it('refuses a cursor that is none', () => {
      for (const cursor of ['', '17', 'a-b', '-1-5']) {
        expect(() => store.scan({ count: 10, cursor })).to.throw(InvalidOptionError, /cursor/);
      }
    });
  });
});
