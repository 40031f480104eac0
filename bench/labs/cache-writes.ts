import { setTimeout as sleep } from 'node:timers/promises';
import { median } from '../spawned';
import { built } from '../toolkit/built';
import type { BenchResult } from '../types';
import { againstBefore } from './rows';

const keys = 20;
const writes = 400;
const writers = 8;
/** How long the source takes for a read or a write. */
const sourceMs = 5;

/** The three ways to write through the same cache: what the writer waits for, and what the source and readers see of it. */
export async function run(): Promise<BenchResult[]> {
  const through = await trial('through');
  const back = await trial('back');
  const around = await trial('around');
  const row = (name: string, of: (t: Trial) => number, unit: string): BenchResult[] => [
    againstBefore(`${name}, write-back`, of(back), of(through), unit, undefined, 'write-through'),
    againstBefore(`${name}, write-around`, of(around), of(through), unit, undefined, 'write-through'),
  ];
  return [
    ...row('a write', ({ writeMs }) => writeMs, 'ms'),
    ...row('a read after a write', ({ readMs }) => readMs, 'ms'),
    ...row(`writes of the source for ${writes}`, ({ sourceWrites }) => sourceWrites, 'writes'),
  ];
}

interface Trial {
  readonly writeMs: number;
  readonly readMs: number;
  readonly sourceWrites: number;
}

async function trial(writeMode: 'through' | 'back' | 'around'): Promise<Trial> {
  const rows = new Map<string, number>();
  let sourceWrites = 0;
  const cache = new built.cache.TieredCache<number>({
    name: writeMode,
    l1: { maxEntries: 1000 },
    writeMode,
    source: {
      async load(key) {
        await sleep(sourceMs);
        return rows.get(key);
      },
      async write(key, value) {
        sourceWrites++;
        await sleep(sourceMs);
        rows.set(key, value);
      },
    },
  });
  const writeTimes: number[] = [];
  const readTimes: number[] = [];
  const timed = async (times: number[], work: Promise<unknown>): Promise<void> => {
    const began = performance.now();
    await work;
    times.push(performance.now() - began);
  };
  await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      for (let i = writer; i < writes; i += writers) {
        const key = `key:${i % keys}`;
        await timed(writeTimes, cache.set(key, i));
        await timed(readTimes, cache.get(key));
      }
    }),
  );
  const { unwritten } = await cache.close();
  if (unwritten.length > 0) throw new Error(`Expected all to be written, got ${unwritten.length} left`);
  return { writeMs: median(writeTimes), readMs: median(readTimes), sourceWrites };
}
