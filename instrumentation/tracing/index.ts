import { createRequire, syncBuiltinESMExports } from 'node:module';
import { TraceFlags, trace } from '@opentelemetry/api';
import { logs as logsApi } from '@opentelemetry/api-logs';
import type { Resource } from '@opentelemetry/resources';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { routeDiag } from '../../exporters/diag';
import type { ExportStats } from '../../exporters/otlp/guarded';
import type { Config } from '../config/options';
import { errorText, type Log } from '../log';
import { hookImportedPackages } from './imported';
import { startInstrumentations } from './instrumentations';
import { createProcessors } from './processors';

export interface TracingOptions {
  readonly config: Config;
  /** The resource of the metrics, so that all signals say the same of the process. */
  readonly resource: Resource;
  readonly log: Log;
  /** Origins that the agent calls besides the OTLP receivers of traces and logs. */
  readonly ownOrigins?: ReadonlySet<string>;
}

/** Tracing and logs, running. */
export interface TracingHandle {
  /** The span that runs now. */
  activeSpan(): { traceId: string; spanId: string; sampled: boolean } | undefined;
  /** How exports of traces and logs fare. */
  readonly stats: readonly ExportStats[];
  /** Sends what has ended so far. What fails is not tried again. Never rejects. */
  forceFlush(): Promise<void>;
  /** Flushes and ends; the libraries stay hooked but make no spans. Bounded by VITALS_SHUTDOWN_TIMEOUT_MS. */
  shutdown(): Promise<void>;
}

/**
 * Starts OpenTelemetry's SDK for traces and logs, and the official instrumentations if traces go anywhere.
 *
 * To be called before the application's modules are loaded. It sets up no metrics, no signal handlers and no
 * resource detection, which are the agent's own.
 *
 * @throws what the SDK throws while it starts; an instrumentation that does not start is one warning
 */
export function startTracing({ config, resource, log, ownOrigins }: TracingOptions): TracingHandle {
  const processors = createProcessors(config, log);
  const sdk = new NodeSDK({
    resource,
    autoDetectResources: false,
    // Not left out: the SDK would then make readers by OTEL_METRICS_EXPORTER, which the agent's own readers serve.
    metricReaders: [],
    spanProcessors: processors.spans,
    logRecordProcessors: processors.logRecords,
    // Given to `registerInstrumentations` instead, because the SDK would give them the global meter provider.
    instrumentations: [],
  });
  // The SDK has put a console logger there if OTEL_LOG_LEVEL is set.
  routeDiag(log, config.logLevel);
  sdk.start();
  // A logger provider without processors only bars the way to one that the application brings.
  if (processors.logRecords.length === 0) logsApi.disable();

  const stops: (() => void)[] = [];
  if (processors.spans.length > 0) {
    const origins = new Set([...processors.origins, ...(ownOrigins ?? [])]);
    const stopInstrumentations = startInstrumentations(config, origins, (library, error) =>
      log.warn(`no spans of ${library}: ${errorText(error)}`),
    );
    hookBuiltins();
    stops.push(stopInstrumentations, hookImportedPackages());
  }

  return {
    activeSpan() {
      const span = trace.getActiveSpan()?.spanContext();
      if (span === undefined) return undefined;
      const sampled = (span.traceFlags & TraceFlags.SAMPLED) !== 0;
      return { traceId: span.traceId, spanId: span.spanId, sampled };
    },
    stats: processors.stats,
    async forceFlush() {
      for (const part of processors.flush) {
        await part.forceFlush().catch(error => log.debug(`flush: ${errorText(error)}`));
      }
    },
    async shutdown() {
      for (const stop of stops) stop();
      await sdk.shutdown().catch(error => log.debug(`shutdown: ${errorText(error)}`));
    },
  };
}

/**
 * `http` and `https` are there already, so nobody may ever `require` them again: not in an application of ES
 * modules. Requiring them here runs the hooks, and the second call brings the named exports of ES modules up to date.
 */
function hookBuiltins(): void {
  const load = createRequire(__filename);
  load('node:http');
  load('node:https');
  syncBuiltinESMExports();
}
