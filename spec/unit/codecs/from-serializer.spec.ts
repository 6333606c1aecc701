import { deserialize, serialize } from 'node:v8';
import { expect } from 'chai';
import {
  CacheDeserializationError,
  CacheSerializationError,
  InvalidOptionError,
} from '#internal/errors.js';
import { fromSerializer } from '#internal/codecs/from-serializer.js';

const json = { id: 128, name: 'mine', serialize: JSON.stringify, deserialize: JSON.parse };

describe('fromSerializer', () => {
  it('makes a codec of functions that work on text', () => {
    const codec = fromSerializer(json);
    expect(codec).to.include({ id: 128, name: 'mine' });
    expect(codec.decode(codec.encode({ a: ['ü'] }))).to.deep.equal({ a: ['ü'] });
  });

  it('makes a codec of functions that work on bytes', () => {
    const codec = fromSerializer({ id: 255, name: 'v8', format: 'bytes', serialize, deserialize });
    const value = new Map([[1, new Date(5)]]);
    expect(codec.decode(codec.encode(value))).to.deep.equal(value);
  });

  it('refuses what would come back changed, unless told not to look', () => {
    const value = { at: new Date(0) };
    expect(() => fromSerializer(json).encode(value)).to.throw(
      CacheSerializationError,
      /come back changed/,
    );
    const codec = fromSerializer({ ...json, verify: false });
    expect(codec.decode(codec.encode(value))).to.deep.equal({ at: '1970-01-01T00:00:00.000Z' });
  });

  it('wraps what the functions throw, and refuses what is no text', () => {
    const codec = fromSerializer(json);
    expect(() => codec.encode(1n))
      .to.throw(CacheSerializationError)
      .with.nested.property('cause.name', 'TypeError');
    expect(() => codec.encode(undefined)).to.throw(CacheSerializationError);
    const broken = fromSerializer({ ...json, serialize: () => '\ud800', verify: false });
    expect(() => broken.encode(1)).to.throw(CacheSerializationError);
    expect(() => codec.decode(Buffer.from('{"secret')))
      .to.throw(CacheDeserializationError)
      .that.satisfies(
        (error: Error) => error.cause === undefined && !error.message.includes('secret'),
      );
  });

  for (const [what, change] of Object.entries<object>({
    'an id that is ours': { id: 127 },
    'an id of two bytes': { id: 256 },
    'an empty name': { name: '' },
    'an unknown format': { format: 'json' },
    'no function': { serialize: undefined },
    'an unknown option': { verfy: false },
  })) {
    it(`refuses ${what}`, () => {
      expect(() => fromSerializer({ ...json, ...change })).to.throw(
        InvalidOptionError,
        /^fromSerializer\./,
      );
    });
  }
});
