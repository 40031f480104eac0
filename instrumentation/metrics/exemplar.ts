import type { DataPoint, Histogram } from '@opentelemetry/sdk-metrics';

/** A measurement kept beside the bucket it fell into, with the trace it belongs to. */
export interface Exemplar {
  readonly value: number;
  /** Milliseconds since the epoch. */
  readonly timestampMs: number;
  readonly traceId: string;
  readonly spanId: string;
}

/**
 * A histogram point that may carry one exemplar per bucket, at the bucket's index in `value.buckets.counts`.
 * The JavaScript SDK's own points carry none.
 */
export type HistogramPoint = DataPoint<Histogram> & {
  readonly exemplars?: readonly (Exemplar | undefined)[];
};
