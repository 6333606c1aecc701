import { expect } from 'chai';
import { CachedErrors, type StoredError } from '#internal/cache/cached-errors.js';
import { CacheDeserializationError, CacheSerializationError } from '#internal/errors.js';

class NotFoundError extends Error {
  constructor(
    message: string,
    readonly id: number,
  ) {
    super(message);
  }
}

class GoneError extends NotFoundError {}

const revive = ({ message, data }: StoredError): NotFoundError =>
  new NotFoundError(message, data['id'] as number);

describe('CachedErrors', () => {
  it('turns an error into plain data and back', () => {
    const errors = new CachedErrors();
    errors.add([{ error: NotFoundError, revive }]);
    const plain = errors.toPlain(new NotFoundError('gone', 7));
    expect(plain).to.deep.equal({ name: 'NotFoundError', message: 'gone', data: { id: 7 } });
    const back = errors.fromPlain(structuredClone(plain));
    expect(back).to.be.instanceOf(NotFoundError).and.to.include({ message: 'gone', id: 7 });
  });

  it('takes no stack and no cause along', () => {
    const errors = new CachedErrors();
    errors.add([{ error: NotFoundError, revive }]);
    const error = Object.assign(new NotFoundError('gone', 7), { cause: undefined });
    Object.defineProperty(error, 'cause', { value: 'secret', enumerable: false });
    expect(JSON.stringify(errors.toPlain(error))).to.not.match(/secret|spec\.[jt]s/);
  });

  it('takes instances of subclasses by the rule of their class', () => {
    const errors = new CachedErrors();
    errors.add([{ error: NotFoundError, revive }]);
    expect(errors.toPlain(new GoneError('gone', 7))).to.include({ name: 'NotFoundError' });
  });

  it('refuses errors without a rule, and data without a class', () => {
    const errors = new CachedErrors();
    errors.add([{ error: RangeError }]);
    expect(() => errors.toPlain(new RangeError('m'))).to.throw(CacheSerializationError);
    expect(() => errors.fromPlain({ name: 'NotFoundError', message: 'm', data: {} })).to.throw(
      CacheDeserializationError,
      "'NotFoundError'",
    );
  });

  it('lets only revivable errors travel', () => {
    expect(CachedErrors.canTravel({ error: NotFoundError, revive })).to.equal(true);
    expect(CachedErrors.canTravel({ error: NotFoundError })).to.equal(false);
  });
});
