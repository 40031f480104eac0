import assert from 'node:assert/strict';
import { test } from 'node:test';
import { register, repository, runApp, scrape, startApp } from '../helpers/app';
import { apiVersions, folderWithApi } from '../helpers/own-api';

/** What an application measures of its own, the same in both kinds of module. */
const measure = `
const meter = metrics.getMeter('shop', '1.2.3');
const orders = meter.createCounter('shop.orders', { unit: '{order}', description: 'Orders placed' });
const basket = meter.createHistogram('shop.basket', { unit: 'EUR', advice: { explicitBucketBoundaries: [10, 100] } });
const open = meter.createUpDownCounter('shop.carts.open');
const stock = meter.createObservableGauge('shop.stock');
stock.addCallback(result => result.observe(7, { article: 'tea' }));
meter.addBatchObservableCallback(result => result.observe(stock, 3, { article: 'mugs' }), [stock]);
orders.add(2, { method: 'card' });
orders.add(1, { method: 'cash' });
basket.record(42);
open.add(5);
open.add(-2);
setInterval(() => {}, 1000);
console.log('measured');`;
const files = {
  'app.js': `const { metrics } = require('@opentelemetry/api');${measure}`,
  'app.mjs': `import { metrics } from '@opentelemetry/api';${measure}`,
};

const lines = [
  '# HELP shop_orders_total Orders placed',
  'shop_orders_total{method="card"} 2',
  'shop_orders_total{method="cash"} 1',
  'shop_basket_EUR_bucket{le="10.0"} 0',
  'shop_basket_EUR_bucket{le="100.0"} 1',
  'shop_basket_EUR_sum 42',
  'shop_carts_open 3',
  'shop_stock{article="tea"} 7',
  'shop_stock{article="mugs"} 3',
];

for (const version of apiVersions) {
  const folder = folderWithApi(version, files);
  for (const [script, way] of [
    ['app.js', '--require'],
    ['app.mjs', '--import'],
  ] as const) {
    test(`what ${script} measures through ${version} version of the API comes out under ${way}`, async () => {
      const nodeArgs = way === '--import' ? { nodeArgs: ['--import', register] } : {};
      const app = startApp(folder.path(script), nodeArgs);
      await app.printed(/measured/);
      const shown = (await scrape(await app.metricsUrl())).split('\n');
      for (const line of lines) assert.ok(shown.includes(line), line);
      app.kill('SIGTERM');
      await app.exit;
    });
  }

  test(`with the programmatic start, instruments made before it count, through ${version} version`, async () => {
    const script = `
      const { start } = require(${JSON.stringify(`${repository}/dist/instrumentation/sdk.js`)});
      const { metrics } = require('@opentelemetry/api');${measure}
      const vitals = start({ env: { OTEL_EXPORTER_PROMETHEUS_PORT: '0', OTEL_LOG_LEVEL: 'none' } });
      metrics.getMeter('later').createCounter('shop.later').add(4);
      vitals.prometheus.then(({ url }) => fetch(url)).then(answer => answer.text()).then(text => {
        console.log(text);
        process.exit();
      });`;
    const own = folderWithApi(version, { 'app.js': script });
    const { stdout } = await runApp(own.path('app.js'), { nodeArgs: [] });
    const shown = stdout.split('\n');
    for (const line of [...lines, 'shop_later_total 4']) assert.ok(shown.includes(line), line);
  });
}
