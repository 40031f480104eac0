import { type History, type HistorySample, sampleIntervalMs } from './contract';

/** Half an hour. */
const capacity = (30 * 60_000) / sampleIntervalMs;
/** Lines held at most, at 3.6 kB each; more are not taken. */
const maxSeries = 400;

export interface HistoryRing {
  add(sample: HistorySample): void;
  /** Samples after the one with that number; of those that are gone, none. */
  read(after: number): History;
}

/** The last half hour of samples in memory that does not grow. */
export function createHistoryRing(): HistoryRing {
  const times = new Float64Array(capacity);
  const columns = new Map<string, Float32Array>();
  let last = 0;

  const columnOf = (name: string): Float32Array | undefined => {
    const present = columns.get(name);
    if (present !== undefined) return present;
    if (columns.size >= maxSeries) forgetEmpty();
    if (columns.size >= maxSeries) return undefined;
    const made = new Float32Array(capacity).fill(Number.NaN);
    columns.set(name, made);
    return made;
  };
  /** A line that had no value for half an hour, such as that of a pool that was closed. */
  const forgetEmpty = (): void => {
    for (const [name, column] of columns) {
      if (column.every(Number.isNaN)) columns.delete(name);
    }
  };

  return {
    add({ at, names, values }) {
      const slot = last % capacity;
      last++;
      times[slot] = at;
      for (const column of columns.values()) column[slot] = Number.NaN;
      for (const [i, name] of names.entries()) {
        const column = columnOf(name);
        if (column !== undefined) column[slot] = values[i]!;
      }
    },
    read(after) {
      const first = Math.max(0, last - capacity, Math.min(after, last));
      const slots = Array.from({ length: last - first }, (_, i) => (first + i) % capacity);
      const series: Record<string, (number | null)[]> = {};
      for (const [name, column] of columns) {
        const values = slots.map(slot => finite(column[slot]!));
        if (values.some(value => value !== null)) series[name] = values;
      }
      return { intervalMs: sampleIntervalMs, last, at: slots.map(slot => times[slot]!), series };
    },
  };
}

/** Five digits say all that a chart shows. */
function finite(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(5)) : null;
}
