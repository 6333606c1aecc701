import fc from 'fast-check';
import { JsonCodec } from '#internal/codecs/json-codec.js';
import { MsgpackCodec } from '#internal/codecs/msgpack-codec.js';
import { assertSameValue } from '#internal/testing/same-value.js';
import { nativeValue, plainValue, richValue } from '../support/rich-value.js';

describe('codecs, whatever the value', function () {
  this.timeout(120_000);

  for (const codec of [new JsonCodec(), new MsgpackCodec()]) {
    it(`${codec.name} gives back every kind of value as it was`, () => {
      fc.assert(
        fc.property(richValue, (value) =>
          assertSameValue(codec.decode(codec.encode(value)), value),
        ),
        { numRuns: 10_000 },
      );
    });

    it(`${codec.name} gives back every value that msgpackr carries by itself as it was`, () => {
      fc.assert(
        fc.property(nativeValue, (value) =>
          assertSameValue(codec.decode(codec.encode(value)), value),
        ),
        { numRuns: 5_000 },
      );
    });

    it(`${codec.name} gives back every plain JSON value as it was`, () => {
      fc.assert(
        fc.property(plainValue, (value) =>
          assertSameValue(codec.decode(codec.encode(value)), value),
        ),
        { numRuns: 3_000 },
      );
    });
  }
});
