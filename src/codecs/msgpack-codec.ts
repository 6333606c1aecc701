import { endianness } from 'node:os';
import type { CacheCodec } from '../cache/codec.js';
import { CacheDeserializationError, CacheSerializationError } from '../errors.js';
import { encodeJson, JsonCodec } from './json-codec.js';
import { loadPeer } from '../load-peer.js';
import type { MsgpackrLike, MsgpackrOptions } from './msgpackr-like.js';
import { checkValue, TRAITS } from './value-check.js';

/** The id of {@link MsgpackCodec} in stored frames. */
export const MSGPACK_CODEC_ID = 2;

/** First byte of a value in the form of `JsonCodec`. MessagePack leaves this byte unused. */
const JSON_MARK = 0xc1;

/** Objects as records whose property names stand once per message: no state outlives a message. */
const OPTIONS: MsgpackrOptions = {
  useRecords: true,
  mapsAsObjects: false,
  moreTypes: true,
  structuredClone: false,
  copyBuffers: true,
  useToJSON: false,
  int64AsType: 'bigint',
};

/** What msgpackr carries exactly. It writes typed arrays in the machine's byte order. */
const NATIVE_TRAITS =
  TRAITS.undefined |
  TRAITS.nonFinite |
  TRAITS.bigint |
  TRAITS.date |
  TRAITS.map |
  TRAITS.set |
  (endianness() === 'LE' ? TRAITS.binary : 0);

/**
 * MessagePack by `msgpackr`, with the property names of equal rows written once per message: smaller than JSON,
 * and faster to read from a few kB on.
 *
 * It carries and refuses what `JsonCodec` does. msgpackr gets only what it carries exactly; a value with `-0`,
 * holes, cycles or repeated references, lone surrogates, a bigint beyond 64 bits, a `RegExp`, a `URL`, an object
 * without prototype or a property such as `__proto__` is written in the form of `JsonCodec`, as a whole. So is one with an object of
 * more than 256 properties: as records, dictionaries cost up to ten times the time that JSON takes.
 *
 * The package is loaded through `require`: extensions that the application registers with `addExtension` on the
 * ES module copy do not reach the codec. Those registered on the CommonJS copy do; one for a built-in class such
 * as `Date` must not be lossy.
 */
export class MsgpackCodec implements CacheCodec {
  readonly id: number = MSGPACK_CODEC_ID;
  readonly name = 'msgpack';
  readonly #packr: { pack(value: unknown): Buffer };
  readonly #unpackr: { unpack(bytes: Buffer): unknown };
  readonly #json = new JsonCodec();

  /** @throws {@link MissingPeerError} when `msgpackr` is not installed */
  constructor() {
    const { Packr, Unpackr } = loadPeer(
      'MsgpackCodec',
      'msgpackr',
      '^1.11.0 || ^2.0.0',
    ) as MsgpackrLike;
    this.#packr = new Packr(OPTIONS);
    this.#unpackr = new Unpackr(OPTIONS);
  }

  /** @throws {@link CacheSerializationError} when the value cannot come back as it is */
  encode(value: unknown): Buffer {
    const report = checkValue(value, 'MsgpackCodec', true);
    if ((report.traits & ~NATIVE_TRAITS) !== 0) {
      return Buffer.concat([Buffer.of(JSON_MARK), encodeJson(value, report)]);
    }
    try {
      return this.#packr.pack(value);
    } catch (error) {
      throw new CacheSerializationError(
        'MsgpackCodec cannot write the value: it is too large.',
        '',
        {
          cause: error,
        },
      );
    }
  }

  /** @throws {@link CacheDeserializationError} when the bytes are not a message of this codec */
  decode(bytes: Uint8Array): unknown {
    if (bytes[0] === JSON_MARK) return this.#json.decode(bytes.subarray(1));
    try {
      // A view of our own, because msgpackr keeps a property on what it reads.
      return this.#unpackr.unpack(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    } catch {
      // Some of msgpackr's messages quote the value, so the error does not go on from here.
      throw new CacheDeserializationError('The stored value is not a MessagePack message.');
    }
  }
}
