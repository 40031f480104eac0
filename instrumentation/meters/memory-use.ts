import { getHeapStatistics } from 'node:v8';

let last: NodeJS.MemoryUsage = { rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 };

/**
 * What `process.memoryUsage()` says. On Linux it opens a file for that and throws where the process has no file descriptor
 * left, just when somebody wants to know what is wrong: then what V8 knows, and the rest as it last was.
 */
export function memoryUse(): NodeJS.MemoryUsage {
  try {
    last = process.memoryUsage();
  } catch {
    const {
      total_heap_size: heapTotal,
      used_heap_size: heapUsed,
      external_memory: external,
    } = getHeapStatistics();
    last = { ...last, heapTotal, heapUsed, external };
  }
  return last;
}

/** Bytes of the process in memory; see {@link memoryUse}. */
export function residentMemory(): number {
  try {
    last = { ...last, rss: process.memoryUsage.rss() };
  } catch {
    // As it last was.
  }
  return last.rss;
}

// So that there is a last time, in each thread that asks.
memoryUse();
