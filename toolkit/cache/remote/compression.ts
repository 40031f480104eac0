import { promisify } from 'node:util';
import {
  type BrotliOptions,
  brotliCompress,
  brotliDecompress,
  constants,
  gunzip,
  gzip,
  type ZlibOptions,
} from 'node:zlib';

export type CompressionAlgorithm = 'gzip' | 'brotli';

/** The sign of each way in an entry's format byte. */
export const compressionIds = { none: 0, gzip: 1, brotli: 2 } as const;

/** Nothing that a cache wrote is larger, and what claims to be is not unpacked into all the memory there is. */
const mostBytes = 256 * 1024 * 1024;

const gzipped = promisify<Uint8Array, ZlibOptions, Buffer>(gzip);
const gunzipped = promisify<Uint8Array, ZlibOptions, Buffer>(gunzip);
const brotlied = promisify<Uint8Array, BrotliOptions, Buffer>(brotliCompress);
const unbrotlied = promisify<Uint8Array, BrotliOptions, Buffer>(brotliDecompress);

/** On a thread of Node.js's pool. */
export function compress(bytes: Uint8Array, algorithm: CompressionAlgorithm): Promise<Buffer> {
  if (algorithm === 'gzip') return gzipped(bytes, { level: constants.Z_BEST_SPEED });
  // At its default of 11 it takes seventy times as long.
  return brotlied(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } });
}

/** @param id of {@link compressionIds} */
export async function decompress(bytes: Buffer, id: number): Promise<Buffer> {
  if (id === compressionIds.none) return bytes;
  if (id === compressionIds.gzip) return gunzipped(bytes, { maxOutputLength: mostBytes });
  if (id === compressionIds.brotli) return unbrotlied(bytes, { maxOutputLength: mostBytes });
  throw new RangeError(`Expected compression 0 to 2, got ${id}`);
}
