import { createRequire, syncBuiltinESMExports } from 'node:module';
import { diag, type TextMapPropagator, TraceFlags, trace } from '@opentelemetry/api';
import { logs } from '@opentelemetry/api-logs';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import type { Resource } from '@opentelemetry/resources';
// The class alone: the package's main file also loads the reader of its configuration files.
import { NodeSDK } from '@opentelemetry/sdk-node/build/src/sdk';
import { routeDiag } from '../../exporters/diag';
import type { ExportWatch } from '../../exporters/otlp/exporter';
import type { SpanSource } from '../../exporters/pyroscope/spans';
import { apiGlobal, unregister } from '../api-global';
import type { Config } from '../config/options';
import { errorText, type Log } from '../log';
import { hookImportedPackages } from './imported';
import { startInstrumentations } from './instrumentations';
import { startLogs } from './logs';
import { createProcessors, type Processors } from './processors';
import { createPropagator } from './propagator';
import { createSampler } from './sampler';
import { createSpanProfiles } from './span-profiles';

export interface TracingOptions {
  readonly config: Config;
  /** The resource of the metrics, so that all signals say the same of the process. */
  readonly resource: Resource;
  readonly log: Log;
  /** Told of what goes over OTLP. */
  readonly watch: ExportWatch;
}

/** Tracing and logs, running. */
export interface TracingHandle {
  /** The span that runs now. */
  activeSpan(): { traceId: string; spanId: string; sampled: boolean } | undefined;
  /** Whose code runs, for the profiler; `undefined` where profiles by span are not wanted. */
  readonly spanSource: SpanSource | undefined;
  /** Ends the agent's own spans, because the application makes them. */
  stepAside(): void;
  /** Sends what has ended so far. What fails is not tried again. Never rejects. */
  forceFlush(): Promise<void>;
  /** Ends the exports that are under way: what they carry is lost. */
  giveUp(): void;
  /** Flushes and ends; the libraries stay hooked but make no spans. Bounded by VITALS_SHUTDOWN_TIMEOUT_MS. */
  shutdown(): Promise<void>;
}

/**
 * Starts OpenTelemetry's SDK for traces and logs, and the official instrumentations if traces go anywhere.
 *
 * To be called before the application's modules are loaded. Everything that `@opentelemetry/sdk-node` would take from
 * the environment by itself is given to it, so that the one table of options decides.
 *
 * @throws Error when a certificate cannot be read; an instrumentation that does not start is one warning
 */
export function startTracing({ config, resource, log, watch }: TracingOptions): TracingHandle {
  const unrouteDiag = routeDiag(log, config.logLevel);
  const processors = createProcessors(config, log, watch);
  const spans = processors.spans.length > 0 ? startSpans(config, resource, log, processors) : undefined;
  const logs =
    processors.logRecords.length > 0 ? startLogs(config, resource, processors.logRecords) : undefined;

  return {
    spanSource: spans?.source,
    activeSpan() {
      const span = trace.getActiveSpan()?.spanContext();
      if (span === undefined) return undefined;
      const sampled = (span.traceFlags & TraceFlags.SAMPLED) !== 0;
      return { traceId: span.traceId, spanId: span.spanId, sampled };
    },
    stepAside: () => spans?.stepAside(),
    async forceFlush() {
      for (const part of processors.flush) {
        await part.forceFlush().catch(error => log.debug(`flush: ${errorText(error)}`));
      }
    },
    giveUp: () => processors.giveUp(),
    async shutdown() {
      const ended = await Promise.allSettled([spans?.shutdown(), logs?.shutdown()]);
      for (const part of ended) {
        if (part.status === 'rejected') log.debug(`shutdown: ${errorText(part.reason)}`);
      }
      unrouteDiag();
    },
  };
}

function startSpans(config: Config, resource: Resource, log: Log, processors: Processors) {
  if (apiGlobal()?.trace !== undefined) {
    log.info('the application has set up tracing of its own; otel-vitals makes no spans');
    return { source: undefined, stepAside() {}, shutdown: async () => {} };
  }
  const profiles =
    config.pyroscopeAddress !== undefined && config.spanProfiles !== 'off'
      ? createSpanProfiles(config.spanProfiles === 'trace')
      : undefined;
  const manager = profiles?.manager ?? new AsyncLocalStorageContextManager();
  const propagator = createPropagator(config);
  const sdk = makeSdk({
    resource,
    autoDetectResources: false,
    sampler: createSampler(config),
    spanLimits: spanLimits(config),
    spanProcessors: [...(profiles === undefined ? [] : [profiles.processor]), ...processors.spans],
    contextManager: manager,
    // `null` registers none.
    textMapPropagator: propagator ?? (null as unknown as TextMapPropagator),
    // Not left out: the SDK would then make readers and log processors by the environment. Metrics have the agent's
    // own readers, log records `startLogs`.
    metricReaders: [],
    logRecordProcessors: [],
    // Given to `registerInstrumentations` instead, because the SDK would give them the global meter provider.
    instrumentations: [],
  });
  const logger = logs.getLoggerProvider();
  sdk.start();
  // A logger provider without processors only bars the way to one that leads somewhere.
  if (logs.getLoggerProvider() !== logger) logs.disable();
  const registered = apiGlobal()?.trace;

  const stopInstrumentations = startInstrumentations(config, (library, error) =>
    log.warn(`no spans of ${library}: ${errorText(error)}`),
  );
  hookBuiltins();
  const unhookImported = hookImportedPackages();
  let isOurs = true;
  const stop = (): void => {
    stopInstrumentations();
    unhookImported();
  };
  return {
    source: profiles?.source,
    stepAside() {
      isOurs = false;
      stop();
    },
    async shutdown() {
      stop();
      // The application may have registered the very same proxy, with a provider of its own in it.
      if (isOurs && registered !== undefined) unregister('trace', registered);
      if (propagator !== undefined) unregister('propagation', propagator);
      unregister('context', manager);
      await sdk.shutdown();
    },
  };
}

/**
 * Makes the SDK without the console logger that its constructor sets where OTEL_LOG_LEVEL is set, and that writes to
 * the application's stdout.
 */
function makeSdk(configuration: ConstructorParameters<typeof NodeSDK>[0]): NodeSDK {
  const { setLogger } = diag;
  diag.setLogger = () => true;
  try {
    return new NodeSDK(configuration);
  } finally {
    diag.setLogger = setLogger;
  }
}

function spanLimits(config: Config) {
  const length = config.spanAttributeLengthLimit ?? config.attributeLengthLimit;
  return {
    attributeCountLimit: config.spanAttributeCountLimit ?? config.attributeCountLimit,
    ...(length === undefined ? {} : { attributeValueLengthLimit: length }),
    eventCountLimit: config.spanEventCountLimit,
    linkCountLimit: config.spanLinkCountLimit,
    attributePerEventCountLimit: config.eventAttributeCountLimit,
    attributePerLinkCountLimit: config.linkAttributeCountLimit,
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
