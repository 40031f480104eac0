import { createRequire } from 'node:module';
import { diag } from '@opentelemetry/api';
import { getStringFromEnv } from '@opentelemetry/core';
import { createOtlpNetworkExportDelegate, ExporterMetrics } from '@opentelemetry/otlp-exporter-base';
import { convertLegacyHttpOptions } from '@opentelemetry/otlp-exporter-base/node-http';
import type { Config } from '../../instrumentation/config/options';
import type { Log } from '../../instrumentation/log';
import { type Exporter, type Guarded, guard } from './guarded';
import { type Batches, type Signal, signals } from './signals';
import { createTransport } from './transport';

export type OtlpConfig = Pick<Config, 'otlpProtocol' | 'otlpEndpoint' | 'shutdownTimeoutMs'>;

export interface OtlpExporter<S extends Signal> extends Guarded<Batches[S]> {
  /** `http://host:port`: the agent's own traffic, which no meter and no span should show. */
  readonly origin: string;
}

/**
 * An exporter of one signal over OTLP, set up by the OTEL_EXPORTER_OTLP_* variables.
 * https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 */
export function createOtlpExporter<S extends Signal>(
  signal: S,
  config: OtlpConfig,
  log: Log,
): OtlpExporter<S> {
  const protocol = protocolOf(signal, config);
  return protocol === 'grpc' ? overGrpc(signal, config, log) : overHttp(signal, protocol, config, log);
}

const protocols = ['http/protobuf', 'http/json', 'grpc'] as const;
type Protocol = (typeof protocols)[number];

function protocolOf(signal: Signal, config: OtlpConfig): Protocol {
  const name = `OTEL_EXPORTER_OTLP_${signals[signal].env}_PROTOCOL`;
  const own = getStringFromEnv(name)?.trim().toLowerCase();
  if (own === undefined || own === '') return config.otlpProtocol;
  if ((protocols as readonly string[]).includes(own)) return own as Protocol;
  diag.warn(`${name}: expected one of ${protocols.join(', ')}, got ${JSON.stringify(own)}`);
  return config.otlpProtocol;
}

const contentTypes = { 'http/protobuf': 'application/x-protobuf', 'http/json': 'application/json' };

function overHttp<S extends Signal>(
  signal: S,
  protocol: Exclude<Protocol, 'grpc'>,
  config: OtlpConfig,
  log: Log,
): OtlpExporter<S> {
  const parts = signals[signal];
  const endpoint = convertLegacyHttpOptions({}, parts.env, parts.path, {
    'Content-Type': contentTypes[protocol],
  });
  const url = new URL(endpoint.url);
  const transport = createTransport(endpoint);
  const delegate = createOtlpNetworkExportDelegate<Batches[S], unknown>(
    endpoint,
    protocol === 'http/json' ? parts.json : parts.protobuf,
    new ExporterMetrics<Batches[S]>({
      componentType: `otlp_${signal}_exporter`,
      metricsHelper: parts.helper,
      url: endpoint.url,
      meterProvider: undefined,
      responseAttributesFromError: () => ({}),
    }),
    transport,
  );
  const guarded = guard(delegate, {
    signal,
    address: url.origin + url.pathname,
    log,
    shutdownTimeoutMs: config.shutdownTimeoutMs,
    hurry: () => transport.hurry(),
    abort: () => transport.abort(),
  });
  return Object.assign(guarded, { origin: url.origin });
}

/** gRPC is heavy and rarely asked for; it comes with the SDK's own package, from which it is loaded. */
function overGrpc<S extends Signal>(signal: S, config: OtlpConfig, log: Log): OtlpExporter<S> {
  const parts = signals[signal];
  const load = createRequire(require.resolve('@opentelemetry/sdk-node'));
  const Exporter = (load(parts.grpcPackage) as Record<string, new () => Exporter<Batches[S]>>)[
    parts.grpcClass
  ]!;
  const address =
    getStringFromEnv(`OTEL_EXPORTER_OTLP_${parts.env}_ENDPOINT`) ??
    config.otlpEndpoint ??
    'http://localhost:4317';
  const { origin } = new URL(address);
  const guarded = guard(new Exporter(), {
    signal,
    address: origin,
    log,
    shutdownTimeoutMs: config.shutdownTimeoutMs,
  });
  return Object.assign(guarded, { origin });
}
