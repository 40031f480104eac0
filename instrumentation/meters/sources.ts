import type { HistogramSnapshot } from '../../toolkit/histogram';
import { liveSources, onSourceEnd, type Source } from '../../toolkit/sources';
import type { Instrument as Kind, Metric } from '../catalogue/define';
import { type CounterCell, type GaugeCell, HistogramCell } from '../metrics/cells';
import type { AttributesOf, CellOf, Instrument } from '../metrics/instrument';
import type { MetricRegistry } from '../metrics/registry';
import type { Meter } from './context';

/**
 * Meters over the toolkit's registry of live sources.
 *
 * Sources come and go and may share a name, while a counter at an endpoint must never fall. So the totals of each
 * source are remembered, and only what came since goes into the cells; a source that ends is read once more. Gauges
 * are the sum, the least or the most, over the sources alive, and end with the last of them. Series of counters stay when their sources are
 * gone: the limit of series per metric bounds them.
 */

/** One series per source: what to read of the statistics, and where it goes. */
export interface SourceSeries<Stats> {
  readonly metric: Metric;
  readonly attributes: AttributesOf<string>;
  /** `undefined` where the source does not have it; the series is then not shown. */
  read(stats: Stats): number | HistogramSnapshot | undefined;
  /** Of a gauge: of several sources the least or the most, and not the sum. */
  readonly of?: 'least' | 'most';
}

/** Declares series over one layout of statistics. */
export function seriesOf<Stats>() {
  const declare =
    <K extends Kind, Value extends number | HistogramSnapshot>() =>
    <Names extends string>(
      metric: Metric<Names, K>,
      attributes: AttributesOf<Names>,
      read: (stats: Stats) => Value | undefined,
    ): SourceSeries<Stats> => ({
      metric: metric as unknown as Metric,
      attributes: attributes as AttributesOf<string>,
      read,
    });
  return {
    /** A total since the source was made. */
    counter: declare<'counter', number>(),
    /** A present value; sources of one name are added up. */
    gauge: declare<'gauge', number>(),
    /** As `gauge`; of sources of one name the least is shown. */
    leastGauge: <Names extends string>(
      metric: Metric<Names, 'gauge'>,
      attributes: AttributesOf<Names>,
      read: (stats: Stats) => number | undefined,
    ): SourceSeries<Stats> => ({ ...declare<'gauge', number>()(metric, attributes, read), of: 'least' }),
    /** As `gauge`; of sources of one name the most is shown. */
    mostGauge: <Names extends string>(
      metric: Metric<Names, 'gauge'>,
      attributes: AttributesOf<Names>,
      read: (stats: Stats) => number | undefined,
    ): SourceSeries<Stats> => ({ ...declare<'gauge', number>()(metric, attributes, read), of: 'most' }),
    /** By the very buckets of the metric; what a source counted by others is left out. */
    histogram: declare<'histogram', HistogramSnapshot>(),
  };
}

/**
 * A meter that fills `series` from the sources of one kind and layout.
 *
 * @param identify the attributes that tell sources apart, put on each series
 */
export function meterSources<Stats extends object>(
  { kind, layout }: { readonly kind: string; readonly layout: number },
  identify: (name: string, stats: Stats) => AttributesOf<string>,
  series: readonly SourceSeries<Stats>[],
): Meter {
  return ({ registry }) => {
    const bound = series.map(one => ({ ...one, instrument: registry.instrument(one.metric) }));
    // Weakly, because a source of another copy of the package may end without our being told.
    const readings = new WeakMap<Source, Reading>();
    let shown = new Map<GaugeCell, Instrument>();

    const read = (source: Source<Stats>, gauges?: Gauges): void => {
      try {
        const stats = source.stats();
        let reading = readings.get(source);
        if (reading === undefined) {
          reading = { identity: identify(String(source.name), stats), cells: [], totals: [] };
          readings.set(source, reading);
        }
        for (let i = 0; i < bound.length; i++) advance(bound[i]!, i, stats, reading, gauges, registry);
      } catch (error) {
        registry.onReaderError(error);
      }
    };

    const stopReading = registry.onCollect(() => {
      const gauges: Gauges = new Map();
      for (const source of liveSources<Stats>(kind, layout)) read(source, gauges);
      for (const [cell, { sum }] of gauges) cell.set(sum);
      for (const [cell, instrument] of shown) {
        if (gauges.has(cell)) continue;
        // The overflow series stays with its instrument, and what is not set is not reported.
        cell.set(undefined);
        instrument.remove(cell as never);
      }
      shown = new Map([...gauges].map(([cell, { instrument }]) => [cell, instrument]));
    });
    const stopEnds = onSourceEnd(source => {
      if (source.kind === kind && source.layout === layout) read(source as Source<Stats>);
    });
    return () => {
      stopReading();
      stopEnds();
    };
  };
}

/** What is remembered of a source: its cells and last totals, by the place of their series in the list. */
interface Reading {
  readonly identity: AttributesOf<string>;
  readonly cells: (CellOf<Kind> | undefined)[];
  readonly totals: (number | HistogramSnapshot | undefined)[];
}

/** Sums of this collection. Sources past the limit share the overflow cell, so the cell and not its name is the key. */
type Gauges = Map<GaugeCell, { sum: number; readonly instrument: Instrument }>;

function advance<Stats>(
  series: SourceSeries<Stats> & { readonly instrument: Instrument },
  place: number,
  stats: Stats,
  reading: Reading,
  gauges: Gauges | undefined,
  registry: MetricRegistry,
): void {
  const { instrument } = series;
  const isGauge = series.metric.instrument === 'gauge';
  if (isGauge && gauges === undefined) return;
  const value = series.read(stats);
  if (value === undefined) return;
  const attributes = { ...reading.identity, ...series.attributes };
  if (isGauge) {
    // Looked up anew: the cell went when the last source of its name did, and another may have come since.
    const cell = instrument.with(attributes) as unknown as GaugeCell;
    const sum = gauges!.get(cell);
    if (sum === undefined) gauges!.set(cell, { sum: value as number, instrument });
    else sum.sum = together(series.of, sum.sum, value as number);
    return;
  }
  reading.cells[place] ??= instrument.with(attributes);
  const cell = reading.cells[place] as CounterCell | HistogramCell;
  const before = reading.totals[place];
  reading.totals[place] = value;
  if (cell instanceof HistogramCell) {
    const problem = addHistogram(cell, value as HistogramSnapshot, before as HistogramSnapshot | undefined);
    if (problem) registry.onReaderError(new RangeError(`${series.metric.name}: ${problem}`));
  } else {
    cell.add(since(value as number, before as number | undefined));
  }
}

function together(of: SourceSeries<unknown>['of'], one: number, other: number): number {
  if (of === undefined) return one + other;
  return of === 'least' ? Math.min(one, other) : Math.max(one, other);
}

/** What came since `before`; a total that fell began anew, as Prometheus has it. */
function since(total: number, before = 0): number {
  return total >= before ? total - before : Math.max(0, total);
}

/** Another copy of the package may count by other buckets; its counts can't be shown in ours. */
function addHistogram(
  cell: HistogramCell,
  { bounds, counts, sum, count }: HistogramSnapshot,
  before: HistogramSnapshot | undefined,
): string | undefined {
  if (bounds.length !== cell.bounds.length || bounds.some((bound, i) => bound !== cell.bounds[i])) {
    return `expected the bucket bounds ${cell.bounds.join(' ')}, got ${bounds.join(' ')}`;
  }
  const past = before !== undefined && count >= before.count ? before : undefined;
  cell.addCounts(
    counts.map((one, i) => since(one, past?.counts[i])),
    sum - (past?.sum ?? 0),
  );
  return undefined;
}
