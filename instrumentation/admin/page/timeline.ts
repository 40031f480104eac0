import { type ChartId, charts, type History } from '../../history/contract';

/** Half an hour of samples, as the server has them, and lines that come and go. */
export interface Timeline {
  /** Takes in what came since. */
  add(history: History): void;
  /** Number of the last sample. */
  readonly last: number;
  /** Seconds since the epoch. */
  readonly at: readonly number[];
  lines(chart: ChartId): ReadonlyMap<string, readonly (number | null)[]>;
}

const capacity = 900;

export function createTimeline(): Timeline {
  let last = 0;
  let at: number[] = [];
  const columns = new Map<ChartId, Map<string, (number | null)[]>>();
  for (const id of Object.keys(charts)) columns.set(id as ChartId, new Map());

  const clear = (): void => {
    at = [];
    for (const lines of columns.values()) lines.clear();
  };
  return {
    get last() {
      return last;
    },
    get at() {
      return at;
    },
    lines: chart => columns.get(chart)!,
    add(history) {
      // The server's worker was started anew: what it had is gone, and so are its numbers.
      if (history.last < last) clear();
      last = history.last;
      const before = at.length;
      at.push(...history.at.map(ms => ms / 1000));
      for (const [name, values] of Object.entries(history.series)) {
        const slash = name.indexOf('/');
        const lines = columns.get(name.slice(0, slash) as ChartId);
        if (lines === undefined) continue;
        const line = name.slice(slash + 1);
        const column = lines.get(line) ?? new Array<null>(before).fill(null);
        lines.set(line, column);
        column.push(...values);
      }
      const excess = Math.max(0, at.length - capacity);
      at.splice(0, excess);
      for (const lines of columns.values()) {
        for (const [name, column] of lines) {
          while (column.length < at.length + excess) column.push(null);
          column.splice(0, excess);
          if (column.every(value => value === null)) lines.delete(name);
        }
      }
    },
  };
}
