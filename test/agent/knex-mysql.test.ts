import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { repository } from '../helpers/app';
import { operations, pool } from '../helpers/database-metrics';
import { startStepped } from '../helpers/stepped-app';

const script = join(repository, 'test', 'fixtures', 'apps', 'use-knex', 'mysql.js');

it('knex over mysql2 works as without the agent, and is measured as MySQL', async () => {
  const bare = await startStepped(script, { way: 'bare' });
  await bare.step('open');
  const expected = await bare.step('run');
  await bare.end();

  const app = await startStepped(script);
  const port = await app.step<number>('open');
  assert.deepEqual(await app.step('run'), expected);
  const metrics = await app.metrics();
  assert.deepEqual(operations(metrics, 'mysql'), {
    'SELECT goods': 1,
    'INSERT goods': 1,
    'DELETE nowhere | ER_NO_SUCH_TABLE': 1,
    BEGIN: 1,
    'UPDATE goods': 1,
    COMMIT: 1,
  });
  const { used, idle, limit, created, waited, returned } = pool(metrics, `127.0.0.1:${port}/shop`);
  assert.deepEqual([used, idle, limit, created, waited, returned], [0, 1, 2, 1, 4, 4]);
  assert.doesNotMatch(metrics.text, /secret/);
  await app.end();
});
