import { type BrotliOptions, brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { median } from '../spawned';
import type { BenchResult } from '../types';
import { againstBefore } from './rows';

const rounds = 5;
/** A list of products as a shop answers with. */
const body = Buffer.from(
  JSON.stringify(
    Array.from({ length: 1000 }, (_, id) => ({
      id,
      sku: `VM-${String((id * 7919) % 100_000).padStart(6, '0')}`,
      name: `product ${(id * 31) % 977}`,
      description: `One of ${(id * 37) % 1000} that come in ${id % 13} colours and weigh ${(id * 53) % 4999} g`,
      priceCents: (id * 7717) % 24_000,
    })),
  ),
);
const brotli = (quality: number): BrotliOptions => ({
  params: { [constants.BROTLI_PARAM_QUALITY]: quality, [constants.BROTLI_PARAM_SIZE_HINT]: body.length },
});
const ways: readonly (readonly [name: string, compress: () => Buffer])[] = [
  ['gzip 1', () => gzipSync(body, { level: 1 })],
  ['gzip 6', () => gzipSync(body, { level: 6 })],
  ['gzip 9', () => gzipSync(body, { level: 9 })],
  ['brotli 1', () => brotliCompressSync(body, brotli(1))],
  ['brotli 4', () => brotliCompressSync(body, brotli(4))],
  ['brotli 6', () => brotliCompressSync(body, brotli(6))],
  ['brotli 11', () => brotliCompressSync(body, brotli(11))],
];

/** What levels of compression cost and save, beside brotli's own default of 11. */
export async function run(): Promise<BenchResult[]> {
  const measured = ways.map(([name, compress]) => {
    const times: number[] = [];
    let bytes = 0;
    for (let round = 0; round < rounds; round++) {
      const before = process.cpuUsage();
      bytes = compress().length;
      const { user, system } = process.cpuUsage(before);
      times.push((user + system) / 1000);
    }
    return { name, ms: median(times), bytes };
  });
  const { ms: most } = measured.at(-1)!;
  return measured.map(({ name, ms, bytes }) =>
    againstBefore(
      `${name}: ${Math.round(body.length / 1000)} kB to ${(bytes / 1000).toFixed(1)} kB`,
      ms,
      most,
      'ms',
      undefined,
      'brotli 11',
    ),
  );
}
