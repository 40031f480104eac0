import type { GcSource } from '../meters/gc-source';
import type { Put } from './sources';

/** The longest pause of each kind since the last sample. */
export interface LongestPauses {
  put(put: Put): void;
  stop(): void;
}

export function watchPauses(gc: GcSource): LongestPauses {
  const longest = new Map<string, number>();
  const stop = gc.subscribe(collections => {
    for (const { type, seconds, forced } of collections) {
      const line = pauseLine(type, forced);
      longest.set(line, Math.max(seconds, longest.get(line) ?? 0));
    }
  });
  return {
    put(put) {
      for (const [line, seconds] of longest) put(`gc/${line}`, seconds * 1000);
      longest.clear();
    },
    stop,
  };
}

/** Name of a line for collections of a kind. */
export function pauseLine(type: string, forced: boolean): string {
  return forced ? `${type} (forced)` : type;
}
