import type { Attributes } from '@opentelemetry/api';
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  type CollectionResult,
  DataPointType,
  InstrumentType,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import type { Exemplar } from '../../instrumentation/metrics/exemplar';

/** A point of a counter or gauge: its value, and its attributes if it has any. */
export type ValuePoint = readonly [value: number, attributes?: Attributes];

export interface HistogramValue {
  readonly boundaries: number[];
  readonly counts: number[];
  readonly sum?: number | undefined;
  readonly attributes?: Attributes;
  readonly exemplars?: readonly (Exemplar | undefined)[];
}

export interface Described {
  readonly unit?: string;
  readonly description?: string;
  readonly temporality?: AggregationTemporality;
}

const time: [number, number] = [1_700_000_000, 0];

function data(
  name: string,
  type: InstrumentType,
  dataPointType: DataPointType,
  dataPoints: readonly object[],
  { unit = '', description = '', temporality = AggregationTemporality.CUMULATIVE }: Described,
  extra: object = {},
): MetricData {
  return {
    descriptor: { name, unit, description, type, valueType: 1, advice: {} },
    aggregationTemporality: temporality,
    dataPointType,
    dataPoints: dataPoints.map(point => ({ startTime: time, endTime: time, ...point })),
    ...extra,
  } as unknown as MetricData;
}

const values = (points: readonly ValuePoint[]): object[] =>
  points.map(([value, attributes = {}]) => ({ value, attributes }));

export const counter = (name: string, points: readonly ValuePoint[], described: Described = {}): MetricData =>
  data(name, InstrumentType.COUNTER, DataPointType.SUM, values(points), described, { isMonotonic: true });

export const upDownCounter = (
  name: string,
  points: readonly ValuePoint[],
  described: Described = {},
): MetricData =>
  data(name, InstrumentType.UP_DOWN_COUNTER, DataPointType.SUM, values(points), described, {
    isMonotonic: false,
  });

export const gauge = (name: string, points: readonly ValuePoint[], described: Described = {}): MetricData =>
  data(name, InstrumentType.GAUGE, DataPointType.GAUGE, values(points), described);

export const histogram = (
  name: string,
  points: readonly HistogramValue[],
  described: Described = {},
): MetricData =>
  data(
    name,
    InstrumentType.HISTOGRAM,
    DataPointType.HISTOGRAM,
    points.map(({ boundaries, counts, sum, attributes = {}, exemplars }) => ({
      attributes,
      value: {
        buckets: { boundaries, counts },
        sum,
        count: counts.reduce((total, count) => total + count, 0),
      },
      ...(exemplars === undefined ? {} : { exemplars }),
    })),
    described,
  );

export const exponentialHistogram = (name: string): MetricData =>
  data(
    name,
    InstrumentType.HISTOGRAM,
    DataPointType.EXPONENTIAL_HISTOGRAM,
    [
      {
        attributes: {},
        value: {
          count: 1,
          sum: 1,
          scale: 0,
          zeroCount: 0,
          positive: { offset: 0, bucketCounts: [1] },
          negative: { offset: 0, bucketCounts: [] },
        },
      },
    ],
    {},
  );

/** Metrics of one scope, or of several by their names. */
export function resourceMetrics(
  metrics: readonly MetricData[] | Readonly<Record<string, readonly MetricData[]>>,
  resource: Resource = resourceFromAttributes({}),
): ResourceMetrics {
  const scopes = Array.isArray(metrics)
    ? { test: metrics as readonly MetricData[] }
    : (metrics as Readonly<Record<string, readonly MetricData[]>>);
  return {
    resource,
    scopeMetrics: Object.entries(scopes).map(([name, own]) => ({
      scope: { name, version: '1.0.0' },
      metrics: [...own],
    })),
  };
}

/** What a reader's `collect` gives. */
export const collected = (
  metrics: Parameters<typeof resourceMetrics>[0],
  resource?: Resource,
): CollectionResult => ({ resourceMetrics: resourceMetrics(metrics, resource), errors: [] });
