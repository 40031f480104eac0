import type { Resource } from '@opentelemetry/resources';
import type { Config } from './config/options';
import { errorText, type Log } from './log';
import type { Exemplar } from './metrics/exemplar';
import type { TracingHandle } from './tracing';
import { logsExporters, tracesExporters } from './tracing/wanted';

/** What the composition root needs of tracing. */
export interface Traces {
  exemplar(): Omit<Exemplar, 'value'> | undefined;
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

/** Traces and logs, loaded only when one of them goes anywhere. */
export function startTraces(config: Config, resource: Resource, log: Log): Traces | undefined {
  if (!wanted(config)) return undefined;
  let handle: TracingHandle;
  try {
    const { startTracing } = require('./tracing.js') as typeof import('./tracing');
    handle = startTracing({ config, resource, log, ownOrigins: ownOrigins(config) });
  } catch (error) {
    log.warn(`tracing did not start: ${errorText(error)}`);
    return undefined;
  }
  const always = config.exemplarFilter === 'always_on';
  const never = config.exemplarFilter === 'always_off';
  return {
    exemplar() {
      if (never) return undefined;
      const span = handle.activeSpan();
      if (span === undefined || !(span.sampled || always)) return undefined;
      return { traceId: span.traceId, spanId: span.spanId, timestampMs: Date.now() };
    },
    forceFlush: () => handle.forceFlush(),
    shutdown: () => handle.shutdown(),
  };
}

/** Whether traces or logs go anywhere. */
function wanted(config: Config): boolean {
  return tracesExporters(config).length + logsExporters(config).length > 0;
}

/** Origins that the agent itself calls, with the port spelled out. */
export function ownOrigins(config: Config): ReadonlySet<string> {
  const addresses = [
    config.pyroscopeAddress,
    config.otlpEndpoint,
    config.otlpTracesEndpoint,
    config.otlpMetricsEndpoint,
    config.otlpLogsEndpoint,
  ];
  const exportsOtlp = config.metricsExporters.includes('otlp') || wanted(config);
  if (exportsOtlp && config.otlpEndpoint === undefined) addresses.push('http://localhost:4318');
  const origins = new Set<string>();
  for (const address of addresses) {
    if (address === undefined) continue;
    const { protocol, hostname, port } = new URL(address);
    origins.add(`${protocol}//${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`);
  }
  return origins;
}
