import { metrics } from '@opentelemetry/api';
import { MeterProvider, type MetricReader } from '@opentelemetry/sdk-metrics';
import type { PrometheusEndpoint } from '../exporters/prometheus/endpoint';
import { unregister } from './api-global';
import { selfMetrics } from './catalogue';
import { type Environment, loadConfig } from './config/load';
import { describe } from './config/redact';
import {
  type Finding,
  type FindingReport,
  type GcMeasurement,
  type GcReport,
  type MemoryReport,
  startDiagnosis,
  type VitalsReport,
} from './diagnosis';
import { watchExports } from './exports';
import { installLibraryHooks } from './libraries/install';
import { hookOtelApi } from './libraries/otel-api';
import { watchEnd, withDeadline } from './lifecycle';
import { createLog, errorText, type Log } from './log';
import { startMeters } from './meters';
import type { MeterContext } from './meters/context';
import { createGcSource } from './meters/gc-source';
import { flagsInForce } from './meters/heap-limits';
import { createProducer, type TemporalityOf } from './metrics/producer';
import { MetricRegistry } from './metrics/registry';
import { boundSdkSeries } from './metrics/sdk-cardinality';
import { attributeOf, startOnDemand } from './on-demand';
import { startProfiles } from './profiles';
import type { AdminAddress } from './profiling';
import { openPrometheus, pushReaders } from './readers';
import { detectResource, version } from './resource';
import { createTicker } from './ticker';
import { startTraces } from './traces';

export interface StartOptions {
  readonly env: Environment;
  /** Path of the application's main script; decides where package.json is looked for. */
  readonly entry?: string | undefined;
  /** Told of each finding when it opens. */
  readonly onFinding?: ((finding: Finding) => void) | undefined;
}

/** The running agent. */
export interface Vitals {
  /** Where instruments made through `@opentelemetry/api` go; also registered as the global provider. */
  readonly meterProvider: MeterProvider;
  /** The Prometheus endpoint once it listens; `undefined` where it is off or its port is not to be had. */
  readonly prometheus: Promise<PrometheusEndpoint | undefined>;
  /** The admin server once it listens; `undefined` where it is off or its port is not to be had. */
  readonly admin: Promise<AdminAddress | undefined>;
  /** What is wrong in the process, and what was; see docs/runbooks. */
  findings(): FindingReport;
  /** What the leak detector knows of the process's memory; `undefined` where it is off. */
  memory(): MemoryReport | undefined;
  /** What the garbage collection tuner knows; `undefined` where it is off. */
  gc(): GcReport | undefined;
  /** Forces a full collection, which holds the process up, and says what it freed and how long it took. */
  measureGc(): GcMeasurement;
  /** All that is known of the process, as `GET /vitals` of the admin server gives it. */
  report(): VitalsReport;
  /** Sends what was measured so far. Bounded by VITALS_SHUTDOWN_TIMEOUT_MS; never rejects. */
  forceFlush(): Promise<void>;
  /** Flushes and stops everything. Bounded likewise; never rejects; further calls give the same promise. */
  shutdown(): Promise<void>;
}

/** Where a second start finds the first, whichever copy of the package made it. */
const agentKey = Symbol.for('otel-vitals.agent');

/** Starts the agent in this process. Reading it top to bottom is reading the architecture. */
export function start({ env, entry = '', onFinding }: StartOptions): Vitals {
  const begin = performance.now();
  let startupSeconds: number | undefined;

  const { config, problems } = loadConfig(env);
  const log = createLog(config.logLevel);
  if (problems.length > 0) log.warn(`bad configuration, defaults are used: ${problems.join('; ')}`);

  const resource = detectResource(config, entry || `${process.cwd()}/-`);
  const ticker = createTicker(log);
  const registry = new MetricRegistry(config.cardinalityLimit, error =>
    log.warnOnce(`reader ${errorText(error)}`, `a meter could not be read: ${errorText(error)}`),
  );

  // Traces come first: their instrumentations must see the application's modules being loaded.
  const exportWatch = watchExports(registry, log);
  const traces = startTraces(config, resource, log, exportWatch);
  const context: MeterContext = {
    registry,
    config,
    log,
    onTick: ticker.onTick,
    exemplar: traces?.exemplar ?? (() => undefined),
  };
  const gc = createGcSource(context);
  const stopMeters = startMeters(context, gc, { version, startupSeconds: () => startupSeconds });
  const diagnosis = startDiagnosis(context, gc, {
    subject: {
      serviceName: attributeOf(resource, 'service.name') ?? 'unknown_service:node',
      serviceVersion: attributeOf(resource, 'service.version'),
      agentVersion: version,
    },
    nodeFlags: flagsInForce(env),
    onFinding,
  });
  // What the application registers with OpenTelemetry's API by itself goes before what the agent does.
  const api = hookOtelApi(
    name => {
      log.info(`the application brings its own OpenTelemetry ${name}, which takes the place of the agent's`);
      if (name === 'trace') traces?.stepAside();
    },
    refusedByBundle(log, traces !== undefined),
  );
  const stopHooks = installLibraryHooks(context, api.targets);

  const collectDuration = registry.instrument(selfMetrics.collectDuration).with({});
  const producer = (temporality?: TemporalityOf) =>
    createProducer(registry, { name: 'otel-vitals', version }, temporality, seconds =>
      collectDuration.record(seconds),
    );
  const prometheus = openPrometheus(context, producer, resource);
  const pushing = pushReaders(config, producer, log, exportWatch);
  const readers: MetricReader[] = [
    ...(prometheus === undefined ? [] : [prometheus.reader]),
    ...pushing.readers,
  ];
  boundSdkSeries(config.cardinalityLimit);
  const meterProvider = new MeterProvider({ resource, readers });
  if (config.customMetrics) metrics.setGlobalMeterProvider(meterProvider);
  api.registered();

  const profiles = startProfiles(context, resource, traces?.spanSource);
  const onDemand = startOnDemand(context, resource, entry, gc, profiles);
  diagnosis.attach(onDemand);

  const flush = async (): Promise<void> => {
    await Promise.allSettled([...pushing.readers.map(reader => reader.forceFlush()), traces?.forceFlush()]);
  };
  const lastFlush = async (): Promise<void> => {
    // At the deadline what is under way is lost, which is to be counted and said before the process is gone.
    const deadline = setTimeout(() => {
      pushing.giveUp();
      traces?.giveUp();
    }, config.shutdownTimeoutMs).unref();
    await Promise.allSettled([
      flush(),
      profiles?.stop(config.shutdownTimeoutMs),
      onDemand?.endKept(config.shutdownTimeoutMs),
    ]);
    clearTimeout(deadline);
  };
  // Where nothing is pushed there is nothing to flush, and the application's signals are left alone; but for captures
  // that run and are to be kept.
  const pushes = pushing.readers.length > 0 || traces !== undefined || profiles !== undefined;
  const watch = () => watchEnd(lastFlush, config.shutdownTimeoutMs, log, () => onDemand?.leave());
  const stopWatching = pushes ? watch() : () => {};
  if (!pushes) onDemand?.whileKeeping(watch);

  startupSeconds = (performance.now() - begin) / 1000;
  log.info(
    `version ${version} started in ${Math.round(startupSeconds * 1000)} ms ${describe(config)}`.trimEnd(),
  );

  const stop = async (): Promise<void> => {
    stopWatching();
    await lastFlush();
    stopHooks();
    api.dispose();
    diagnosis.stop();
    stopMeters();
    ticker.stop();
    unregister('metrics', meterProvider);
    Reflect.deleteProperty(globalThis, agentKey);
    await Promise.allSettled([
      onDemand?.stop(),
      prometheus?.close(),
      meterProvider.shutdown(),
      traces?.shutdown(),
    ]);
  };
  const bounded = (work: Promise<void>): Promise<void> =>
    withDeadline(work, config.shutdownTimeoutMs, true).catch(error =>
      log.warn(`shutdown: ${errorText(error)}`),
    );
  let stopping: Promise<void> | undefined;
  const vitals: Vitals = {
    meterProvider,
    prometheus: prometheus?.endpoint ?? Promise.resolve(undefined),
    admin: onDemand?.admin ?? Promise.resolve(undefined),
    findings: () => diagnosis.findings(),
    memory: () => diagnosis.memory(),
    gc: () => diagnosis.gc(),
    measureGc: () => diagnosis.measureGc(),
    report: () => diagnosis.report(),
    forceFlush: () => bounded(flush()),
    shutdown: () => (stopping ??= bounded(stop())),
  };
  Object.defineProperty(globalThis, agentKey, { value: vitals, configurable: true });
  return vitals;
}

/** Says what to do where an SDK inside the application's bundle finds its place taken; see `hookOtelApi`. */
function refusedByBundle(log: Log, hasTraces: boolean): () => void {
  const settings = `VITALS_CUSTOM_METRICS=false${hasTraces ? ', OTEL_TRACES_EXPORTER=none and OTEL_LOGS_EXPORTER=none' : ''}`;
  return () =>
    log.warnOnce(
      'bundled-api',
      "an OpenTelemetry SDK inside the application's bundle finds its place taken by otel-vitals and loses " +
        `telemetry; ${settings} leaves it the place`,
    );
}
