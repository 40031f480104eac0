import { readFileSync } from 'node:fs';
import type { Config } from '../../instrumentation/config/options';

export type Signal = 'traces' | 'metrics' | 'logs';

export type Protocol = Config['otlpProtocol'];

/** Where and how one signal is sent. */
export interface OtlpSettings {
  /** Of gRPC only scheme, host and port count. */
  readonly url: URL;
  readonly protocol: Protocol;
  readonly headers: Readonly<Record<string, string>>;
  readonly gzip: boolean;
  readonly timeoutMs: number;
  /** Paths of PEM files. */
  readonly certificate: string | undefined;
  readonly clientCertificate: string | undefined;
  readonly clientKey: string | undefined;
}

const defaultUrls: Record<Protocol, string> = {
  'http/protobuf': 'http://localhost:4318',
  'http/json': 'http://localhost:4318',
  grpc: 'http://localhost:4317',
};

/**
 * What the OTEL_EXPORTER_OTLP_* variables say of a signal; those of the signal win over the general ones.
 * https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 */
export function otlpSettings(config: Config, signal: Signal): OtlpSettings {
  const name = signalNames[signal];
  const protocol = config[`otlp${name}Protocol`] ?? config.otlpProtocol;
  return {
    url: urlOf(config, signal, protocol),
    protocol,
    headers: { ...config.otlpHeaders, ...config[`otlp${name}Headers`] },
    gzip: (config[`otlp${name}Compression`] ?? config.otlpCompression) === 'gzip',
    timeoutMs: config[`otlp${name}TimeoutMs`] ?? config.otlpTimeoutMs,
    certificate: config[`otlp${name}Certificate`] ?? config.otlpCertificate,
    clientCertificate: config[`otlp${name}ClientCertificate`] ?? config.otlpClientCertificate,
    clientKey: config[`otlp${name}ClientKey`] ?? config.otlpClientKey,
  };
}

const signalNames = { traces: 'Traces', metrics: 'Metrics', logs: 'Logs' } as const;

function urlOf(config: Config, signal: Signal, protocol: Protocol): URL {
  const own = config[`otlp${signalNames[signal]}Endpoint`];
  if (own !== undefined) return new URL(own);
  const url = new URL(config.otlpEndpoint ?? defaultUrls[protocol]);
  if (protocol !== 'grpc') url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/${signal}`;
  return url;
}

/** A user and password in the URL, as a header; one that is configured goes before. */
export function headersOf({ url, headers }: OtlpSettings): Record<string, string> {
  if (url.username === '' && url.password === '') return { ...headers };
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}`, ...headers };
}

export interface TlsFiles {
  ca?: Buffer;
  cert?: Buffer;
  key?: Buffer;
}

/** @throws Error when a file cannot be read: to go on without it would send to whoever answers. */
export function tlsOf(settings: OtlpSettings): TlsFiles {
  if (settings.url.protocol !== 'https:') return {};
  const files: TlsFiles = {};
  if (settings.certificate !== undefined) files.ca = readFileSync(settings.certificate);
  if (settings.clientCertificate !== undefined) files.cert = readFileSync(settings.clientCertificate);
  if (settings.clientKey !== undefined) files.key = readFileSync(settings.clientKey);
  return files;
}
