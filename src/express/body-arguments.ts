/** What is told of a chunk that was written. */
export type WriteCallback = (error?: Error | null) => void;

/** The arguments of `write` and `end`, in one form. */
export interface BodyArguments {
  readonly chunk: unknown;
  readonly encoding: BufferEncoding | undefined;
  readonly callback: WriteCallback | undefined;
}

/** Reads the arguments of `write` and `end`: chunk and encoding may each be left out before the callback. */
export function bodyArguments([chunk, encoding, callback]: readonly unknown[]): BodyArguments {
  if (typeof chunk === 'function') {
    return { chunk: undefined, encoding: undefined, callback: chunk as WriteCallback };
  }
  const given = chunk === null ? undefined : chunk;
  if (typeof encoding === 'function') {
    return { chunk: given, encoding: undefined, callback: encoding as WriteCallback };
  }
  return {
    chunk: given,
    encoding: typeof encoding === 'string' ? (encoding as BufferEncoding) : undefined,
    callback: typeof callback === 'function' ? (callback as WriteCallback) : undefined,
  };
}

/** The bytes of a chunk, for nobody else to change; `undefined` for what is no chunk. */
export function ownBytes({ chunk, encoding }: BodyArguments): Buffer | undefined {
  if (typeof chunk === 'string') return Buffer.from(chunk, encoding);
  // Whoever wrote a buffer may use it again.
  return chunk instanceof Uint8Array ? Buffer.from(chunk) : undefined;
}
