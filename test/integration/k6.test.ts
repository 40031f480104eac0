import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readConfig } from '../../mall/config';
import { type RunningShop, startShop } from '../../mall/start';
import { repository } from '../helpers/app';
import { runScenario } from '../helpers/k6';
import { type PostgresDatabase, startPostgres } from '../helpers/postgres';

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

for (const file of readdirSync(join(repository, 'k6', 'scenarios'))) {
  test(`${file}: a customer finds all that the scenario expects of the shop, and every request has a name`, async () => {
    const { checks, requests } = await runScenario(`k6/scenarios/${file}`, { BASE_URL: shop.url });
    assert.ok(checks.length >= 4);
    assert.deepEqual(
      checks.filter(({ ok }) => !ok),
      [],
    );
    assert.ok(requests.length >= 4);
    for (const { url, name, status } of requests) {
      assert.ok(status >= 200 && status < 400, `${status} ${url}`);
      // By their URLs, each product would be a series of its own.
      assert.match(name ?? '', /^\/[a-z/:A-Z]*$/, url);
    }
  });
}

test('a check that fails is seen to fail', async () => {
  const { checks } = await runScenario('k6/scenarios/smoke.ts', { BASE_URL: `${shop.url}/nowhere` });
  assert.deepEqual(checks, [{ name: 'products are listed', ok: false }]);
});
