import type { Resource } from '@opentelemetry/resources';
import type { ExportWatch } from '../exporters/otlp/exporter';
import type { SpanSource } from '../exporters/pyroscope/spans';
import type { Config } from './config/options';
import { errorText, type Log } from './log';
import type { Exemplar } from './metrics/exemplar';
import type { TracingHandle } from './tracing';
import { logsExporters, tracesExporters } from './tracing/wanted';

/** What the composition root needs of tracing. */
export interface Traces {
  exemplar(): Omit<Exemplar, 'value'> | undefined;
  /** Whose code runs, for the profiler; `undefined` where profiles by span are not wanted. */
  readonly spanSource: SpanSource | undefined;
  /** Makes no spans any more, because the application does. */
  stepAside(): void;
  forceFlush(): Promise<void>;
  /** Ends the exports that are under way. */
  giveUp(): void;
  shutdown(): Promise<void>;
}

/** Traces and logs, loaded only when one of them goes anywhere. */
export function startTraces(
  config: Config,
  resource: Resource,
  log: Log,
  watch: ExportWatch,
): Traces | undefined {
  if (!wanted(config)) return undefined;
  let handle: TracingHandle;
  try {
    const { startTracing } = require('./tracing.js') as typeof import('./tracing');
    handle = startTracing({ config, resource, log, watch });
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
    spanSource: handle.spanSource,
    stepAside: () => handle.stepAside(),
    forceFlush: () => handle.forceFlush(),
    giveUp: () => handle.giveUp(),
    shutdown: () => handle.shutdown(),
  };
}

/** Whether traces or logs go anywhere. */
function wanted(config: Config): boolean {
  return tracesExporters(config).length + logsExporters(config).length > 0;
}
