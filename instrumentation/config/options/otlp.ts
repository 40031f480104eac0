import { none, type Option, option, optional } from '../option';
import type { Parser } from '../parsers';
import * as as from '../parsers';

const group = 'OTLP';

const signals = ['Traces', 'Metrics', 'Logs'] as const;
type Signal = (typeof signals)[number];

/** One option for all signals, and one for each signal that wins over it. */
type PerSignal<Name extends string, T> = { readonly [K in `otlp${Name}`]: Option<T> } & {
  readonly [K in `otlp${Signal}${Name}`]: Option<T | undefined>;
};

function perSignal<Name extends string, T>(
  name: Name,
  env: string,
  parser: Parser<T>,
  fallback: T,
  description: string,
  more: Partial<Option<T>> = {},
): PerSignal<Name, T> {
  const entries: [string, Option<T | undefined>][] = [
    [
      `otlp${name}`,
      option<T>(group, `OTEL_EXPORTER_OTLP_${env}`, parser, fallback as never, description, more),
    ],
  ];
  for (const signal of signals) {
    const own = `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_${env}`;
    const words = `The same for ${signal.toLowerCase()} alone.`;
    const defaultText = `OTEL_EXPORTER_OTLP_${env}`;
    const { secret } = more;
    entries.push([
      `otlp${signal}${name}`,
      option(group, own, optional(parser), undefined, words, {
        defaultText,
        ...(secret === undefined ? {} : { secret }),
      }),
    ]);
  }
  return Object.fromEntries(entries) as unknown as PerSignal<Name, T>;
}

const endpoint = (signal: Signal, more: string) =>
  option(
    group,
    `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_ENDPOINT`,
    optional(as.exactUrl),
    none,
    `URL for ${signal.toLowerCase()} alone, taken as it is${more}.`,
    { defaultText: `the endpoint and /v1/${signal.toLowerCase()}` },
  );

/** https://opentelemetry.io/docs/specs/otel/protocol/exporter/ */
export const otlpOptions = {
  otlpEndpoint: option(
    group,
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    optional(as.url),
    none,
    'Base URL of an OTLP receiver; turns traces and logs on.',
    { defaultText: 'http://localhost:4318 where OTLP is on; with grpc http://localhost:4317' },
  ),
  otlpTracesEndpoint: endpoint('Traces', '; turns traces on'),
  otlpMetricsEndpoint: endpoint('Metrics', '; used when OTEL_METRICS_EXPORTER has otlp'),
  otlpLogsEndpoint: endpoint('Logs', '; turns logs on'),
  ...perSignal(
    'Protocol',
    'PROTOCOL',
    as.oneOf('http/protobuf', 'http/json', 'grpc'),
    'http/protobuf',
    'Protocol of OTLP.',
  ),
  ...perSignal<'Headers', Readonly<Record<string, string>>>(
    'Headers',
    'HEADERS',
    as.headers,
    {},
    'Headers of OTLP requests, such as credentials. Those of one signal are added to these.',
    { secret: true, defaultText: 'none' },
  ),
  ...perSignal(
    'Compression',
    'COMPRESSION',
    as.oneOf('none', 'gzip'),
    'none',
    'Compression of OTLP requests.',
  ),
  ...perSignal(
    'TimeoutMs',
    'TIMEOUT',
    as.integer(1, 600_000),
    10_000,
    'Milliseconds that one batch may take to be delivered, all tries together.',
  ),
  ...perSignal<'Certificate', string | undefined>(
    'Certificate',
    'CERTIFICATE',
    optional(as.string),
    undefined,
    "PEM file with the certificates that the receiver's is checked against.",
    { defaultText: "Node.js's own" },
  ),
  ...perSignal<'ClientCertificate', string | undefined>(
    'ClientCertificate',
    'CLIENT_CERTIFICATE',
    optional(as.string),
    undefined,
    'PEM file with the certificate that this process shows (mTLS).',
    { defaultText: 'none' },
  ),
  ...perSignal<'ClientKey', string | undefined>(
    'ClientKey',
    'CLIENT_KEY',
    optional(as.string),
    undefined,
    'PEM file with the private key to it.',
    { defaultText: 'none' },
  ),
  otlpTemporality: option(
    group,
    'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE',
    as.oneOf('cumulative', 'delta', 'lowmemory'),
    'cumulative',
    'Whether counters and histograms are sent as totals or as what came since the last export.',
  ),
} as const;
