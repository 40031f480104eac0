import type { OtlpMessage, OtlpSignal } from './schema';

export type Attributes = Record<string, unknown>;

export interface ReceivedSpan {
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer' | 'unspecified';
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for a root span. */
  readonly parentSpanId: string;
  readonly attributes: Attributes;
  /** How many. */
  readonly events: number;
  readonly scope: string;
  readonly resource: Attributes;
}

export interface ReceivedPoint {
  readonly attributes: Attributes;
  /** Of a gauge or sum. */
  readonly value: number | undefined;
  /** Of a histogram. */
  readonly count: number | undefined;
  readonly sum: number | undefined;
  readonly buckets: readonly number[] | undefined;
}

export interface ReceivedMetric {
  readonly name: string;
  readonly unit: string;
  readonly type: 'gauge' | 'sum' | 'histogram';
  readonly temporality: 'delta' | 'cumulative' | undefined;
  readonly monotonic: boolean | undefined;
  readonly points: readonly ReceivedPoint[];
  readonly scope: string;
  readonly resource: Attributes;
}

export interface ReceivedLog {
  readonly body: unknown;
  readonly severity: string;
  readonly attributes: Attributes;
  readonly traceId: string;
  readonly spanId: string;
  readonly resource: Attributes;
}

export interface Records {
  metrics: ReceivedMetric[];
  traces: ReceivedSpan[];
  logs: ReceivedLog[];
}

// biome-ignore lint/suspicious/noExplicitAny: decoded messages; the tests check what they look at
type Any = Record<string, any>;

/** What a request carries, one entry per span, metric or log record. */
export function recordsOf<S extends OtlpSignal>(signal: S, message: OtlpMessage): Records[S] {
  const outer = { metrics: 'resourceMetrics', traces: 'resourceSpans', logs: 'resourceLogs' }[signal];
  const middle = { metrics: 'scopeMetrics', traces: 'scopeSpans', logs: 'scopeLogs' }[signal];
  const inner = { metrics: 'metrics', traces: 'spans', logs: 'logRecords' }[signal];
  const make = { metrics: metricOf, traces: spanOf, logs: logOf }[signal];
  const found: unknown[] = [];
  for (const group of list(message[outer])) {
    const resource = attributesOf(group['resource']?.['attributes']);
    for (const scoped of list(group[middle])) {
      const scope = scoped['scope']?.['name'] ?? '';
      for (const item of list(scoped[inner])) found.push({ ...make(item), scope, resource });
    }
  }
  return found as Records[S];
}

const kinds = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const;

function spanOf(span: Any): object {
  return {
    name: span['name'],
    kind: kinds[Number(span['kind'] ?? 0)],
    traceId: span['traceId'],
    spanId: span['spanId'],
    parentSpanId: span['parentSpanId'] ?? '',
    attributes: attributesOf(span['attributes']),
    events: list(span['events']).length,
  };
}

function metricOf(metric: Any): object {
  const type = (['gauge', 'sum', 'histogram'] as const).find(name => metric[name] !== undefined) ?? 'gauge';
  const data = metric[type] as unknown as Any | undefined;
  const temporality = [undefined, 'delta', 'cumulative'][Number(data?.['aggregationTemporality'] ?? 0)];
  return {
    name: metric['name'],
    unit: metric['unit'] ?? '',
    type,
    temporality,
    monotonic: type === 'sum' ? Boolean(data?.['isMonotonic']) : undefined,
    points: list(data?.['dataPoints']).map(point => ({
      attributes: attributesOf(point['attributes']),
      value: type === 'histogram' ? undefined : Number(point['asDouble'] ?? point['asInt'] ?? 0),
      count: type === 'histogram' ? Number(point['count'] ?? 0) : undefined,
      sum: point['sum'],
      buckets: type === 'histogram' ? list(point['bucketCounts']).map(Number) : undefined,
    })),
  };
}

function logOf(record: Any): object {
  return {
    body: anyValue(record['body']),
    severity: record['severityText'] ?? '',
    attributes: attributesOf(record['attributes']),
    traceId: record['traceId'] ?? '',
    spanId: record['spanId'] ?? '',
  };
}

function attributesOf(pairs: unknown): Attributes {
  return Object.fromEntries(list(pairs).map(pair => [pair['key'], anyValue(pair['value'])]));
}

function anyValue(value: Any | undefined): unknown {
  if (value === undefined) return undefined;
  if ('arrayValue' in value) return list(value['arrayValue']['values']).map(anyValue);
  if ('intValue' in value) return Number(value['intValue']);
  return value['stringValue'] ?? value['boolValue'] ?? value['doubleValue'];
}

function list(value: unknown): Any[] {
  return (value ?? []) as Any[];
}
