import type { Gzip } from 'node:zlib';

/** Favours speed: the text of metrics repeats itself so much that more work gains little. */
const level = 3;

/** Compresses chunks on the thread pool, one at a time, so that neither the event loop nor the pool is held. */
export async function gzip(chunks: readonly Buffer[]): Promise<{ chunks: Buffer[]; bytes: number }> {
  // Loaded by the first scrape that asks for it, not by the preload.
  const { createGzip } = require('node:zlib') as typeof import('node:zlib');
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
