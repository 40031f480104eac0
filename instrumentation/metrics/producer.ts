import type { HrTime } from '@opentelemetry/api';
import { emptyResource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  type CollectionResult,
  type DataPoint,
  DataPointType,
  InstrumentType,
  type MetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics';
import type { Instrument as Kind } from '../catalogue/define';
import { type Cell, GaugeCell, HistogramCell } from './cells';
import type { HistogramPoint } from './exemplar';
import type { Instrument } from './instrument';
import type { MetricRegistry } from './registry';

/** Whether a kind of instrument is handed on as running totals or as what came since the last collection. */
export type TemporalityOf = (type: InstrumentType) => AggregationTemporality;

const types: Record<Kind, InstrumentType> = {
  counter: InstrumentType.COUNTER,
  updowncounter: InstrumentType.UP_DOWN_COUNTER,
  gauge: InstrumentType.OBSERVABLE_GAUGE,
  histogram: InstrumentType.HISTOGRAM,
};

/** What a delta reader saw of a series last: its total, and its bucket counts if it has any. */
interface Seen {
  readonly total: number;
  readonly counts: readonly number[] | undefined;
}

/**
 * Hands the agent's metrics to one OpenTelemetry reader. Each reader has a producer of its own, because what is
 * new since the last collection differs between readers.
 *
 * @param onCollected told how long reading took, in seconds
 */
export function createProducer(
  registry: MetricRegistry,
  scope: { name: string; version: string },
  temporalityOf: TemporalityOf = () => AggregationTemporality.CUMULATIVE,
  onCollected: (seconds: number) => void = () => {},
  now: () => number = Date.now,
): MetricProducer {
  const startTime = hrTime(now());
  let lastTime = startTime;
  let seen = new Map<Cell, Seen>();

  const collectMetric = (
    instrument: Instrument,
    endTime: HrTime,
    next: Map<Cell, Seen>,
  ): MetricData | undefined => {
    const { metric } = instrument;
    const type = types[metric.instrument];
    const delta = metric.instrument !== 'gauge' && temporalityOf(type) === AggregationTemporality.DELTA;
    const pointStart = delta ? lastTime : startTime;
    const dataPoints: unknown[] = [];
    for (const cell of instrument.cells()) {
      const before = delta ? seen.get(cell) : undefined;
      const point = pointOf(cell, pointStart, endTime, before);
      if (point === undefined) continue;
      dataPoints.push(point);
      if (delta) next.set(cell, seenOf(cell));
    }
    if (dataPoints.length === 0) return undefined;
    return {
      descriptor: {
        name: metric.name,
        description: metric.description,
        unit: metric.unit,
        type,
        valueType: 1,
        advice: {},
      },
      aggregationTemporality: delta ? AggregationTemporality.DELTA : AggregationTemporality.CUMULATIVE,
      dataPointType: dataPointTypes[metric.instrument],
      ...(metric.instrument === 'counter' ? { isMonotonic: true } : {}),
      ...(metric.instrument === 'updowncounter' ? { isMonotonic: false } : {}),
      dataPoints,
    } as unknown as MetricData;
  };

  return {
    collect(): Promise<CollectionResult> {
      const begin = performance.now();
      const endTime = hrTime(now());
      const next = new Map<Cell, Seen>();
      const metrics: MetricData[] = [];
      for (const instrument of registry.read()) {
        const data = collectMetric(instrument, endTime, next);
        if (data !== undefined) metrics.push(data);
      }
      seen = next;
      lastTime = endTime;
      onCollected((performance.now() - begin) / 1000);
      const scopeMetrics = metrics.length === 0 ? [] : [{ scope, metrics }];
      return Promise.resolve({ resourceMetrics: { resource: emptyResource(), scopeMetrics }, errors: [] });
    },
  };
}

const dataPointTypes: Record<Kind, DataPointType> = {
  counter: DataPointType.SUM,
  updowncounter: DataPointType.SUM,
  gauge: DataPointType.GAUGE,
  histogram: DataPointType.HISTOGRAM,
};

function pointOf(
  cell: Cell,
  startTime: HrTime,
  endTime: HrTime,
  before: Seen | undefined,
): DataPoint<number> | HistogramPoint | undefined {
  const { attributes } = cell;
  if (cell instanceof GaugeCell) {
    return cell.value === undefined ? undefined : { startTime, endTime, attributes, value: cell.value };
  }
  if (!(cell instanceof HistogramCell)) {
    return { startTime, endTime, attributes, value: cell.value - (before?.total ?? 0) };
  }
  const counts = cell.counts.map((count, i) => count - (before?.counts?.[i] ?? 0));
  return {
    startTime,
    endTime,
    attributes,
    value: {
      buckets: { boundaries: cell.bounds as number[], counts },
      sum: cell.sum - (before?.total ?? 0),
      count: counts.reduce((total, count) => total + count, 0),
    },
    ...(cell.exemplars === undefined ? {} : { exemplars: cell.exemplars.slice() }),
  };
}

function seenOf(cell: Cell): Seen {
  return cell instanceof HistogramCell
    ? { total: cell.sum, counts: cell.counts.slice() }
    : { total: cell.value ?? 0, counts: undefined };
}

function hrTime(ms: number): HrTime {
  return [Math.trunc(ms / 1000), Math.round((ms % 1000) * 1e6)];
}
