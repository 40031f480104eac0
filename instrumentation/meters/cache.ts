import type { CacheStats, TierStats } from '../../toolkit/cache';
import { cacheSource } from '../../toolkit/cache/stats';
import type { HistogramSnapshot } from '../../toolkit/histogram';
import { liveSources } from '../../toolkit/sources';
import { cacheMetrics } from '../catalogue';
import { type Cell, HistogramCell } from '../metrics/cells';
import type { Meter } from './context';

/** The toolkit's caches, found in the registry of live sources each time somebody collects. */
export const meterCache: Meter = ({ registry }) => {
  const m = cacheMetrics;
  const operations = registry.instrument(m.operations);
  const entries = registry.instrument(m.entries);
  const limit = registry.instrument(m.limit);
  const evictions = registry.instrument(m.evictions);
  const loads = registry.instrument(m.loads);
  const loadDuration = registry.instrument(m.loadDuration);
  const getDuration = registry.instrument(m.getDuration);
  const suppressed = registry.instrument(m.suppressed);
  const all = [operations, entries, limit, evictions, loads, loadDuration, getDuration, suppressed] as const;

  const addTier = (name: string, tier: string, stats: TierStats): void => {
    const at = { 'cache.name': name, 'cache.tier': tier };
    const count = (operation: string, result: string, n: number): void =>
      operations.with({ ...at, 'cache.operation': operation, 'cache.result': result }).add(n);
    count('get', 'hit', stats.hits);
    count('get', 'miss', stats.misses);
    count('get', 'error', stats.errors.get);
    count('set', 'ok', stats.sets);
    count('set', 'error', stats.errors.set);
    count('delete', 'ok', stats.deletes);
    count('delete', 'error', stats.errors.delete);
    for (const [reason, n] of Object.entries(stats.evictions)) {
      evictions.with({ ...at, 'cache.eviction.reason': reason }).add(n);
    }
    const add = (instrument: typeof entries, n: number | undefined): void => {
      if (n === undefined) return;
      const cell = instrument.with(at);
      cell.set((cell.value ?? 0) + n);
    };
    add(entries, stats.entries);
    add(limit, stats.limit);
  };

  return registry.onCollect(() => {
    // Caches may share a name and may go: what is shown is the sum over those that live.
    for (const instrument of all) for (const cell of instrument.cells()) reset(cell);
    const names = new Set<unknown>();
    for (const { name, stats } of liveSources<CacheStats>(cacheSource.kind, cacheSource.layout)) {
      const now = stats();
      names.add(name);
      const at = { 'cache.name': name };
      addTier(name, 'l1', now.l1);
      if (now.l2 !== undefined) addTier(name, 'l2', now.l2);
      loads.with({ ...at, 'cache.load.result': 'ok' }).add(now.loads.ok);
      loads.with({ ...at, 'cache.load.result': 'error' }).add(now.loads.error);
      suppressed.with(at).add(now.stampedeSuppressed);
      addHistogram(loadDuration.with(at), now.loadTime);
      addHistogram(getDuration.with(at), now.getTime);
    }
    for (const instrument of all) {
      for (const cell of instrument.cells()) {
        if (!names.has(cell.attributes['cache.name'])) instrument.remove(cell as never);
      }
    }
  });
};

function reset(cell: Cell): void {
  if (cell instanceof HistogramCell) cell.set(new Array<number>(cell.counts.length).fill(0), 0);
  else cell.set(0);
}

/** Another copy of the package may count by other buckets; its counts then can't be shown in ours. */
function addHistogram(cell: HistogramCell, { bounds, counts, sum }: HistogramSnapshot): void {
  if (bounds.length !== cell.bounds.length || bounds.some((bound, i) => bound !== cell.bounds[i])) return;
  cell.set(
    cell.counts.map((count, i) => count + (counts[i] ?? 0)),
    cell.sum + sum,
  );
}
