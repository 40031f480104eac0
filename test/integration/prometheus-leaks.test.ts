import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { createPrometheusReader } from '../../exporters/prometheus/reader';
import { attribute, metric } from '../../instrumentation/catalogue/define';
import { createProducer } from '../../instrumentation/metrics/producer';
import { MetricRegistry } from '../../instrumentation/metrics/registry';
import { type TestEndpoint, testEndpoint } from '../helpers/prometheus-endpoint';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

const own = metric('test', 'vitals.test.time', 'histogram', 's', 'own histogram', {
  attributes: [attribute('route', 'route', { bound: 'routes' })],
  buckets: [0.1, 1, 10],
});

/** Every kind of scrape there is: formats, compression, connections kept and not, and scrapers that go away. */
async function scrapeAll(endpoint: TestEndpoint, agent: http.Agent): Promise<number> {
  const headers = { accept: 'application/openmetrics-text', 'accept-encoding': 'gzip' };
  const answers = await Promise.all([
    endpoint.get('/metrics', { agent }),
    endpoint.get('/metrics', { agent, headers }),
    endpoint.get('/metrics', { headers: { accept: headers.accept } }),
    endpoint.get('/metrics', { method: 'HEAD', agent }),
  ]);
  for (const { status } of answers) assert.equal(status, 200);
  const gone = await endpoint.raw('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
  gone.destroy();
  await once(gone, 'close');
  return answers.length + 1;
}

test('thousands of scrapes leave no memory, listener, timer or connection behind', async () => {
  const registry = new MetricRegistry(2000, error => assert.fail(String(error)));
  const time = registry.instrument(own);
  const producer = createProducer(registry, { name: 'test', version: '1' });
  const reader = createPrometheusReader({ metricProducers: [producer], cardinalityLimit: 2000 });
  const meter = new MeterProvider({ readers: [reader] }).getMeter('app');
  const requests = meter.createCounter('requests');
  meter.createObservableGauge('level').addCallback(result => {
    for (let i = 0; i < 20; i++) result.observe(i, { tank: `tank-${i}` });
  });
  const measure = (): void => {
    for (let i = 0; i < 20; i++) {
      time.with({ route: `/route/${i}` }).record(i);
      requests.add(1, { route: `/route/${i}`, method: 'GET' });
    }
  };
  const endpoint = await testEndpoint(() => reader.collect());
  const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
  const settle = async (): Promise<{ heap: number; resources: string[] }> => {
    endpoint.logged.length = 0;
    endpoint.scrapes.length = 0;
    agent.destroy();
    // Sockets and answers that have just ended go in the next turns of the event loop.
    for (let i = 0; i < 5; i++) {
      await new Promise(resolve => setTimeout(resolve, 20));
      gc();
    }
    return {
      heap: process.memoryUsage().heapUsed,
      resources: process
        .getActiveResourcesInfo()
        .filter(type => type !== 'TCPSocketWrap')
        .sort(),
    };
  };

  const scrapeOften = async (times: number): Promise<void> => {
    for (let scrapes = 0; scrapes < times; ) {
      measure();
      scrapes += await scrapeAll(endpoint, agent);
    }
  };
  // What is compiled on the way counts as memory too, comes at first, and goes again at times: only what grows round
  // after round is a leak.
  await scrapeOften(1000);
  const before = await settle();
  let after = before;
  const growth: number[] = [];
  for (let round = 0; round < 5; round++) {
    const { heap } = after;
    await scrapeOften(400);
    after = await settle();
    growth.push(after.heap - heap);
  }
  const usual = [...growth].sort((a, b) => a - b)[2]!;
  assert.ok(usual < 100 * 1024, `400 scrapes leave ${growth.join(', ')} bytes`);
  assert.deepEqual(after.resources, before.resources);
  await endpoint.close();
});
