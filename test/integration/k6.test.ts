import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readConfig } from '../../mall/config';
import { type RunningShop, startShop } from '../../mall/start';
import { runK6Code, runScenario, type ScenarioRun, scenarioNames } from '../helpers/k6';
import { problemsOf } from '../helpers/k6-options';
import { type PostgresDatabase, startPostgres } from '../helpers/postgres';

// k6 itself is not in these tests: test/helpers/k6.ts stands in for it, with one iteration and no load.
let postgres: PostgresDatabase;
let shop: RunningShop;
before(async () => {
  postgres = await startPostgres();
  shop = await startShop(readConfig({ DATABASE_URL: postgres.url, PORT: '0', LOG_LEVEL: 'silent' }));
});
after(async () => {
  await shop?.close();
  await postgres?.close();
});

const names = scenarioNames.filter(name => !name.startsWith('fault-'));

for (const name of names) {
  test(`${name}: k6 can read its options, the shop does all that its functions ask for, and every request has the name of a route`, async () => {
    const run = await runScenario(name, { BASE_URL: shop.url, SUMMARY_DIR: '/results' });
    assert.deepEqual(problemsOf(run.options, run.functions, run.customMetrics), []);
    assert.deepEqual(
      run.checks.filter(({ ok }) => !ok),
      [],
    );
    assert.deepEqual(
      run.requests.filter(({ expected }) => !expected),
      [],
    );
    for (const scenario of ['setup', ...Object.keys(run.options.scenarios)]) {
      assert.ok(
        run.checks.some(one => one.scenario === scenario),
        `nothing is checked in ${scenario}`,
      );
    }
    // By their URLs each product would be a series of its own.
    for (const { url, name: route } of run.requests) assert.match(route ?? '', /^\/[a-zA-Z/:]*$/, url);
    assert.match(run.summary['stdout'] ?? '', new RegExp(`^\\n${name}: passed\\n`));
    const { metrics } = JSON.parse(run.summary[`/results/${name}.json`] ?? '{}');
    assert.equal(metrics.http_reqs.values.count, run.requests.length);
  });
}

test('smoke: it visits every route that the summary shows', async () => {
  const { options, requests } = await runScenario('smoke', { BASE_URL: shop.url });
  const shown = Object.keys(options.thresholds).flatMap(name => /\{name:(.*)\}/.exec(name)?.[1] ?? []);
  assert.deepEqual(shown.sort(), [...new Set(requests.map(({ name }) => name))].sort());
});

test('purchase-journey: a customer ends with an order', async () => {
  const { samples, sleeps } = await runScenario('purchase-journey', { BASE_URL: shop.url });
  assert.deepEqual(samples, [{ metric: 'purchases_completed', value: 1 }]);
  assert.ok(sleeps.length > 0);
  for (const seconds of sleeps) assert.ok(seconds >= 1 && seconds <= 3);
});

test('a shop that is not there ends the run', async () => {
  await assert.rejects(
    runScenario('smoke', { BASE_URL: `${shop.url}/nowhere` }),
    new RegExp(`expected a shop with products at ${shop.url}/nowhere, got status 404`),
  );
});

test('a check that fails is seen to fail, and a status that nobody expects to be unexpected', async () => {
  const { checks, requests } = await runK6Code<Pick<ScenarioRun, 'checks' | 'requests'>>(
    `import { showProduct } from './k6/lib/shop.ts';
     import { checks, requests } from './test/fixtures/k6/records.ts';
     import { print } from './test/fixtures/k6/play.ts';
     showProduct(2_000_000_000);
     print({ checks, requests });`,
    { BASE_URL: shop.url },
  );
  assert.deepEqual(
    checks.map(({ name, ok }) => [name, ok]),
    [['a product is shown', false]],
  );
  assert.deepEqual(
    requests.map(({ status, expected }) => [status, expected]),
    [[404, false]],
  );
});
