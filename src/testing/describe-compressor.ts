import { deepEqual, ok } from 'node:assert/strict';
import type { CacheCompressor } from '../cache/codec.js';
import { CacheDecompressionError } from '../errors.js';
import type { TestWords } from './describe-backend.js';
import { seededRandom } from './random-values.js';

/** How thoroughly {@link describeCompressor} looks. */
export interface CompressorSuiteOptions {
  /**
   * Where the random bytes begin. Given in the titles, so that a failure can be repeated.
   *
   * @defaultValue drawn anew
   */
  readonly seed?: number | undefined;
  /**
   * How many damaged inputs are tried.
   *
   * @defaultValue 500
   */
  readonly runs?: number | undefined;
  /**
   * From how many bytes on the compressor must not work on the event loop.
   *
   * @defaultValue 1048576
   */
  readonly asynchronousFromBytes?: number | undefined;
}

/**
 * Registers the tests that every {@link CacheCompressor} passes: the same bytes come back, large inputs leave the
 * event loop alone, and no input makes it give more bytes than were declared.
 *
 * @example
 * ```ts
 * import { describe, it } from 'node:test';
 * import { describeCompressor } from 'cachewell/testing';
 *
 * describeCompressor({ describe, it }, 'my compressor', () => new MyCompressor());
 * ```
 */
export function describeCompressor(
  words: TestWords,
  name: string,
  makeCompressor: () => CacheCompressor,
  options: CompressorSuiteOptions = {},
): void {
  const { seed = Math.floor(Math.random() * 2 ** 32), runs = 500 } = options;
  const { asynchronousFromBytes = 1024 * 1024 } = options;

  const it = (title: string, body: () => void | Promise<void>): unknown =>
    words.it(title, async () => body());

  words.describe(`${name} as a compressor`, () => {
    it('has an id of one byte and a name', () => {
      const { id, name: compressorName } = makeCompressor();
      ok(Number.isInteger(id) && id >= 1 && id <= 255, `id is ${id}`);
      ok(compressorName.length > 0, 'the name is empty');
    });

    for (const length of [1, 2, 100, 1023, 1024, 5000, 70_000, 600_000, 1_500_000]) {
      it(`gives back ${length} bytes, repetitive or random (seed ${seed})`, async () => {
        const compressor = makeCompressor();
        for (const raw of [repetitive(length), noise(length, seed)]) {
          const small = await compressor.compress(raw);
          deepEqual(bytesOf(await compressor.decompress(small, length)), bytesOf(raw));
        }
      });
    }

    it('makes repetitive data smaller', async () => {
      const small = await makeCompressor().compress(repetitive(10_000));
      ok(small.length < 2000, `10000 bytes became ${small.length}`);
    });

    it('works on large inputs off the event loop', async () => {
      const compressor = makeCompressor();
      const raw = repetitive(asynchronousFromBytes);
      const compressed = compressor.compress(raw);
      ok(compressed instanceof Promise, 'compress worked at once');
      const restored = compressor.decompress(await compressed, raw.length);
      ok(restored instanceof Promise, 'decompress worked at once');
      deepEqual(bytesOf(await restored), bytesOf(raw));
    });

    for (const length of [5000, 1_500_000]) {
      for (const declared of [1, length - 1, length + 1, length * 2]) {
        it(`refuses ${length} bytes that were declared as ${declared}`, async () => {
          const compressor = makeCompressor();
          const small = await compressor.compress(repetitive(length));
          const outcome = await outcomeOf(() => compressor.decompress(small, declared));
          ok(outcome instanceof CacheDecompressionError, String(outcome));
        });
      }
    }

    it('refuses bytes that were cut off', async () => {
      const compressor = makeCompressor();
      const small = await compressor.compress(repetitive(5000));
      for (const length of [0, 1, 3, 4, 5, small.length >>> 1]) {
        const outcome = await outcomeOf(() =>
          compressor.decompress(small.subarray(0, length), 5000),
        );
        ok(outcome instanceof CacheDecompressionError, `cut at ${length}: ${String(outcome)}`);
      }
    });

    it(`never gives another length than was declared, nor another error (seed ${seed})`, async () => {
      const compressor = makeCompressor();
      const random = seededRandom(seed);
      const small = Uint8Array.from(await compressor.compress(repetitive(3000)));
      for (let run = 0; run < runs; run++) {
        const damaged = small.slice();
        damaged[random() % damaged.length]! ^= 1 << (random() % 8);
        const outcome = await outcomeOf(() => compressor.decompress(damaged, 3000));
        const isFine = outcome instanceof Uint8Array && outcome.length === 3000;
        ok(isFine || outcome instanceof CacheDecompressionError, `run ${run}: ${String(outcome)}`);
      }
    });
  });
}

async function outcomeOf(action: () => Uint8Array | Promise<Uint8Array>): Promise<unknown> {
  try {
    return await action();
  } catch (error) {
    return error;
  }
}

/** Without the class, for a Buffer and a Uint8Array of the same bytes are equal here. */
function bytesOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function repetitive(length: number): Buffer {
  return Buffer.alloc(length, '{"id":1,"name":"user","roles":["admin","editor"]},');
}

function noise(length: number, seed: number): Buffer {
  const random = seededRandom(seed);
  return Buffer.from(Uint8Array.from({ length }, random));
}
