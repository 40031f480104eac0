import zlib from 'node:zlib';
import { type Encoding, encodings } from './names';

/** Codings in older words. */
const aliases: Readonly<Record<string, string>> = { 'x-gzip': 'gzip' };

/** A compressor, as those of `node:zlib` are. */
export type Encoder = zlib.Gzip | zlib.Deflate | zlib.BrotliCompress;
type Compress = (bytes: Buffer, options: object, done: (error: Error | null, result: Buffer) => void) => void;

/** What Node.js has from 22.15 on. */
interface ZstdZlib {
  createZstdCompress?(options: object): Encoder;
  zstdCompress?: Compress;
}
const zstd = zlib as unknown as ZstdZlib;

/** Those that this Node.js has: zstd from 22.15 on. */
export const availableEncodings: readonly Encoding[] = encodings.filter(
  encoding => encoding !== 'zstd' || zstd.createZstdCompress !== undefined,
);

/** Levels per coding: what they may be, and what they are unless set. */
export const levelRanges: Readonly<
  Record<Encoding, { readonly min: number; readonly max: number; readonly usual: number }>
> = {
  // Its own default of 11 is for what is compressed once and sent for years.
  br: { min: 0, max: 11, usual: 4 },
  zstd: { min: 1, max: 19, usual: 3 },
  gzip: { min: 0, max: 9, usual: 6 },
  deflate: { min: 0, max: 9, usual: 6 },
};

/** Without a size the window of a stream is this large: 2^18 bytes. A larger one costs memory for each response. */
const streamWindowBits = 18;
const { constants } = zlib as unknown as { constants: Record<string, number> };

/** @param size of the whole, where it is known */
function optionsOf(encoding: Encoding, level: number, size: number | undefined): object {
  if (encoding === 'br') {
    const bits = size === undefined ? streamWindowBits : Math.ceil(Math.log2(Math.max(size, 1)));
    return {
      params: {
        [constants['BROTLI_PARAM_QUALITY']!]: level,
        [constants['BROTLI_PARAM_LGWIN']!]: Math.min(Math.max(bits, 10), 22),
        ...(size !== undefined && { [constants['BROTLI_PARAM_SIZE_HINT']!]: size }),
      },
    };
  }
  if (encoding === 'zstd') return { params: { [constants['ZSTD_c_compressionLevel']!]: level } };
  return { level };
}

/** A compressor for a body that comes in pieces. */
export function createEncoder(encoding: Encoding, level: number): Encoder {
  const options = optionsOf(encoding, level, undefined);
  if (encoding === 'br') return zlib.createBrotliCompress(options);
  if (encoding === 'zstd') return zstd.createZstdCompress!(options);
  return encoding === 'gzip' ? zlib.createGzip(options) : zlib.createDeflate(options);
}

/** Compresses a body that is there as a whole, off the main thread. */
export function encodeWhole(
  encoding: Encoding,
  level: number,
  bytes: Buffer,
  done: (error: Error | null, result: Buffer) => void,
): void {
  const compress: Compress =
    encoding === 'br'
      ? zlib.brotliCompress
      : encoding === 'zstd'
        ? zstd.zstdCompress!
        : encoding === 'gzip'
          ? zlib.gzip
          : zlib.deflate;
  compress(bytes, optionsOf(encoding, level, bytes.length), done);
}

/** Sends on all that was written so far. */
export function flushEncoder(encoding: Encoding, encoder: Encoder): void {
  if (encoding === 'gzip' || encoding === 'deflate') encoder.flush(constants['Z_SYNC_FLUSH']!);
  else encoder.flush();
}

/** What an `Accept-Encoding` allows. */
export interface Negotiated {
  /** The best of those offered; `undefined` where none is acceptable or the client would rather have none. */
  readonly encoding: Encoding | undefined;
  /** The client has said that it takes no response without a coding. */
  readonly identityRefused: boolean;
}

const noCoding: Negotiated = { encoding: undefined, identityRefused: false };

/**
 * Chooses a coding as RFC 9110, section 12.5.3 has it: the heaviest that is offered, of equals the first offered. No
 * coding is chosen where the client said that it prefers identity, or said nothing.
 *
 * @param header `Accept-Encoding`; what is malformed in it is passed over
 * @param offered the codings that there are, best first
 */
export function negotiate(header: string | undefined, offered: readonly Encoding[]): Negotiated {
  if (header === undefined || header === '') return noCoding;
  const weights = new Map<string, number>();
  for (const part of header.split(',')) {
    const [, name = '', q] = /^\s*([!#$%&'*+.^`|~\w-]+)\s*(?:;\s*q=([\d.]*)\s*)?$/i.exec(part) ?? [];
    if (name === '') continue;
    const weight = q === undefined ? 1 : /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(q) ? Number(q) : undefined;
    if (weight === undefined) continue;
    const coding = name.toLowerCase();
    const key = aliases[coding] ?? coding;
    // Of one that is named twice the first counts.
    if (!weights.has(key)) weights.set(key, weight);
  }
  const others = weights.get('*');
  const identity = weights.get('identity');
  let encoding: Encoding | undefined;
  let best = 0;
  for (const one of offered) {
    const weight = weights.get(one) ?? others ?? 0;
    if (weight > best) [encoding, best] = [one, weight];
  }
  // A client that lists identity above a coding would rather have none; one that does not list it takes it at need.
  if (identity !== undefined && identity > best) encoding = undefined;
  return { encoding, identityRefused: (identity ?? others) === 0 };
}
