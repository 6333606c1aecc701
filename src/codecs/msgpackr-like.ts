/** The part of the package `msgpackr` that `MsgpackCodec` uses. */
export interface MsgpackrLike {
  readonly Packr: new (options: MsgpackrOptions) => { pack(value: unknown): Buffer };
  readonly Unpackr: new (options: MsgpackrOptions) => { unpack(bytes: Buffer): unknown };
}

/** The options of `msgpackr` that the codec sets. */
export interface MsgpackrOptions {
  readonly useRecords: boolean;
  readonly mapsAsObjects: boolean;
  readonly moreTypes: boolean;
  readonly structuredClone: boolean;
  readonly copyBuffers: boolean;
  readonly useToJSON: boolean;
  readonly int64AsType: 'bigint';
}
