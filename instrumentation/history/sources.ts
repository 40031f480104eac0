import {
  cacheMetrics,
  channelMetrics,
  dbPoolMetrics,
  eventLoopMetrics,
  gcMetrics,
  heapMetrics,
  httpServerMetrics,
  lockMetrics,
  poolMetrics,
  processMetrics,
  workerPoolMetrics,
} from '../catalogue';
import type { Cell, CounterCell, GaugeCell, HistogramCell, SeriesAttributes } from '../metrics/cells';
import { anyExtremes, type Extremes, quantileOf } from '../metrics/quantile';
import type { MetricRegistry } from '../metrics/registry';
import type { ChartId, SeriesName } from './contract';
import { pauseLine } from './pauses';

/** Lines of a chart at most: the busiest; what the others do is put together where it can be added up. */
const maxLines = 12;

/** Reads the cells of a metric; none where its meter is left out. */
export type CellsOf = <T extends Cell>(metric: { readonly name: string }) => readonly T[];

/** Takes one value of a line. */
export type Put = (name: SeriesName, value: number | undefined) => void;

/** The metrics as one reading has them. */
export function readCells(registry: MetricRegistry): CellsOf {
  const instruments = new Map([...registry.read()].map(instrument => [instrument.metric.name, instrument]));
  return <T extends Cell>(metric: { readonly name: string }) =>
    [...(instruments.get(metric.name)?.cells() ?? [])] as Cell[] as T[];
}

/** Puts what does not depend on the sample before. */
export function putLevels(cells: CellsOf, put: Put): void {
  for (const { attributes, value } of cells<GaugeCell>(heapMetrics.used)) {
    // Some spaces are never used.
    if (value !== undefined && value > 0) put(`heap/${attributes['v8js.heap.space.name']}`, value);
  }
  put('heap/limit', cells<GaugeCell>(heapMetrics.limit)[0]?.value);
  put('memory/resident', cells<CounterCell>(processMetrics.memoryUsage)[0]?.value);
  put('memory/external', cells<GaugeCell>(processMetrics.external)[0]?.value);
  put('memory/live heap', cells<GaugeCell>(heapMetrics.live)[0]?.value);
  put('memory/limit', cells<GaugeCell>(processMetrics.memoryLimit)[0]?.value);
  putPools(cells, put);
}

function putPools(cells: CellsOf, put: Put): void {
  const used = (
    chart: ChartId,
    cells: readonly (CounterCell | GaugeCell)[],
    name: string,
    prefix = '',
  ): void => {
    for (const { attributes, value } of busiest(cells, cell => cell.value ?? 0)) {
      put(`${chart}/${prefix}${attributes[name]}`, value);
    }
  };
  const lent = (stateName: string) => (cell: CounterCell | GaugeCell) =>
    cell.attributes[stateName] === 'used';
  const dbName = 'db.client.connection.pool.name';
  used('pools', cells<CounterCell>(dbPoolMetrics.count).filter(lent('db.client.connection.state')), dbName);
  used('pools', cells<GaugeCell>(poolMetrics.size).filter(lent('pool.state')), 'pool.name');
  used('waiting', cells<CounterCell>(dbPoolMetrics.pending), dbName);
  used('waiting', cells<GaugeCell>(poolMetrics.pending), 'pool.name');
  const busy = cells<GaugeCell>(workerPoolMetrics.workers).filter(
    ({ attributes }) => attributes['worker_pool.state'] === 'busy',
  );
  used('pools', busy, 'worker_pool.name', 'workers ');
  used('waiting', cells<GaugeCell>(workerPoolMetrics.queueSize), 'worker_pool.name', 'workers ');
  used('waiting', cells<GaugeCell>(channelMetrics.length), 'channel.name', 'channel ');
  const waiters = new Map<string, number>();
  for (const { attributes, value } of cells<GaugeCell>(lockMetrics.waiters)) {
    const name = `lock ${attributes['lock.name']}`;
    waiters.set(name, (waiters.get(name) ?? 0) + (value ?? 0));
  }
  for (const [name, value] of busiest([...waiters], ([, value]) => value)) put(`waiting/${name}`, value);
}

/** What running totals grew by since the last sample. */
export interface Growth {
  put(cells: CellsOf, seconds: number, put: Put): void;
}

/** @param watcher of the extremes of response times */
export function createGrowth(watcher: number): Growth {
  let gc = new Map<string, Timed>();
  let routes = new Map<string, Timed>();
  let gets = new Map<string, { hits: number; all: number }>();
  let loop: { active: number; all: number } | undefined;
  const cpu = new Map<string, number>();
  return {
    put(cells, seconds, put) {
      const gcNow = groupTimes(cells<HistogramCell>(gcMetrics.duration), attributes =>
        pauseLine(String(attributes['v8js.gc.type']), attributes['vitals.gc.forced'] !== undefined),
      );
      for (const [type, now] of gcNow) {
        put(`gcTime/${type}`, (growth(gc.get(type), now).sum / seconds) * 100);
      }
      gc = gcNow;

      const routesNow = groupTimes(cells<HistogramCell>(httpServerMetrics.duration), routeOf, watcher);
      putRoutes(routes, routesNow, seconds, put);
      routes = routesNow;

      const getsNow = countGets(cells);
      for (const [cache, { hits, all }] of busiest([...getsNow], ([, { all }]) => all)) {
        const before = gets.get(cache) ?? { hits: 0, all: 0 };
        if (all > before.all) put(`caches/${cache}`, ((hits - before.hits) / (all - before.all)) * 100);
      }
      gets = getsNow;

      for (const { attributes, value } of cells<CounterCell>(processMetrics.cpuTime)) {
        const mode = String(attributes['cpu.mode']);
        // Of one core, as `top` has it.
        const before = cpu.get(mode);
        if (before !== undefined) put(`cpu/${mode}`, ((value - before) / seconds) * 100);
        cpu.set(mode, value);
      }
      let active = 0;
      let all = 0;
      for (const { attributes, value } of cells<CounterCell>(eventLoopMetrics.time)) {
        all += value;
        if (attributes['nodejs.eventloop.state'] === 'active') active += value;
      }
      if (loop !== undefined && all > loop.all) {
        put('cpu/event loop', ((active - loop.active) / (all - loop.all)) * 100);
      }
      loop = { active, all };
    },
  };
}

/** Measurements of several series put together. */
interface Timed {
  bounds: readonly number[];
  counts: number[];
  sum: number;
  count: number;
  /** Of what came since the last sample. */
  extremes: Extremes;
}

/** @param watcher of the extremes, where they are wanted */
function groupTimes(
  cells: readonly HistogramCell[],
  keyOf: (attributes: SeriesAttributes) => string,
  watcher?: number,
): Map<string, Timed> {
  const groups = new Map<string, Timed>();
  for (const cell of cells) {
    const key = keyOf(cell.attributes);
    const group = groups.get(key);
    const extremes = watcher === undefined ? anyExtremes : cell.takeExtremes(watcher);
    if (group === undefined) {
      const { bounds, counts, sum, count } = cell;
      groups.set(key, { bounds, counts: [...counts], sum, count, extremes });
      continue;
    }
    for (let i = 0; i < cell.counts.length; i++) group.counts[i]! += cell.counts[i]!;
    group.sum += cell.sum;
    group.count += cell.count;
    group.extremes = {
      min: Math.min(group.extremes.min, extremes.min),
      max: Math.max(group.extremes.max, extremes.max),
    };
  }
  return groups;
}

function growth(before: Timed | undefined, now: Timed): Timed {
  if (before === undefined) return now;
  return {
    bounds: now.bounds,
    counts: now.counts.map((count, i) => count - before.counts[i]!),
    sum: now.sum - before.sum,
    count: now.count - before.count,
    extremes: now.extremes,
  };
}

function routeOf(attributes: SeriesAttributes): string {
  if (attributes['otel.metric.overflow'] === true) return 'other';
  return `${attributes['http.request.method']} ${attributes['http.route'] ?? '(no route)'}`;
}

function putRoutes(
  before: ReadonlyMap<string, Timed>,
  now: ReadonlyMap<string, Timed>,
  seconds: number,
  put: Put,
): void {
  const shown = new Set(busiest([...now], ([, { count }]) => count).map(([route]) => route));
  let others = 0;
  for (const [route, total] of now) {
    const grown = growth(before.get(route), total);
    if (!shown.has(route)) {
      others += grown.count;
      continue;
    }
    put(`requests/${route}`, grown.count / seconds);
    if (grown.count === 0) continue;
    for (const [chart, q] of [
      ['p50', 0.5],
      ['p99', 0.99],
    ] as const) {
      const value = quantileOf(grown.bounds, grown.counts, q, grown.extremes);
      put(`${chart}/${route}`, value === undefined ? undefined : value * 1000);
    }
  }
  if (now.size > shown.size) put('requests/all others', others / seconds);
}

/** Lookups by cache and tier. */
function countGets(cells: CellsOf): Map<string, { hits: number; all: number }> {
  const gets = new Map<string, { hits: number; all: number }>();
  for (const { attributes, value } of cells<CounterCell>(cacheMetrics.operations)) {
    if (attributes['cache.operation'] !== 'get') continue;
    const name = `${attributes['cache.name']} ${attributes['cache.tier']}`;
    const count = gets.get(name) ?? { hits: 0, all: 0 };
    gets.set(name, count);
    count.all += value;
    if (attributes['cache.result'] === 'hit') count.hits += value;
  }
  return gets;
}

function busiest<T>(items: readonly T[], measure: (item: T) => number): readonly T[] {
  if (items.length <= maxLines) return items;
  return [...items].sort((a, b) => measure(b) - measure(a)).slice(0, maxLines);
}
