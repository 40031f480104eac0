import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { prometheusName } from '../../exporters/prometheus/names';
import { type App, scrape } from '../helpers/app';
import { parseOpenMetrics } from '../helpers/exposition/openmetrics';
import { type IngestServer, startIngestServer } from '../helpers/ingest-server';
import { otlpEnv, startOtlpApp, urlOf } from '../helpers/otlp-app';
import { type OtlpServer, type ReceivedMetric, startOtlpServer } from '../helpers/otlp-server';
import { Samples, samplesFrom } from '../helpers/samples';

let server: OtlpServer;
let pyroscope: IngestServer;
const apps: App[] = [];

before(async () => {
  [server, pyroscope] = await Promise.all([startOtlpServer(), startIngestServer()]);
});
afterEach(async () => {
  for (const app of apps.splice(0)) {
    app.kill('SIGTERM');
    await app.exit;
  }
  await server.reset();
});
after(() => Promise.all([server.close(), pyroscope.close()]));

function start(script: string, env: Record<string, string> = {}): App {
  const app = startOtlpApp(script, { ...otlpEnv(server), OTEL_METRICS_EXPORTER: 'otlp', ...env });
  apps.push(app);
  return app;
}

const typeOf = ({ type, monotonic }: ReceivedMetric) =>
  type === 'sum' ? (monotonic === true ? 'counter' : 'sum') : type;

/** The newest export of each metric. */
function newest(metrics: readonly ReceivedMetric[]): Map<string, ReceivedMetric> {
  return new Map(metrics.map(metric => [metric.name, metric]));
}

test('Prometheus, OTLP and console show the same names, units and values', async () => {
  const app = start('instruments.js', {
    OTEL_METRICS_EXPORTER: 'prometheus,otlp,console',
    OTEL_TRACES_EXPORTER: 'none',
    OTEL_METRIC_EXPORT_INTERVAL: '300',
  });
  const url = await urlOf(app);
  for (const path of ['/order', '/order', '/']) await fetch(url + path);
  // An export that began after the requests, as the next one has come as well.
  const value = (name: string) => newest(server.received.metrics).get(name)?.points[0]?.value;
  await server.until(() => value('shop.orders') === 4);
  const exported = server.received.metrics.length;
  await server.until(({ metrics }) => metrics.length > exported);
  const prometheus = new Samples(await scrape(await app.metricsUrl()));
  const otlp = newest(server.received.metrics);

  // Every metric of OTLP is in Prometheus under its translated name, with as many series, and nothing else is.
  const expected = new Set(['target_info']);
  for (const metric of otlp.values()) {
    const { name } = prometheusName(metric.name, metric.unit, typeOf(metric))!;
    expected.add(name);
    const series = prometheus.of(metric.type === 'histogram' ? `${name}_count` : name);
    // Others may have been counted first between the scrape and the newest export.
    if (/^(v8js|otel\.sdk|vitals\.self\.scrape)\./.test(metric.name)) continue;
    assert.equal(series.length, metric.points.length, name);
  }
  const shown = prometheus.all.map(({ name }) =>
    expected.has(name) ? name : name.replace(/_(bucket|sum|count)$/, ''),
  );
  // The endpoint's own figures of the scrape before, and what the exports at that moment add.
  const between = /^(vitals_self_scrape_|v8js_gc_|vitals_gc_|vitals_heap_live)/;
  assert.deepEqual(
    [...new Set(shown)].filter(name => !expected.has(name) && !between.test(name)),
    [],
  );

  // What stands still has the same value in both.
  for (const [name, labels] of [
    ['shop.orders', { method: 'card' }],
    ['shop.carts.open', {}],
    ['shop.stock', { article: 'tea' }],
    ['vitals.heap.limit', {}],
    ['process.unix.file_descriptor.count', undefined],
  ] as const) {
    const metric = otlp.get(name);
    if (labels === undefined || metric === undefined) continue;
    const prom = prometheusName(name, metric.unit, typeOf(metric))!.name;
    assert.equal(prometheus.value(prom, labels), metric.points[0]!.value, name);
  }
  for (const [name, prom] of [
    ['shop.price', 'shop_price_EUR'],
    ['http.server.request.duration', 'http_server_request_duration_seconds'],
  ] as const) {
    const [point] = otlp.get(name)!.points;
    assert.equal(prometheus.count(prom), point!.count, name);
    assert.equal(prometheus.value(`${prom}_sum`), point!.sum, name);
    let sum = 0;
    const cumulative = point!.buckets!.map(count => (sum += count));
    assert.deepEqual(
      prometheus.of(`${prom}_bucket`).map(sample => sample.value),
      cumulative,
      name,
    );
  }
  assert.equal(otlp.get('http.server.request.duration')!.points[0]!.count, 3);

  await app.printed(/name: 'otel\.sdk\.exporter\.operation\.duration'/);
  const text = app.stdout();
  const onConsole = new Set([...text.matchAll(/descriptor: \{\s+name: '([^']+)'/g)].map(match => match[1]!));
  assert.deepEqual(
    [...otlp.keys()].filter(name => !onConsole.has(name)),
    [],
  );
  assert.match(
    text,
    /name: 'shop\.orders',\s+type: 'COUNTER',\s+description: 'Orders placed',\s+unit: '\{order\}'/,
  );
  assert.match(text, /name: 'vitals\.heap\.limit',[^}]*unit: 'By'/);
});

test('with delta preferred, counters and histograms say what is new and the rest how things stand', async () => {
  const url = await urlOf(
    start('instruments.js', {
      OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta',
      OTEL_METRIC_EXPORT_INTERVAL: '200',
    }),
  );
  await fetch(`${url}/order`);
  const all = (name: string) => server.received.metrics.filter(metric => metric.name === name);
  await server.until(() => all('shop.orders').length === 1);
  await fetch(`${url}/order`);
  await fetch(`${url}/`);
  const sumOf = (name: string, of: 'value' | 'count') =>
    all(name)
      .flatMap(({ points }) => points)
      .reduce((sum, point) => sum + (point[of] ?? 0), 0);
  await server.until(
    () => sumOf('shop.orders', 'value') >= 4 && sumOf('http.server.request.duration', 'count') >= 3,
  );
  const exports = server.requests.length;
  await server.arrived(exports + 2);
  for (const [name, of, total] of [
    ['shop.orders', 'value', 4],
    ['shop.price', 'count', 2],
    ['http.server.request.duration', 'count', 3],
  ] as const) {
    assert.equal(sumOf(name, of), total, `${name}: all exports together`);
    for (const metric of all(name)) assert.equal(metric.temporality, 'delta', name);
  }
  // Its own counters and the application's are both given as differences, of which the later ones are zero.
  assert.equal(all('http.server.request.duration').at(-1)!.points[0]!.count, 0);
  for (const [name, last] of [
    ['shop.carts.open', 2],
    ['http.server.active_requests', 0],
  ] as const) {
    assert.equal(all(name).at(-1)!.temporality, 'cumulative', name);
    assert.equal(all(name).at(-1)!.points[0]!.value, last, name);
  }
  assert.equal(all('shop.stock').at(-1)!.points[0]!.value, 7);
});

test('the totals of cumulative exports only grow', async () => {
  const url = await urlOf(start('instruments.js', { OTEL_METRIC_EXPORT_INTERVAL: '200' }));
  await fetch(`${url}/order`);
  const counts = () =>
    server.received.metrics
      .filter(({ name }) => name === 'http.server.request.duration')
      .map(({ points, temporality }) => ({ count: points[0]!.count, temporality }));
  await server.until(() => counts().length >= 1);
  await fetch(`${url}/`);
  await server.until(() => counts().at(-1)?.count === 2);
  assert.ok(counts().every(({ temporality }) => temporality === 'cumulative'));
});

test('requests are counted once while they are traced, and what the agent sends is not seen', async () => {
  const back = await urlOf(
    start('plain.js', {
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_TRACES_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none',
    }),
  );
  const app = start('plain.js', {
    OTEL_METRICS_EXPORTER: 'prometheus,otlp',
    OTEL_METRIC_EXPORT_INTERVAL: '200',
    PYROSCOPE_SERVER_ADDRESS: pyroscope.address,
    PYROSCOPE_FLUSH_INTERVAL_MS: '200',
  });
  const url = await urlOf(app);
  const metricsUrl = await app.metricsUrl();
  for (let i = 0; i < 3; i++) {
    await fetch(`${url}/call?url=${encodeURIComponent(back)}`);
    await scrape(metricsUrl);
  }
  await server.until(({ traces }) => traces.filter(({ kind }) => kind === 'server').length >= 3);
  await pyroscope.arrived(4);
  const samples = await samplesFrom(metricsUrl);
  assert.equal(samples.count('http_server_request_duration_seconds'), 3);
  assert.deepEqual(samples.countsBy('http_client_request_duration_seconds', 'server_port'), {
    [new URL(back).port]: 6,
  });
  const ports = samples.labels('http_client_active_requests', 'server_port');
  assert.deepEqual(ports, [new URL(back).port], 'series of what the agent calls');
  await server.until(
    ({ metrics }) => newest(metrics).get('http.server.request.duration')?.points[0]?.count === 3,
  );
  const scopes = server.received.metrics
    .filter(({ name }) => name.startsWith('http.'))
    .map(({ scope }) => scope);
  assert.deepEqual([...new Set(scopes)], ['otel-vitals']);
  app.kill('SIGTERM');
  await app.exit;
  const kinds = server.received.traces.map(
    ({ kind, attributes }) => `${kind} ${attributes['url.full'] ?? ''}`,
  );
  assert.deepEqual(kinds.sort(), [...new Array(6).fill(`client ${back}/`), ...new Array(3).fill('server ')]);
});

test('what the application itself sends to the address of its Collector is seen', async () => {
  const app = start('plain.js', { OTEL_METRICS_EXPORTER: 'prometheus' });
  const url = await urlOf(app);
  const target = `${server.url}/v1/traces`;
  await fetch(`${url}/call?url=${encodeURIComponent(target)}`);
  await server.until(({ traces }) => traces.filter(({ kind }) => kind === 'client').length === 2);
  const samples = await samplesFrom(await app.metricsUrl());
  assert.deepEqual(samples.countsBy('http_client_request_duration_seconds', 'server_port'), {
    [String(server.port)]: 2,
  });
});

for (const [filter, sampler, wanted] of [
  ['trace_based', 'always_on', true],
  ['trace_based', 'always_off', false],
  ['always_on', 'always_off', true],
  ['always_off', 'always_on', false],
] as const) {
  const what = wanted ? 'name the trace' : 'are not there';
  test(`exemplars ${what} with the filter ${filter} and the sampler ${sampler}`, async () => {
    const app = start('plain.js', {
      OTEL_METRICS_EXPORTER: 'prometheus',
      OTEL_METRICS_EXEMPLAR_FILTER: filter,
      OTEL_TRACES_SAMPLER: sampler,
    });
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await fetch(await urlOf(app), { headers: { traceparent } });
    const answer = await fetch(await app.metricsUrl(), {
      headers: { accept: 'application/openmetrics-text; version=1.0.0' },
    });
    const families = parseOpenMetrics(await answer.text());
    const { samples } = families.get('http_server_request_duration_seconds')!;
    const exemplars = samples.flatMap(({ exemplar }) => exemplar ?? []);
    assert.equal(exemplars.length, wanted ? 1 : 0);
    if (!wanted) return;
    const { labels, value, timestamp } = exemplars[0]!;
    assert.equal(labels['trace_id'], '0af7651916cd43dd8448eb211c80319c');
    assert.ok(value > 0 && value < 10 && Math.abs(timestamp! - Date.now() / 1000) < 60);
    if (sampler === 'always_off') return assert.match(labels['span_id']!, /^[0-9a-f]{16}$/);
    const span = await server.until(({ traces }) => traces.find(({ kind }) => kind === 'server'));
    assert.equal(labels['span_id'], span.spanId);
  });
}

test('all signals and the endpoint name the same resource', async () => {
  const app = start('logs.js', {
    OTEL_METRICS_EXPORTER: 'prometheus,otlp',
    OTEL_RESOURCE_ATTRIBUTES: 'team=pay%2Cments,service.version=1.2.3',
    OTEL_METRIC_EXPORT_INTERVAL: '200',
    STAY: '1',
  });
  const [record] = await server.until(({ logs }) => logs.length > 0 && logs);
  const [span] = await server.until(({ traces }) => traces.length > 0 && traces);
  const [metric] = await server.until(({ metrics }) => metrics.length > 0 && metrics);
  const { resource } = metric!;
  assert.deepEqual(record!.resource, resource);
  assert.deepEqual(span!.resource, resource);
  assert.equal(resource['service.name'], 'shop');
  assert.equal(resource['service.version'], '1.2.3');
  assert.equal(resource['team'], 'pay,ments');
  assert.equal(resource['process.pid'], app.pid);
  assert.match(String(resource['service.instance.id']), /^[0-9a-f-]{36}$/);
  assert.equal(resource['process.command_args'], undefined);
  const [target] = (await samplesFrom(await app.metricsUrl())).of('target_info');
  for (const [key, value] of Object.entries(resource)) {
    assert.equal(target!.labels[key.replaceAll('.', '_')], String(value), key);
  }
  // The record carries the span that ran when it was made.
  assert.equal(record!.traceId, span!.traceId);
  assert.equal(record!.spanId, span!.spanId);
  assert.deepEqual(
    [record!.body, record!.severity, record!.attributes],
    ['order placed', 'INFO', { 'order.id': 7 }],
  );
});
