/** Pauses of one kind of collection. */
export interface PauseStats {
  readonly count: number;
  readonly totalMs: number;
  readonly meanMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  /** Of the last 512. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

export interface Pauses {
  add(ms: number): void;
  stats(): PauseStats;
  readonly count: number;
  readonly totalMs: number;
}

/** Pauses that percentiles are made of. */
const remembered = 512;

export function createPauses(): Pauses {
  const recent = new Float64Array(remembered);
  let count = 0;
  let totalMs = 0;
  let minMs = Infinity;
  let maxMs = 0;
  return {
    add(ms) {
      recent[count++ % remembered] = ms;
      totalMs += ms;
      minMs = Math.min(minMs, ms);
      maxMs = Math.max(maxMs, ms);
    },
    stats() {
      const sorted = recent.slice(0, Math.min(count, remembered)).sort();
      const at = (share: number): number => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
      return {
        count,
        totalMs,
        meanMs: count === 0 ? 0 : totalMs / count,
        minMs: count === 0 ? 0 : minMs,
        maxMs,
        p50Ms: at(0.5),
        p95Ms: at(0.95),
        p99Ms: at(0.99),
      };
    },
    get count() {
      return count;
    },
    get totalMs() {
      return totalMs;
    },
  };
}
