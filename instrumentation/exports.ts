import type { OnExport } from '../exporters/otlp/exporter';
import { selfMetrics } from './catalogue';
import type { MetricRegistry } from './metrics/registry';

const signals = {
  traces: { name: 'span', exported: selfMetrics.exportedSpans },
  metrics: { name: 'metric', exported: selfMetrics.exportedPoints },
  logs: { name: 'log', exported: selfMetrics.exportedLogs },
} as const;
const protocols = { 'http/protobuf': 'http', 'http/json': 'http_json', grpc: 'grpc' } as const;

/** Counts what is exported over OTLP, and what is lost. */
export function countExports(registry: MetricRegistry): OnExport {
  return ({ signal, protocol, items, rejected, error, seconds }) => {
    const { name, exported } = signals[signal];
    const type = { 'otel.component.type': `otlp_${protocols[protocol]}_${name}_exporter` };
    const counter = registry.instrument(exported);
    if (seconds !== undefined) {
      const duration = registry.instrument(selfMetrics.exportDuration);
      duration.with({ ...type, 'error.type': error }).record(seconds);
    }
    if (items > rejected) counter.with({ ...type, 'error.type': error }).add(items - rejected);
    if (rejected > 0) counter.with({ ...type, 'error.type': 'rejected' }).add(rejected);
  };
}
