import type { Gzip } from 'node:zlib';

/** Favours speed: the text of metrics repeats itself so much that more work gains little. */
const level = 3;

/** Bytes that compress at once in about as long as it takes to hand them to the thread pool: a third of a ms. */
const small = 128 * 1024;

/**
 * Compresses chunks; more than a few on the thread pool, one at a time, so that neither the event loop nor the pool
 * is held.
 *
 * Few go without a stream also because the first one in a process makes Node.js's own streams slower for good: its
 * compiled code then meets one more kind of them. For a server that uses no others that was 3 % of its CPU time.
 */
export async function gzip(chunks: readonly Buffer[]): Promise<{ chunks: Buffer[]; bytes: number }> {
  // Loaded by the first scrape that asks for it, not by the preload.
  const { createGzip, gzipSync } = require('node:zlib') as typeof import('node:zlib');
  if (chunks.reduce((sum, { length }) => sum + length, 0) <= small) {
    const compressed = gzipSync(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks), { level });
    return { chunks: [compressed], bytes: compressed.length };
  }
  const stream: Gzip = createGzip({ level, chunkSize: 64 * 1024 });
  const out: Buffer[] = [];
  let bytes = 0;
  const done = new Promise<void>((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => {
      out.push(chunk);
      bytes += chunk.length;
    });
    stream.once('end', resolve);
    stream.once('error', reject);
  });
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  await done;
  return { chunks: out, bytes };
}
