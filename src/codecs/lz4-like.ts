/** The part of the package `lz4-napi` that `Lz4Compressor` uses: LZ4 blocks behind their raw length in 4 bytes. */
export interface Lz4Like {
  compressSync(bytes: Buffer): Buffer;
  compress(bytes: Buffer): Promise<Buffer>;
  uncompressSync(bytes: Buffer): Buffer;
  uncompress(bytes: Buffer): Promise<Buffer>;
}
