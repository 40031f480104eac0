import { requestSeconds, waitSeconds } from './buckets';
import { attribute, metric } from './define';

const meter = 'self';
const profileType = attribute(
  'profile.type',
  'Kind of continuous profile, or a capture of the auto-profiler',
  {
    values: ['wall', 'heap', 'capture'],
  },
);
const library = attribute('library', 'Package that is instrumented', {
  bound: "the agent's list of libraries",
});

const component = attribute('otel.component.type', 'Kind of exporter', {
  values: ['span', 'metric', 'log'].flatMap(signal =>
    ['http', 'http_json', 'grpc'].map(protocol => `otlp_${protocol}_${signal}_exporter`),
  ),
});
const exportError = attribute('error.type', 'Why it did not arrive; not there when it did', {
  bound: "HTTP and gRPC statuses, Node.js's error codes, timeout, rejected, queue_full, aborted",
});

function exported(item: string, unit: string, words: string) {
  return metric('self', `otel.sdk.exporter.${item}.exported`, 'counter', unit, words, {
    attributes: [component, exportError],
  });
}

export const selfMetrics = {
  collectDuration: metric(
    meter,
    'vitals.self.collect.duration',
    'histogram',
    's',
    'Time to read all sources once',
    {
      buckets: waitSeconds,
    },
  ),
  scrapeDuration: metric(
    meter,
    'vitals.self.scrape.duration',
    'histogram',
    's',
    'Time from the request of a scrape to the last byte of its answer',
    { buckets: requestSeconds },
  ),
  scrapeSize: metric(
    meter,
    'vitals.self.scrape.size',
    'gauge',
    'By',
    'Size of the last answer to a scrape, uncompressed',
  ),
  scrapeFailures: metric(
    meter,
    'vitals.self.scrape.failures',
    'counter',
    '{scrape}',
    'Scrapes that were not answered whole',
  ),
  series: metric(meter, 'vitals.self.series', 'gauge', '{series}', 'Attribute sets that the agent holds'),
  overflow: metric(
    meter,
    'vitals.self.overflow',
    'counter',
    '{measurement}',
    "Measurements of the agent's own metrics sent to otel.metric.overflow, because one is at VITALS_CARDINALITY_LIMIT",
  ),
  warnings: metric(
    meter,
    'vitals.self.warnings',
    'counter',
    '{warning}',
    'Warnings and errors of the agent itself',
  ),
  startupDuration: metric(
    meter,
    'vitals.self.startup.duration',
    'gauge',
    's',
    'Time the preload took to start',
  ),
  uploads: metric(
    meter,
    'vitals.profile.uploads',
    'counter',
    '{upload}',
    'Profiles that Pyroscope accepted',
    {
      attributes: [profileType],
    },
  ),
  uploadFailures: metric(
    meter,
    'vitals.profile.upload.failures',
    'counter',
    '{upload}',
    'Profiles that Pyroscope did not accept',
    { attributes: [profileType] },
  ),
  exportedSpans: exported('span', '{span}', 'Spans whose export over OTLP has ended'),
  exportedPoints: exported(
    'metric_data_point',
    '{data_point}',
    'Data points whose export over OTLP has ended',
  ),
  exportedLogs: exported('log', '{log_record}', 'Log records whose export over OTLP has ended'),
  exportDuration: metric(
    meter,
    'otel.sdk.exporter.operation.duration',
    'histogram',
    's',
    'Time to deliver a batch over OTLP, all tries together',
    { attributes: [component, exportError], buckets: requestSeconds },
  ),
  instrumented: metric(
    meter,
    'vitals.self.library.instrumented',
    'counter',
    '{module}',
    'Modules of libraries that the agent hooked',
    { attributes: [library] },
  ),
  buildInfo: metric(
    meter,
    'vitals.build_info',
    'gauge',
    '',
    'Always 1; versions of the agent and of Node.js',
    {
      attributes: [
        attribute('version', 'Version of otel-vitals', { bound: 'one per process' }),
        attribute('nodejs.version', 'Version of Node.js', { bound: 'one per process' }),
      ],
    },
  ),
} as const;
