import type { ExportWatch } from '../exporters/otlp/exporter';
import { watchReceivers } from '../exporters/otlp/receivers';
import { selfMetrics } from './catalogue';
import type { Log } from './log';
import type { MetricRegistry } from './metrics/registry';

const signals = {
  traces: { name: 'span', exported: selfMetrics.exportedSpans },
  metrics: { name: 'metric', exported: selfMetrics.exportedPoints },
  logs: { name: 'log', exported: selfMetrics.exportedLogs },
} as const;
const protocols = { 'http/protobuf': 'http', 'http/json': 'http_json', grpc: 'grpc' } as const;

type Signal = keyof typeof signals;
type Protocol = keyof typeof protocols;

/** Counts what is exported over OTLP and what is lost, and tells the log of it. */
export function watchExports(registry: MetricRegistry, log: Log): ExportWatch {
  const tellLog = watchReceivers(log);
  const component = (signal: Signal, protocol: Protocol) => ({
    'otel.component.type': `otlp_${protocols[protocol]}_${signals[signal].name}_exporter`,
  });
  const count = (signal: Signal, protocol: Protocol, items: number, error: string | undefined): void => {
    if (items === 0) return;
    const counter = registry.instrument(signals[signal].exported);
    counter.with({ ...component(signal, protocol), 'error.type': error }).add(items);
  };
  return {
    exported(report) {
      const { signal, protocol, items, rejection, error, seconds } = report;
      const duration = registry.instrument(selfMetrics.exportDuration);
      duration.with({ ...component(signal, protocol), 'error.type': error?.type }).record(seconds);
      const rejected = Math.min(rejection.count, items);
      count(signal, protocol, items - rejected, error?.type);
      count(signal, protocol, rejected, 'rejected');
      tellLog(report);
    },
    dropped: (signal, protocol, items) => count(signal, protocol, items, 'queue_full'),
  };
}
