import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { folderWith, preload, repository, runApp, scrape, startApp } from '../helpers/app';
import { parseOpenMetrics } from '../helpers/exposition/openmetrics';
import { parseText } from '../helpers/exposition/text';
import type { ParsedSample } from '../helpers/exposition/types';

const fixture = (name: string): string => join(repository, 'test/fixtures/apps/use-metrics-api', name);
const server = folderWith({
  'server.js': `
    require('node:http').createServer((q, r) => r.end('x')).listen(0, '127.0.0.1', function () { console.log('port ' + this.address().port); });`,
});

test('a reader that stalls does not keep alive a script that has ended', async t => {
  const app = startApp(fixture('large.js'));
  t.after(() => app.kill());
  const { port, hostname } = new URL(await app.metricsUrl());
  await app.printed(/up/);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(socket, 'readable');
  // What is read no further fills the buffers of both sides, and the rest waits to be written.
  await new Promise(resolve => setTimeout(resolve, 1000));
  const begin = performance.now();
  app.kill('SIGUSR2');
  const exit = await app.exit;
  assert.equal(exit.code, 0, exit.stderr);
  assert.match(exit.stdout, /ended/);
  assert.ok(performance.now() - begin < 5000, `ended after ${performance.now() - begin} ms`);
  socket.destroy();
});

for (const [setup, env] of Object.entries({
  'tracing off': {},
  'tracing on': { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' },
})) {
  test(`scrapes are not counted as requests of the application, with ${setup}`, async t => {
    const app = startApp(server.path('server.js'), { env: { ...env, OTEL_LOG_LEVEL: 'warn' } });
    t.after(() => app.kill());
    const url = await app.metricsUrl();
    const [, port] = await app.printed(/port (\d+)/);
    for (let i = 0; i < 3; i++) await scrape(url);
    await scrape(`http://127.0.0.1:${port}/`);
    const families = parseText(await scrape(url));
    const counts = families
      .get('http_server_request_duration_seconds')!
      .samples.filter(({ name }) => name.endsWith('_count'));
    assert.deepEqual(
      counts.map(({ labels, value }) => [labels['server_port'] ?? port, value]),
      [[port, 1]],
    );
    assert.equal(families.get('vitals_self_scrape_failures_total')!.samples[0]!.value, 0);
    const scrapes = families.get('vitals_self_scrape_duration_seconds')!.samples.at(-1)!;
    assert.deepEqual([scrapes.name, scrapes.value], ['vitals_self_scrape_duration_seconds_count', 3]);
  });
}

test('a million values of a label, scraped all the while, cost the limit and no measurement', async t => {
  const nodeArgs = ['--expose-gc', '--max-old-space-size=128', '--require', preload];
  const app = startApp(fixture('bomb.js'), { nodeArgs, timeoutMs: 120_000 });
  t.after(() => app.kill());
  const url = await app.metricsUrl();
  const exploded = app.printed(/exploded (\d+)/);
  let done = false;
  const finish = (): void => {
    done = true;
  };
  exploded.then(finish, finish);
  let scrapes = 0;
  while (!done) {
    parseText(await scrape(url));
    scrapes++;
  }
  const heap = Number((await exploded)[1]);
  assert.ok(scrapes >= 5, `${scrapes} scrapes`);
  assert.ok(heap < 48 * 2 ** 20, `${heap} bytes of heap`);
  const families = parseText(await scrape(url));
  const sum = (samples: readonly ParsedSample[]): number =>
    samples.reduce((total, { value }) => total + value, 0);
  const requests = families.get('bomb_requests_total')!.samples;
  assert.equal(requests.length, 2000);
  assert.equal(sum(requests), 1_000_000);
  const overflow = requests.filter(({ labels }) => labels['otel_metric_overflow'] === 'true');
  assert.deepEqual(
    overflow.map(({ value }) => value),
    [1_000_000 - 1999],
  );
  const counts = families.get('bomb_duration')!.samples.filter(({ name }) => name.endsWith('_count'));
  assert.equal(counts.length, 2000);
  assert.equal(sum(counts), 100_000);
});

test('what the agent says of its scrapes is what they were', async t => {
  const app = startApp(server.path('server.js'));
  t.after(() => app.kill());
  const url = await app.metricsUrl();
  const first = Buffer.byteLength(await scrape(url));
  const value = (text: string, name: string): number => parseText(text).get(name)!.samples.at(-1)!.value;
  const text = await scrape(url);
  assert.equal(value(text, 'vitals_self_scrape_size_bytes'), first);
  assert.equal(value(text, 'vitals_self_scrape_duration_seconds'), 1);
  assert.equal(value(text, 'vitals_self_scrape_failures_total'), 0);
  assert.ok(value(text, 'vitals_self_collect_duration_seconds') >= 1);
  assert.ok(value(text, 'vitals_self_series') > 50);
});

test('an observable instrument that throws fails the scrape and nothing else, until it is well again', async t => {
  const app = startApp(fixture('throws.js'));
  t.after(() => app.kill());
  const url = await app.metricsUrl();
  await app.printed(/up/);
  for (let i = 0; i < 3; i++) {
    const answer = await fetch(url, { headers: { connection: 'close' } });
    assert.equal(answer.status, 500);
    assert.equal(await answer.text(), 'metrics could not be collected: the tank has no sensor\n');
  }
  app.kill('SIGUSR2');
  await app.printed(/well/);
  const families = parseText(await scrape(url));
  assert.equal(families.get('tank_level')!.samples[0]!.value, 7);
  assert.equal(families.get('vitals_self_scrape_failures_total')!.samples[0]!.value, 3);
  const said = app
    .stderr()
    .split('\n')
    .filter(line => line.includes('sensor'));
  assert.equal(said.length, 1, app.stderr());
});

test('buckets of request durations lead to their traces while tracing is on', async t => {
  const env = {
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    OTEL_LOG_LEVEL: 'warn',
  };
  const app = startApp(server.path('server.js'), { env });
  t.after(() => app.kill());
  const url = await app.metricsUrl();
  const [, port] = await app.printed(/port (\d+)/);
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
  await (await fetch(`http://127.0.0.1:${port}/`, { headers: { traceparent, connection: 'close' } })).text();
  const answer = await fetch(url, {
    headers: { accept: 'application/openmetrics-text', connection: 'close' },
  });
  const { samples } = parseOpenMetrics(await answer.text()).get('http_server_request_duration_seconds')!;
  const exemplars = samples.flatMap(({ exemplar }) => exemplar ?? []);
  assert.deepEqual(
    exemplars.map(({ labels }) => labels['trace_id']),
    [traceId],
  );
  assert.match(exemplars[0]!.labels['span_id']!, /^[0-9a-f]{16}$/);
  assert.ok(Math.abs(exemplars[0]!.timestamp! - Date.now() / 1000) < 60);
});

test('an IPv6 address that is not to be had is named in one line, as URLs write it', async () => {
  const env = { OTEL_EXPORTER_PROMETHEUS_HOST: '2001:db8::1', OTEL_EXPORTER_PROMETHEUS_PORT: '9464' };
  const exit = await runApp(['-e', 'setTimeout(() => {}, 500)'], { env });
  assert.equal(exit.code, 0);
  assert.match(
    exit.stderr,
    /^otel-vitals warn: metrics are not served: \[2001:db8::1\]:9464 is not to be had .*\n$/,
  );
});
