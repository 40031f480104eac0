import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { labelName } from '../../exporters/prometheus/names';
import { catalogue } from '../../instrumentation/catalogue';
import { type App, preload, repository, startApp } from '../helpers/app';
import { type IngestServer, startIngestServer } from '../helpers/ingest-server';
import { type OtlpServer, startOtlpServer } from '../helpers/otlp-server';
import { type PostgresDatabase, startPostgres } from '../helpers/postgres';
import { catalogueSeries, labelsOf } from '../helpers/promql';
import { type Samples, samplesFrom } from '../helpers/samples';

const script = join(repository, 'test/fixtures/apps/use-everything/app.js');
const limit = 30;

/** Metrics that this application gives no occasion for, and the test that sees their values. */
const elsewhere: Readonly<Record<string, string>> = Object.fromEntries(
  catalogue.flatMap(({ name, meter }) => {
    // Findings need something that is wrong, profiles on demand the admin server or the auto-profiler.
    if (meter === 'findings') return [[name, 'agent/findings.test.ts']];
    if (name.startsWith('vitals.autoprofile.')) return [[name, 'agent/autoprofile.test.ts']];
    if (meter === 'profiling') return [[name, 'agent/profiling-captures.test.ts']];
    // A cache over Redis, by bytes, that writes back.
    if (/^vitals\.cache\.(size|tier|load\.locks|writeback)/.test(name)) {
      return [[name, 'agent/toolkit-caches.test.ts']];
    }
    // The toolkit's HTTP client.
    if (/^vitals\.http\.client\.(call|retries|cache|decoding)/.test(name)) {
      return [[name, 'agent/toolkit-http-client.test.ts']];
    }
    return [];
  }),
);

/** What the values of an attribute without a list of values must look like. */
const number = /^\d+$/;
const bounds: Readonly<Record<string, RegExp>> = {
  'v8js.heap.space.name': /^[a-z_]+_space$/,
  'v8js.resource.type': /^[A-Z][A-Za-z]+$/,
  'thread.name': /^(worker \d+ "\\|worker-\d+)$/,
  'http.response.status_code': /^[1-5]\d\d$/,
  // The application has no framework, so no request has a route.
  'http.route': /^(?!)/,
  'error.type': /^([1-5]\d\d|[A-Z][A-Z0-9_]+|[a-z_]+|\w*Error|_OTHER|[0-9A-Z]{5})$/,
  // Nor has it a client of the toolkit.
  'http.client.name': /^(?!)/,
  'server.address': /^(_OTHER|127\.0\.0\.1|localhost)$/,
  'server.port': number,
  'db.client.connection.pool.name': /^((127\.0\.0\.1|localhost):\d+\/\w+|database)$/,
  'db.system.name': /^postgresql$/,
  'db.operation.name': /^([A-Z]+( [A-Z]+)?|_OTHER)$/,
  'db.query.summary': /^([A-Z]+( (things|secret_table_\d+|pg_sleep))*|CREATE TABLE things|_OTHER)$/,
  'compression.name': /^compression$/,
  'endpoint.analyzer': /^analyzer$/,
  'endpoint.name': /^(GET \/things|GET \/kind-\d+-\d|_OTHER)$/,
  'connection.pool.name': /^monitor$/,
  'http2.server.name': /^server$/,
  'cache.name': /^secret-free$/,
  'cache.eviction.reason': /^(capacity|expired)$/,
  'pool.name': /^(objects|buffers|connections|secret-free-\d+)$/,
  'channel.name': /^(channel|batches)$/,
  'worker_pool.name': /^(tasks|threads)$/,
  'lock.name': /^lock$/,
  'shared_queue.name': /^queue$/,
  library: /^(knex|pg)$/,
  version: /^\d+\.\d+\.\d+/,
  'nodejs.version': /^\d+\.\d+\.\d+/,
};

let servers: { postgres: PostgresDatabase; otlp: OtlpServer; ingest: IngestServer };
let app: App;
let samples: Samples;

before(async () => {
  const [postgres, otlp, ingest] = await Promise.all([
    startPostgres(),
    startOtlpServer(),
    startIngestServer(),
  ]);
  servers = { postgres, otlp, ingest };
  app = startApp(script, {
    nodeArgs: ['--expose-gc', '--require', preload],
    timeoutMs: 120_000,
    env: {
      DATABASE_URL: postgres.url,
      OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url,
      OTEL_METRICS_EXPORTER: 'prometheus,otlp',
      OTEL_METRIC_EXPORT_INTERVAL: '300',
      OTEL_BSP_SCHEDULE_DELAY: '200',
      OTEL_BLRP_SCHEDULE_DELAY: '200',
      PYROSCOPE_SERVER_ADDRESS: ingest.address,
      PYROSCOPE_FLUSH_INTERVAL_MS: '300',
      PYROSCOPE_WALL_SAMPLING_DURATION_MS: '300',
      VITALS_CARDINALITY_LIMIT: String(limit),
      VITALS_SLOW_QUERY_MS: '20',
      VITALS_SLOW_REQUEST_MS: '20',
    },
  });
  const url = await app.metricsUrl();
  await samplesFrom(url);
  await app.printed(/done/);
  samples = await samplesFrom(url);
});
after(async () => {
  app?.kill('SIGTERM');
  await app?.exit;
  await Promise.all([servers?.postgres.close(), servers?.otlp.close(), servers?.ingest.close()]);
});

test('an application that does a little of everything shows every metric there is', () => {
  const seen = new Set(samples.all.flatMap(({ name }) => catalogueSeries.get(name)?.name ?? []));
  const wrong = catalogue.filter(({ name }) => seen.has(name) === name in elsewhere);
  assert.deepEqual(
    wrong.map(({ name }) => `${name}: ${elsewhere[name] ?? 'expected, but not there'}`),
    [],
  );
  for (const file of new Set(Object.values(elsewhere))) {
    assert.ok(existsSync(join(repository, 'test', file)), file);
  }
});

test('every attribute has one of its values, or one within its bound', () => {
  const problems = new Set<string>();
  for (const { name, labels } of samples.all) {
    const metric = catalogueSeries.get(name);
    if (metric === undefined) continue;
    if (labels['otel_metric_overflow'] !== undefined) {
      assert.deepEqual(
        Object.keys(labels).filter(label => label !== 'le'),
        ['otel_metric_overflow'],
        name,
      );
      continue;
    }
    for (const label of Object.keys(labels)) {
      if (!labelsOf(metric).has(label))
        problems.add(`${name} has ${label}, which the catalogue does not name`);
    }
    for (const attribute of metric.attributes) {
      const value = labels[labelName(attribute.name)];
      if (value === undefined) continue;
      const fits = attribute.values?.includes(value) ?? bounds[attribute.name]?.test(value) ?? true;
      if (!fits) problems.add(`${name} has ${attribute.name}=${JSON.stringify(value)}`);
    }
  }
  assert.deepEqual([...problems], []);
});

test('every attribute that is bounded in words is bounded here too', () => {
  const open = new Set(catalogue.flatMap(({ attributes }) => attributes.filter(({ values }) => !values)));
  assert.deepEqual(
    [...new Set([...open].map(({ name }) => name))].filter(name => !(name in bounds)),
    [],
  );
});

test('no metric has more series than the limit, and what is past it is counted', () => {
  const series = new Map<string, Set<string>>();
  for (const { name, labels } of samples.all) {
    const metric = catalogueSeries.get(name);
    if (metric === undefined) continue;
    const { le: _, ...rest } = labels;
    const of = series.get(metric.name) ?? new Set();
    series.set(metric.name, of.add(JSON.stringify(rest)));
  }
  for (const [name, { size }] of series) assert.ok(size <= limit, `${name} has ${size} series`);
  for (const [name, attempts] of [
    ['http_server_request_duration_seconds', 60],
    ['http_client_request_duration_seconds', 60],
    ['db_client_operation_duration_seconds', 120],
  ] as const) {
    assert.equal(samples.of(`${name}_count`, { otel_metric_overflow: 'true' }).length, 1, name);
    assert.ok(samples.count(name) >= attempts, `${name} lost measurements: ${samples.count(name)}`);
  }
  assert.ok(samples.value('vitals_self_overflow_total')! > 0);
});

test('nothing that the application was told in confidence is in the metrics', () => {
  for (const secret of [
    'secret-path',
    'secret-query',
    'secret-body',
    'secret-key',
    'secret-value',
    'secret-literal',
    'x-secret',
    'PURGE',
    'M-SEARCH',
  ]) {
    assert.ok(!samples.text.includes(secret), secret);
  }
});
