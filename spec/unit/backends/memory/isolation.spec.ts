import { expect } from 'chai';
import { CacheSerializationError } from '#internal/errors.js';
import { MemoryFixture, type SynchronousStore } from '../../../support/memory-fixture.js';

interface User {
  name: string;
  born: Date;
  roles: string[];
}

class Person {
  constructor(readonly name: string) {}
}

const personModel = {
  toPlain: (value: unknown) => {
    if (!(value instanceof Person)) throw new CacheSerializationError('no person', 'value');
    return { name: value.name };
  },
  fromPlain: (plain: unknown) => new Person((plain as { name: string }).name),
};

const user = (): User => ({ name: 'Ada', born: new Date(0), roles: ['admin'] });

/** What a store answers that has to wait for a model, which the fixture's type leaves out. */
const eventually = async <Answer>(answer: Answer): Promise<Answer> => answer;

const valueOf = <Value>(store: SynchronousStore, key = 'k'): Value =>
  store.get(key)!.value as Value;

describe('isolation', () => {
  describe("'reference'", () => {
    it('shares the object between writer and readers', () => {
      const fixture = new MemoryFixture();
      const store = fixture.open();
      const value = user();
      fixture.set(store, 'k', value);
      expect(valueOf(store)).to.equal(value);
      expect(store.get('k')).to.equal(store.get('k'));
    });

    it('keeps what cannot be copied', () => {
      const fixture = new MemoryFixture();
      const store = fixture.open();
      const value = new Person('Ada');
      expect(fixture.set(store, 'k', value)).to.equal('stored');
      expect(valueOf(store)).to.equal(value);
    });
  });

  describe("'copy'", () => {
    it('keeps changes of the writer and of readers out of the cache', () => {
      const fixture = new MemoryFixture({ isolation: 'copy' });
      const store = fixture.open();
      const value = user();
      fixture.set(store, 'k', value);
      value.roles.push('by the writer');
      const first = valueOf<User>(store);
      first.roles.push('by a reader');
      first.born.setFullYear(2000);
      expect(valueOf(store)).to.deep.equal(user());
    });

    it('gives copies from every way of reading', () => {
      const fixture = new MemoryFixture({ isolation: 'copy' });
      const store = fixture.open();
      fixture.set(store, 'k', user());
      const values = [
        store.get('k'),
        store.getMany(['k', 'k'])[0],
        store.getMany(['k', 'k'])[1],
        store.begin(['k'])[0]!.entry,
      ].map((entry) => entry!.value);
      expect(new Set(values).size).to.equal(4);
      for (const value of values) expect(value).to.deep.equal(user());
    });

    it('gives the whole record', () => {
      const fixture = new MemoryFixture({ isolation: 'copy' });
      const store = fixture.open();
      fixture.set(store, 'k', user(), { ttlMs: 1_000, tags: ['blue'] });
      const now = fixture.clock.now();
      expect(store.get('k')).to.deep.equal({
        value: user(),
        kind: 'value',
        tags: ['blue'],
        sequence: 0,
        createdAt: now,
        expiresAt: now + 1_000,
        retainedUntil: now + 1_000,
        loadCostMs: 0,
        source: 'l1',
      });
    });

    it('does not copy what nobody can change', () => {
      const fixture = new MemoryFixture({ isolation: 'copy' });
      const store = fixture.open();
      fixture.set(store, 'k', 'text');
      expect(store.get('k')).to.equal(store.get('k'));
    });

    it('refuses what has no exact copy, and stores the rest of the batch', () => {
      const fixture = new MemoryFixture({ isolation: 'copy' });
      const store = fixture.open();
      const outcomes = store.store([
        fixture.write('a', [1]),
        fixture.write('b', { owner: new Person('Ada') }),
        fixture.write('c', [3]),
      ]);
      expect(outcomes[0]).to.equal('stored');
      expect(outcomes[1]).to.be.instanceOf(CacheSerializationError);
      expect((outcomes[1] as CacheSerializationError).path).to.equal('value.owner');
      expect(outcomes[2]).to.equal('stored');
      expect(store.get('b')).to.equal(undefined);
    });

    it('gives the thrown error itself', () => {
      const fixture = new MemoryFixture({ isolation: 'copy' });
      const store = fixture.open();
      const error = new (class NotFound extends Error {})('no such user');
      store.store([fixture.write('k', error, { kind: 'set' }, { kind: 'error' })]);
      expect(valueOf(store)).to.equal(error);
    });
  });

  describe("'frozen'", () => {
    it('gives all readers one frozen copy of plain data', () => {
      const fixture = new MemoryFixture({ isolation: 'frozen' });
      const store = fixture.open();
      const value = { list: [{ a: 1 }] };
      fixture.set(store, 'k', value);
      value.list[0]!.a = 2;
      const first = valueOf<typeof value>(store);
      expect(first).to.equal(valueOf(store));
      expect(first).to.deep.equal({ list: [{ a: 1 }] });
      expect(Object.isFrozen(first.list[0])).to.equal(true);
      expect(Object.isFrozen(value)).to.equal(false);
    });

    it('copies for each reader what holds a part that cannot be frozen', () => {
      const fixture = new MemoryFixture({ isolation: 'frozen' });
      const store = fixture.open();
      fixture.set(store, 'k', user());
      const first = valueOf<User>(store);
      first.born.setFullYear(2000);
      expect(Object.isFrozen(first.roles)).to.equal(true);
      expect(valueOf(store)).to.deep.equal(user());
    });
  });

  describe('with a model', () => {
    for (const isolation of ['copy', 'frozen'] as const) {
      it(`keeps plain data and revives it for each reader, under '${isolation}'`, () => {
        const fixture = new MemoryFixture({ isolation });
        const store = fixture.open('users', { model: personModel });
        const value = new Person('Ada');
        expect(fixture.set(store, 'k', value)).to.equal('stored');
        const [first, second] = [valueOf(store), valueOf(store)];
        expect(first).to.be.instanceOf(Person).and.deep.equal(value);
        expect(first).not.to.equal(value);
        expect(first).not.to.equal(second);
      });
    }

    it('keeps null without asking the model', () => {
      const fixture = new MemoryFixture({ isolation: 'copy' });
      const store = fixture.open('users', { model: personModel });
      expect(fixture.set(store, 'k', null)).to.equal('stored');
      expect(valueOf(store)).to.equal(null);
    });

    it("prefers a write's own model", () => {
      const fixture = new MemoryFixture({ isolation: 'copy' });
      const store = fixture.open('users', { model: personModel });
      const model = { toPlain: () => 'plain', fromPlain: (plain: unknown) => `revived ${plain}` };
      store.store([{ ...fixture.write('k', [1]), framing: { model } }]);
      expect(valueOf(store)).to.equal('revived plain');
    });

    it("answers with the model's error, when a value is not of the model", () => {
      const fixture = new MemoryFixture({ isolation: 'copy' });
      const store = fixture.open('users', { model: personModel });
      const outcome = fixture.set(store, 'k', { name: 'Ada' });
      expect(outcome)
        .to.be.instanceOf(CacheSerializationError)
        .with.property('message', 'no person');
    });

    it('wraps what else a model throws, when storing', () => {
      const fixture = new MemoryFixture({ isolation: 'copy' });
      const cause = new TypeError('bug in the model');
      const toPlain = (): never => {
        throw cause;
      };
      const store = fixture.open('users', { model: { ...personModel, toPlain } });
      const outcome = fixture.set(store, 'k', [1]);
      expect(outcome).to.be.instanceOf(CacheSerializationError).with.property('cause', cause);
    });

    it('waits for a model that takes its time', async () => {
      const fixture = new MemoryFixture({ isolation: 'copy' });
      const fromPlain = async (plain: unknown): Promise<unknown> => personModel.fromPlain(plain);
      const store = fixture.open('users', { model: { ...personModel, fromPlain } });
      fixture.set(store, 'k', new Person('Ada'));
      fixture.set(store, 'l', null);
      const entry = await eventually(store.get('k'));
      expect(entry!.value).to.be.instanceOf(Person);
      const many = await eventually(store.getMany(['l', 'k', 'missing']));
      expect(many.map((each) => each?.value)).to.deep.equal([null, new Person('Ada'), undefined]);
      const [start] = await eventually(store.begin(['k']));
      expect(start!.entry!.value).to.be.instanceOf(Person);
      expect(start!.token.key).to.equal('k');
    });

    for (const kind of ['throws', 'rejects'] as const) {
      it(`drops and reports an entry that no longer fits, when the model ${kind}`, async () => {
        const fixture = new MemoryFixture({ isolation: 'copy' });
        const cause = new TypeError('no longer fits');
        const fromPlain = (): Promise<never> => {
          if (kind === 'throws') throw cause;
          return Promise.reject(cause);
        };
        const store = fixture.open('users', { model: { ...personModel, fromPlain } });
        fixture.set(store, 'k', new Person('Ada'));
        expect(await eventually(store.get('k'))).to.equal(undefined);
        expect(fixture.events).to.have.length(1);
        const [event] = fixture.events as [
          { type: string; cache: string; key: string; error: Error },
        ];
        expect(event).to.include({ type: 'error', cache: 'users', key: 'k', operation: 'get' });
        expect(event.error).to.include({ code: 'ERR_CACHE_DESERIALIZATION', cause });
        expect(store.delete(['k'])).to.equal(0);
      });
    }
  });
});
