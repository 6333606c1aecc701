import { deepEqual, doesNotThrow, equal, ok } from 'node:assert/strict';
import type { CacheCodec } from '../cache/codec.js';
import { CacheDeserializationError, CacheSerializationError, isCacheError } from '../errors.js';
import {
  IMPOSSIBLE_SAMPLES,
  PLAIN_SAMPLES,
  RICH_SAMPLES,
  type CodecSample,
} from './codec-samples.js';
import type { TestWords } from './describe-backend.js';
import { randomValue, seededRandom } from './random-values.js';
import { assertSameValue } from './same-value.js';

/** How thoroughly {@link describeCodec} looks. */
export interface CodecSuiteOptions {
  /**
   * Where the random values begin. Given in the titles, so that a failure can be repeated.
   *
   * @defaultValue drawn anew
   */
  readonly seed?: number | undefined;
  /**
   * How many random values, and how many damaged messages, are tried.
   *
   * @defaultValue 1000
   */
  readonly runs?: number | undefined;
}

/**
 * Registers the tests that every {@link CacheCodec} passes: what comes out is what went in, or it was refused
 * (promise P5); and bytes that are not the codec's do no harm.
 *
 * @example
 * ```ts
 * import { describe, it } from 'node:test';
 * import { describeCodec } from 'cachewell/testing';
 *
 * describeCodec({ describe, it }, 'my codec', () => new MyCodec());
 * ```
 */
export function describeCodec(
  words: TestWords,
  name: string,
  makeCodec: () => CacheCodec,
  options: CodecSuiteOptions = {},
): void {
  const { seed = Math.floor(Math.random() * 2 ** 32), runs = 1000 } = options;

  const it = (title: string, body: () => void | Promise<void>): unknown =>
    words.it(title, async () => body());

  words.describe(`${name} as a codec`, () => {
    it('has an id of one byte and a name', () => {
      const { id, name: codecName } = makeCodec();
      ok(Number.isInteger(id) && id >= 1 && id <= 255, `id is ${id}`);
      ok(codecName.length > 0, 'the name is empty');
    });

    for (const sample of PLAIN_SAMPLES) {
      it(`carries ${sample.title}`, () => {
        const codec = makeCodec();
        assertSameValue(codec.decode(codec.encode(sample.make())), sample.make());
      });
    }

    for (const sample of RICH_SAMPLES) {
      it(`carries or refuses, and does not change, ${sample.title}`, () => {
        expectFaithful(makeCodec(), sample);
      });
    }

    for (const sample of IMPOSSIBLE_SAMPLES) {
      it(`refuses ${sample.title}`, () => {
        equal(refusalOf(makeCodec(), sample.make()) instanceof CacheSerializationError, true);
      });
    }

    it(`carries or refuses, and does not change, random values (seed ${seed})`, () => {
      const codec = makeCodec();
      const random = seededRandom(seed);
      for (let run = 0; run < runs; run++) {
        const value = randomValue(random);
        expectFaithful(codec, { title: `value ${run}`, make: () => value });
      }
    });

    it('refuses values that are nested without end, or carries them', () => {
      let deep: unknown = 1;
      for (let level = 0; level < 200_000; level++) deep = [deep];
      const refusal = refusalOf(makeCodec(), deep);
      ok(refusal === undefined || refusal instanceof CacheSerializationError, String(refusal));
    });

    it('leaves the value as it was', () => {
      const value = { a: [1, { b: new Date(5) }], c: Buffer.of(1) };
      refusalOf(makeCodec(), value);
      assertSameValue(value, { a: [1, { b: new Date(5) }], c: Buffer.of(1) });
    });

    it('keeps earlier results when it is used again', () => {
      const codec = makeCodec();
      const first = codec.encode({ a: 'first' });
      const copy = Uint8Array.from(first);
      for (let run = 0; run < 100; run++) codec.encode({ b: `another ${run}` });
      deepEqual(Uint8Array.from(first), copy);
      assertSameValue(codec.decode(first), { a: 'first' });
    });

    it('reads bytes wherever they lie in memory, and does not keep them', () => {
      const codec = makeCodec();
      const bytes = codec.encode(['a', { b: 'c'.repeat(50) }]);
      const host = new Uint8Array(bytes.length + 6).fill(255);
      host.set(bytes, 3);
      const value = codec.decode(host.subarray(3, bytes.length + 3));
      host.fill(0);
      assertSameValue(value, ['a', { b: 'c'.repeat(50) }]);
    });

    it('does not let stored data reach a prototype', () => {
      const codec = makeCodec();
      const hostile = JSON.parse(
        '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
      ) as unknown;
      const value = refusalOf(codec, hostile) ?? codec.decode(codec.encode(hostile));
      equal((value as { polluted?: unknown }).polluted, undefined);
      equal(({} as { polluted?: unknown }).polluted, undefined);
    });

    it(`answers damaged bytes with a value or CacheDeserializationError (seed ${seed})`, () => {
      const codec = makeCodec();
      const random = seededRandom(seed);
      for (let run = 0; run < runs; run++) {
        const damaged = damage(encodable(codec, random), random);
        try {
          codec.decode(damaged);
        } catch (error) {
          ok(error instanceof CacheDeserializationError, `run ${run} threw ${String(error)}`);
        }
      }
    });

    it('answers no bytes at all with CacheDeserializationError', () => {
      const error = thrownBy(() => makeCodec().decode(new Uint8Array(0)));
      ok(isCacheError(error, 'ERR_CACHE_DESERIALIZATION'), String(error));
    });

    it('works on after a failure', () => {
      const codec = makeCodec();
      thrownBy(() => codec.decode(Uint8Array.of(0xdd, 0xff, 0xff, 0xff)));
      refusalOf(codec, { a: () => 1 });
      doesNotThrow(() => assertSameValue(codec.decode(codec.encode({ a: [1] })), { a: [1] }));
    });
  });
}

function expectFaithful(codec: CacheCodec, sample: CodecSample): void {
  let bytes: Uint8Array;
  try {
    bytes = codec.encode(sample.make());
  } catch (error) {
    ok(error instanceof CacheSerializationError, `${sample.title}: threw ${String(error)}`);
    return;
  }
  assertSameValue(codec.decode(bytes), sample.make());
}

function encodable(codec: CacheCodec, random: () => number): Uint8Array {
  const value = randomValue(random);
  try {
    return Uint8Array.from(codec.encode(value));
  } catch {
    return Uint8Array.from(codec.encode({ refused: true }));
  }
}

/** Flips bits, cuts off, or replaces. */
function damage(bytes: Uint8Array, random: () => number): Uint8Array {
  if (bytes.length === 0) return Uint8Array.of(random() % 256);
  const at = random() % bytes.length;
  switch (random() % 3) {
    case 0:
      bytes[at]! ^= 1 << (random() % 8);
      return bytes;
    case 1:
      return bytes.subarray(0, at);
    default:
      for (let index = at; index < Math.min(at + 4, bytes.length); index++) bytes[index] = random();
      return bytes;
  }
}

function refusalOf(codec: CacheCodec, value: unknown): unknown {
  return thrownBy(() => codec.encode(value));
}

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}
