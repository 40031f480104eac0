import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { folderWith, repository, scrape, startApp } from '../helpers/app';
import { parseText } from '../helpers/exposition/text';

const fixture = (name: string): string => join(repository, 'test/fixtures/apps/use-metrics-api', name);
const server = folderWith({
  'server.js': `
    require('node:http').createServer((q, r) => r.end('x')).listen(0, '127.0.0.1', function () { console.log('port ' + this.address().port); });`,
});

test('a reader that stalls does not keep alive a script that has ended', async () => {
  const app = startApp(fixture('large.js'));
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
  test(`scrapes are not counted as requests of the application, with ${setup}`, async () => {
    const app = startApp(server.path('server.js'), { env: { ...env, OTEL_LOG_LEVEL: 'warn' } });
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
    app.kill('SIGTERM');
    await app.exit;
  });
}
