import type { Source } from '../../toolkit/sources';

/** By how much a source's total has risen since it was given last; 0 the first time. Holds no source alive. */
export function createRises(): (source: Source, total: number) => number {
  const last = new WeakMap<Source, number>();
  return (source, total) => {
    const rise = total - (last.get(source) ?? total);
    last.set(source, total);
    return rise;
  };
}
