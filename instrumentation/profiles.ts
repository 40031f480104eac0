import type { Resource } from '@opentelemetry/resources';
import type { PyroscopeExporter } from '../exporters/pyroscope';
import type { DestinationOptions } from '../exporters/pyroscope/request';
import type { SpanSource } from '../exporters/pyroscope/spans';
import { selfMetrics } from './catalogue';
import type { Config } from './config/options';
import { errorText } from './log';
import type { MeterContext } from './meters/context';

/** Resource attributes that become labels of the profiles, by the names Pyroscope's own integrations use. */
const labels = {
  'service.version': 'service_version',
  'service.namespace': 'service_namespace',
  'service.instance.id': 'service_instance_id',
  'deployment.environment.name': 'deployment_environment',
  'host.name': 'hostname',
} as const;

/**
 * Continuous profiling, when a Pyroscope server is configured.
 *
 * @param spans whose labels the samples carry
 */
export function startProfiles(
  context: MeterContext,
  resource: Resource,
  spans: SpanSource | undefined,
): PyroscopeExporter | undefined {
  const { config, log, registry } = context;
  if (config.pyroscopeAddress === undefined) return undefined;
  const to = pyroscopeDestination(config.pyroscopeAddress, config, resource);
  try {
    const { startPyroscope } = require('./pyroscope.js') as typeof import('../exporters/pyroscope');
    const exporter = startPyroscope(
      {
        ...to,
        flushIntervalMs: config.pyroscopeFlushMs,
        wallSamplingDurationMs: config.pyroscopeWallDurationMs,
        wallSamplingIntervalMicros: config.pyroscopeWallIntervalMicros,
        collectCpuTime: config.pyroscopeCpuTime,
        heapSamplingIntervalBytes: config.pyroscopeHeapBytes,
        heapStackDepth: config.pyroscopeHeapDepth,
        sourceMaps: config.sourceMaps,
        uploadTimeoutMs: config.pyroscopeUploadTimeoutMs,
        keepsRecent: config.autoprofile,
        ...(spans === undefined ? {} : { spans }),
      },
      log,
    );
    const uploads = registry.instrument(selfMetrics.uploads);
    const failures = registry.instrument(selfMetrics.uploadFailures);
    registry.onCollect(() => {
      for (const kind of ['wall', 'heap'] as const) {
        uploads.with({ 'profile.type': kind }).set(exporter.stats.uploads[kind]);
        failures.with({ 'profile.type': kind }).set(exporter.stats.failures[kind]);
      }
    });
    return exporter;
  } catch (error) {
    log.warn(`continuous profiling did not start: ${errorText(error)}`);
    return undefined;
  }
}

/** Where profiles go, by the configuration and the resource. */
export function pyroscopeDestination(
  serverAddress: string,
  config: Config,
  resource: Resource,
): DestinationOptions {
  const { attributes } = syncOnly(resource);
  const tags: Record<string, string> = {};
  for (const [attribute, label] of Object.entries(labels)) {
    const value = attributes[attribute];
    if (value !== undefined) tags[label] = String(value);
  }
  return {
    serverAddress,
    applicationName: config.pyroscopeApplication ?? String(attributes['service.name']),
    tags,
    ...(config.pyroscopeAuthToken === undefined ? {} : { authToken: config.pyroscopeAuthToken }),
    ...(config.pyroscopeUser === undefined ? {} : { basicAuthUser: config.pyroscopeUser }),
    ...(config.pyroscopePassword === undefined ? {} : { basicAuthPassword: config.pyroscopePassword }),
    ...(config.pyroscopeTenant === undefined ? {} : { tenantId: config.pyroscopeTenant }),
  };
}

/** The attributes known now; some detectors look theirs up asynchronously, and no label is one of those. */
function syncOnly(resource: Resource): { attributes: Record<string, unknown> } {
  const known = (resource.getRawAttributes() as [string, unknown][]).filter(
    ([, value]) => typeof (value as PromiseLike<unknown> | undefined)?.then !== 'function',
  );
  return { attributes: Object.fromEntries(known.reverse()) };
}
