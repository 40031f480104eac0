import { requestSeconds, waitSeconds } from './buckets';
import { attribute, metric } from './define';

const meter = 'self';
const profileType = attribute('profile.type', 'Kind of profile', { values: ['wall', 'heap'] });
const library = attribute('library', 'Package that is instrumented', {
  bound: "the agent's list of libraries",
});

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
    'Times a measurement was sent to otel.metric.overflow because its metric is at VITALS_CARDINALITY_LIMIT',
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
