import zlib from 'node:zlib';

type Encoding = 'gzip' | 'br' | 'zstd' | 'deflate';

interface Coder {
  sync(body: Uint8Array, options: { maxOutputLength: number }): Buffer;
  async(
    body: Uint8Array,
    options: { maxOutputLength: number },
    done: (error: Error | null, decoded: Buffer) => void,
  ): void;
  stream(): zlib.Gunzip;
}

/** From Node.js 22.15 on. */
const newer = zlib as unknown as {
  zstdDecompressSync?: Coder['sync'];
  zstdDecompress: Coder['async'];
  createZstdDecompress: () => zlib.Gunzip;
};

const coders: Partial<Record<Encoding, Coder>> = {
  gzip: { sync: zlib.gunzipSync, async: zlib.gunzip, stream: () => zlib.createGunzip() },
  br: {
    sync: zlib.brotliDecompressSync,
    async: zlib.brotliDecompress,
    stream: () => zlib.createBrotliDecompress() as unknown as zlib.Gunzip,
  },
  ...(newer.zstdDecompressSync !== undefined && {
    zstd: { sync: newer.zstdDecompressSync, async: newer.zstdDecompress, stream: newer.createZstdDecompress },
  }),
  deflate: { sync: zlib.inflateSync, async: zlib.inflate, stream: () => zlib.createInflate() },
};

/** Some servers send deflate without the frame of zlib that RFC 9110 asks for. */
const rawDeflate: Coder = {
  sync: zlib.inflateRawSync,
  async: zlib.inflateRaw,
  stream: () => zlib.createInflateRaw(),
};

/** What is asked for: all that this Node.js can decode. */
export const acceptEncoding = Object.keys(coders).join(', ');

/** More encodings of one body than this are left alone: each could unfold to a thousand times the last. */
const mostEncodings = 3;
/** Bodies of which no more comes than this are decoded at once, which costs less than a thread. */
const atOnceBytes = 16 * 1024;
const atOnceDecodedBytes = 256 * 1024;

/** How to decode a body of this Content-Encoding, the last encoding first; undefined where it can't or need not be. */
export function encodingsOf(header: string | readonly string[] | undefined): Encoding[] | undefined {
  if (header === undefined) return undefined;
  const names: Encoding[] = [];
  for (const part of String(header).split(',')) {
    const name = part.trim().toLowerCase();
    if (name === '' || name === 'identity') continue;
    const known = (name === 'x-gzip' ? 'gzip' : name) as Encoding;
    if (coders[known] === undefined) return undefined;
    names.unshift(known);
  }
  return names.length === 0 || names.length > mostEncodings ? undefined : names;
}

function coderOf(encoding: Encoding, first: number | undefined): Coder {
  // The lower four bits of zlib's first byte are 8: RFC 1950.
  return encoding === 'deflate' && first !== undefined && (first & 15) !== 8 ? rawDeflate : coders[encoding]!;
}

/** Whether zlib failed because more came out than was allowed. */
export function isTooLarge(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE';
}

/** Calls `done` with the decoded body, before it returns where the body is small. More than `most` bytes fail. */
export function decode(
  body: Uint8Array,
  encodings: readonly Encoding[],
  most: number,
  done: (error: Error | null, decoded: Buffer) => void,
): void {
  const [encoding, ...others] = encodings;
  const next = (error: Error | null, decoded: Buffer): void => {
    if (error !== null || others.length === 0) done(error, decoded);
    else decode(decoded, others, most, done);
  };
  const coder = coderOf(encoding!, body[0]);
  const maxOutputLength = Math.min(most, zlibMost);
  if (body.length > atOnceBytes) {
    coder.async(body, { maxOutputLength }, next);
    return;
  }
  let decoded: Buffer;
  try {
    decoded = coder.sync(body, { maxOutputLength: Math.min(maxOutputLength, atOnceDecodedBytes) });
  } catch (error) {
    if (isTooLarge(error) && maxOutputLength > atOnceDecodedBytes)
      coder.async(body, { maxOutputLength }, next);
    else next(error as Error, body as Buffer);
    return;
  }
  next(null, decoded);
}

/** The most that zlib takes for a limit. */
const zlibMost = 2 ** 31 - 1;

/** Streams that decode, one behind the other. `first` is the first byte of the body. */
export function decodingStreams(encodings: readonly Encoding[], first: number | undefined): zlib.Gunzip[] {
  return encodings.map((encoding, i) => coderOf(encoding, i === 0 ? first : undefined).stream());
}
