import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { stringify } from 'yaml';
import { createPrometheusReader } from '../../exporters/prometheus/reader';
import { attribute, metric } from '../../instrumentation/catalogue/define';
import { createProducer } from '../../instrumentation/metrics/producer';
import { MetricRegistry } from '../../instrumentation/metrics/registry';
import { temporaryFolder } from '../../mall/demo/servers/lifetime';
import { type TestEndpoint, testEndpoint } from '../helpers/prometheus-endpoint';
import { type Sample, type StackPrometheus, startPrometheus } from '../helpers/stack-prometheus';

// A real Prometheus scrapes one endpoint twice: as it likes, which is OpenMetrics, and past a proxy that asks for text.

const deadlineMs = 30_000;
const jobs = ['openmetrics', 'text'] as const;
const hostile = [
  'plain',
  'quo"te',
  'back\\slash',
  'line\nfeed',
  '}{ , = # EOF',
  'größe 温度 \u{1f600}',
  '\\n',
];

const checkout = metric('test', 'vitals.test.checkout', 'histogram', 's', 'Time of a "checkout" \\ payment', {
  attributes: [attribute('route', 'route', { bound: 'routes' })],
  buckets: [0.1, 1, 10],
});

let endpoint: TestEndpoint;
let proxy: http.Server;
let prometheus: StackPrometheus;
let broken = false;
const asked = new Set<string>();
const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';

before(async () => {
  const registry = new MetricRegistry(2000, error => assert.fail(String(error)));
  const times = registry.instrument(checkout).with({ route: '/pay' });
  const exemplar = { traceId, spanId, timestampMs: Date.now() };
  for (const time of [0.05, 0.5, 0.6, 5, 50]) times.record(time, time === 0.6 ? exemplar : undefined);
  const producer = createProducer(registry, { name: 'otel-vitals', version: '1' });
  const reader = createPrometheusReader({ metricProducers: [producer], cardinalityLimit: 2000 });
  const resource = resourceFromAttributes({ 'service.name': 'shop', 'service.version': '1.2.3' });
  const meter = new MeterProvider({ resource, readers: [reader] }).getMeter('app');
  const orders = meter.createCounter('orders', { description: 'Orders taken', unit: '{order}' });
  for (const [i, text] of hostile.entries()) orders.add(i + 1, { 'customer.name': text });
  const level = meter.createGauge('level', { unit: '1' });
  level.record(Number.MAX_VALUE, { of: 'largest' });
  level.record(5e-324, { of: 'smallest' });
  level.record(-0.1, { of: 'negative' });
  level.record(Number.POSITIVE_INFINITY, { of: 'infinite' });
  level.record(Number.NaN, { of: 'nothing' });
  meter.createUpDownCounter('open.jobs').add(-3);
  endpoint = await testEndpoint(async () => {
    if (broken) throw new Error('broken on purpose');
    return reader.collect();
  });
  proxy = http.createServer((request, response) => {
    const headers = { ...request.headers, accept: 'text/plain;version=0.0.4' };
    const outgoing = http.request(endpoint.url, { headers }, answer => {
      asked.add(`${answer.headers['content-type']} ${answer.headers['content-encoding']}`);
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    outgoing.end();
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');

  const folder = temporaryFolder('vitals-prometheus-');
  const config = join(folder, 'prometheus.yml');
  const scrape = (job: string, port: number) => ({
    job_name: job,
    static_configs: [{ targets: [`127.0.0.1:${port}`], labels: { instance: 'one' } }],
  });
  writeFileSync(
    config,
    stringify({
      global: { scrape_interval: '500ms', scrape_timeout: '500ms' },
      scrape_configs: [
        scrape('openmetrics', endpoint.port),
        scrape('text', (proxy.address() as AddressInfo).port),
      ],
    }),
  );
  prometheus = await startPrometheus(folder, config, ['--enable-feature=exemplar-storage']);
  await until('sum(up) == 2');
});

after(async () => {
  await prometheus?.close();
  await endpoint?.close();
  proxy?.close();
  proxy?.closeAllConnections();
});

/** Waits until a query has an answer. */
async function until(expr: string): Promise<Sample[]> {
  for (const end = Date.now() + deadlineMs; ; await wait(100)) {
    const samples = await prometheus.query(expr);
    if (samples.length > 0) return samples;
    assert.ok(Date.now() < end, `no answer to ${expr}`);
  }
}

/** Values of an expression by one label, for a job. */
async function values(expr: string, by: string): Promise<Record<string, number>> {
  const samples = await until(expr);
  return Object.fromEntries(samples.map(({ metric: labels, value }) => [labels[by] ?? '', value]));
}

test('Prometheus asks for both formats compressed, and takes every sample of them', async () => {
  assert.deepEqual([...asked], ['text/plain; version=0.0.4; charset=utf-8 gzip']);
  const samples = await values('scrape_samples_scraped', 'job');
  const kept = await values('scrape_samples_post_metric_relabeling', 'job');
  assert.ok(samples['text']! > 15);
  assert.deepEqual(samples, { openmetrics: samples['text'], text: samples['text'] });
  assert.deepEqual(kept, samples);
});

for (const job of jobs) {
  test(`as ${job}: counters, with labels that try to break out`, async () => {
    assert.deepEqual(
      await values(`orders_total{job="${job}"}`, 'customer_name'),
      Object.fromEntries(hostile.map((text, i) => [text, i + 1])),
    );
  });

  test(`as ${job}: gauges of every kind of number`, async () => {
    assert.deepEqual(await values(`level_ratio{job="${job}"}`, 'of'), {
      largest: Number.MAX_VALUE,
      smallest: 5e-324,
      negative: -0.1,
      // Prometheus answers "+Inf", which Number() does not read.
      infinite: Number.NaN,
      nothing: Number.NaN,
    });
    assert.deepEqual(await values(`level_ratio{job="${job}",of="infinite"} == bool Inf`, 'of'), {
      infinite: 1,
    });
    assert.deepEqual(await values(`open_jobs{job="${job}"}`, ''), { '': -3 });
  });

  test(`as ${job}: a histogram that quantiles can be taken of`, async () => {
    const name = 'vitals_test_checkout_seconds';
    assert.deepEqual(await values(`${name}_bucket{job="${job}"}`, 'le'), {
      '0.1': 1,
      '1.0': 3,
      '10.0': 4,
      '+Inf': 5,
    });
    const [sum] = await until(`${name}_sum{job="${job}",route="/pay"}`);
    assert.ok(Math.abs(sum!.value - 56.15) < 1e-9);
    assert.equal((await until(`${name}_count{job="${job}"}`))[0]!.value, 5);
    const [median] = await until(`histogram_quantile(0.5, ${name}_bucket{job="${job}"})`);
    assert.ok(Math.abs(median!.value - (0.1 + (0.9 * 1.5) / 2)) < 1e-9, String(median!.value));
  });

  test(`as ${job}: the resource as target_info, to be joined`, async () => {
    const joined = `open_jobs{job="${job}"} * on (job, instance) group_left (service_version) target_info`;
    assert.deepEqual(await values(joined, 'service_version'), { '1.2.3': -3 });
  });
}

test('types, help and units are known to Prometheus', async () => {
  const described = async (job: string, name: string) => {
    const data = (await prometheus.api(
      `targets/metadata?${new URLSearchParams({ match_target: `{job="${job}"}`, metric: name })}`,
    )) as object[];
    const [{ type, help, unit }] = data as [{ type: string; help: string; unit: string }];
    return { type, help, unit };
  };
  const help = 'Time of a "checkout" \\ payment';
  const histogram = { type: 'histogram', help };
  assert.deepEqual(await described('openmetrics', 'vitals_test_checkout_seconds'), {
    ...histogram,
    unit: 'seconds',
  });
  assert.deepEqual(await described('text', 'vitals_test_checkout_seconds'), { ...histogram, unit: '' });
  assert.deepEqual(await described('openmetrics', 'orders'), {
    type: 'counter',
    help: 'Orders taken',
    unit: '',
  });
  assert.deepEqual(await described('text', 'orders_total'), {
    type: 'counter',
    help: 'Orders taken',
    unit: '',
  });
});

test('exemplars lead from a bucket to its trace', async () => {
  const query = new URLSearchParams({
    query: 'vitals_test_checkout_seconds_bucket',
    start: String(Date.now() / 1000 - 3600),
    end: String(Date.now() / 1000 + 60),
  });
  const found = (await prometheus.api(`query_exemplars?${query}`)) as {
    seriesLabels: Record<string, string>;
    exemplars: { labels: Record<string, string>; value: string }[];
  }[];
  assert.equal(found.length, 1);
  const [{ seriesLabels, exemplars }] = found as [(typeof found)[0]];
  assert.deepEqual([seriesLabels['job'], seriesLabels['le']], ['openmetrics', '1.0']);
  assert.deepEqual(
    exemplars.map(({ labels, value }) => [labels, value]),
    [[{ trace_id: traceId, span_id: spanId }, '0.6']],
  );
});

test('a collection that fails is a target that is down, not one with fewer series', async () => {
  broken = true;
  await until('sum(up) == 0');
  assert.deepEqual(await prometheus.query('orders_total'), []);
  const { activeTargets } = (await prometheus.api('targets')) as { activeTargets: { lastError: string }[] };
  for (const { lastError } of activeTargets) assert.match(lastError, /500/);
  broken = false;
  await until('sum(up) == 2');
  assert.equal((await until('sum(orders_total)'))[0]!.value, 2 * 28);
});
