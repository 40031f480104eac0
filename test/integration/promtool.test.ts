import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, test } from 'node:test';
import { prometheusName } from '../../exporters/prometheus/names';
import { createSerializer } from '../../exporters/prometheus/serializer';
import { catalogue } from '../../instrumentation/catalogue';
import { createProducer } from '../../instrumentation/metrics/producer';
import { MetricRegistry } from '../../instrumentation/metrics/registry';
import { folderWith, scrape, startApp } from '../helpers/app';
import { writeText } from '../helpers/exposition/write';

/** What promtool has against an exposition: lines of `metric reason`. */
function complaints(text: string): string[] {
  const { stderr, stdout, error, status } = spawnSync('promtool', ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  });
  if (error !== undefined)
    throw new Error('promtool did not start; run `node scripts/setup.mjs prometheus` as root', {
      cause: error,
    });
  assert.ok(status === 0 || status === 3, `promtool ended with ${status}: ${stderr}`);
  return `${stdout}${stderr}`
    .split('\n')
    .filter(line => line !== '')
    .sort();
}

const suffix = 'non-histogram and non-summary metrics should not have "_count" suffix';
/**
 * Names that promtool would have otherwise. OpenTelemetry's semantic conventions name the first two, and ours follow
 * their pattern of counts.
 */
const counts = [
  'db_client_connection_count',
  'process_unix_file_descriptor_count',
  'vitals_http_connection_count',
  'vitals_worker_thread_count',
];
const expected = counts.map(name => `${name} ${suffix}`);

test('promtool finds fault with no name, help or type of the whole catalogue but the counts', async () => {
  const registry = new MetricRegistry(2000, error => assert.fail(String(error)));
  for (const metric of catalogue) {
    const attributes = Object.fromEntries(
      metric.attributes.map(({ name, values }) => [name, values?.[0] ?? 'x']),
    );
    const cell = registry.instrument(metric).with(attributes);
    if ('record' in cell) cell.record(1);
    else cell.set(1);
  }
  const producer = createProducer(registry, { name: 'otel-vitals', version: '0.0.0' });
  const warnings: string[] = [];
  const serializer = createSerializer({ onWarning: message => warnings.push(message) });
  const text = writeText((await producer.collect()).resourceMetrics, 'text', serializer);
  assert.deepEqual(warnings, []);
  const types = { counter: 'counter', updowncounter: 'sum', gauge: 'gauge', histogram: 'histogram' } as const;
  for (const { name, unit, instrument } of catalogue) {
    assert.ok(text.includes(`# TYPE ${prometheusName(name, unit, types[instrument])!.name} `), name);
  }
  assert.deepEqual(complaints(text), expected);
});

const files = folderWith({
  'app.js': `
    require('node:http').createServer((q, r) => r.end('x')).listen(0, '127.0.0.1', function () {
      fetch('http://127.0.0.1:' + this.address().port).then(r => r.text()).then(() => console.log('asked'));
    });`,
});
const app = startApp(files.path('app.js'));
after(() => app.kill());

test('promtool finds fault with nothing else that an application under the preload shows', async () => {
  const url = await app.metricsUrl();
  await app.printed(/asked/);
  const text = await scrape(url);
  const shown = counts.filter(name => text.includes(`\n${name}`));
  assert.ok(shown.length > 0);
  assert.deepEqual(
    complaints(text),
    shown.map(name => `${name} ${suffix}`),
  );
});
