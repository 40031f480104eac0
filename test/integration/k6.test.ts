import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { faultFamilies, faultNames } from '../../mall/faults/table';
import { type RunningShop, startShop } from '../../mall/start';
import { runK6Code, runScenario, type ScenarioRun, scenarioNames } from '../helpers/k6';
import { problemsOf } from '../helpers/k6-options';
import { call, type MallServers, startMallServers } from '../helpers/mall';

// k6 itself is not in these tests: test/helpers/k6.ts stands in for it, with one iteration and no load.
let servers: MallServers;
let shop: RunningShop;
before(async () => {
  servers = await startMallServers();
  shop = await startShop(servers.config({ MALL_FAULTS: 'on' }));
});
after(async () => {
  await shop?.close();
  await servers?.close();
});

const isOfFaults = (name: string): boolean => name.startsWith('fault-');
// Those of faults come last: one of them tells again what happened to an order.
const names = [...scenarioNames.filter(name => !isOfFaults(name)), ...scenarioNames.filter(isOfFaults)];

for (const name of names) {
  test(`${name}: k6 can read its options, the shop does all that its functions ask for, and every request has the name of a route`, async () => {
    while (isOfFaults(name) && (await servers.sql('SELECT FROM order_events LIMIT 1')).length === 0);
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

test('each family of faults has a scenario, which made and healed every fault of it', async () => {
  assert.deepEqual(scenarioNames.filter(isOfFaults), faultFamilies.map(family => `fault-${family}`).sort());
  const { body } = await call(shop.url, 'GET', '/faults');
  assert.equal(body.faults.length, faultNames.length);
  for (const { name, active } of body.faults) assert.equal(active, false, name);
  const { requests } = await runScenario('fault-concurrency', { BASE_URL: shop.url });
  const asked = requests.filter(one => one.scenario === 'faults').map(one => `${one.method} ${one.url}`);
  assert.deepEqual(
    asked,
    ['lock-convoy', 'worker-pool-saturation', 'channel-backlog'].flatMap(fault => [
      `POST ${shop.url}/faults/${fault}`,
      `DELETE ${shop.url}/faults/${fault}`,
    ]),
  );
});

test('FAULT chooses one fault of the family, and one that there is not ends the run', async () => {
  const { requests } = await runScenario('fault-database', { BASE_URL: shop.url, FAULT: 'n-plus-one' });
  const made = requests.filter(({ method, name }) => method === 'POST' && name === '/faults/:name');
  assert.deepEqual(
    made.map(({ url }) => url),
    [`${shop.url}/faults/n-plus-one`],
  );
  await assert.rejects(
    runScenario('fault-database', { BASE_URL: shop.url, FAULT: 'earthquake' }),
    /FAULT: expected one of pool-exhaustion, .*, got "earthquake"/,
  );
});

test('against a shop without faults their scenarios end at once, and say what it lacks', async () => {
  const sound = await startShop(servers.config());
  try {
    assert.equal((await call(sound.url, 'POST', '/faults/lock-convoy')).status, 404);
    await assert.rejects(
      runScenario('fault-memory', { BASE_URL: sound.url }),
      /expected a shop with faults, got one without: start it with MALL_FAULTS=on/,
    );
  } finally {
    await sound.close();
  }
});

test('a fault that is still on when a run ends is healed by its teardown', async () => {
  await call(shop.url, 'POST', '/faults/n-plus-one', { seconds: 60 });
  await runK6Code(
    `import { teardown } from './k6/scenarios/fault-database.ts';
     import { print } from './test/fixtures/k6/play.ts';
     teardown({ products: 1, names: ['n-plus-one'] });
     print(null);`,
    { BASE_URL: shop.url },
  );
  const { body } = await call(shop.url, 'GET', '/faults');
  assert.equal(body.faults.find((one: { name: string }) => one.name === 'n-plus-one').active, false);
});
