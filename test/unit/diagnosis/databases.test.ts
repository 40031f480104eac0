import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchDatabases } from '../../../instrumentation/diagnosis/databases';
import { createFindings, type Finding } from '../../../instrumentation/diagnosis/findings';
import { createLog } from '../../../instrumentation/log';
import type { Recommendation } from '../../../toolkit/database';
import { databaseSource } from '../../../toolkit/database/stats';
import { registerSource } from '../../../toolkit/sources';

const lines: string[] = [];
const log = createLog('warn', line => lines.push(line));

function watch(recommendations: () => Recommendation[]) {
  const found: Finding[] = [];
  const findings = createFindings(finding => found.push(finding));
  const databases = watchDatabases(findings, log);
  const end = registerSource({
    ...databaseSource,
    name: 'shop',
    stats: () => ({ recommendations: recommendations() }),
  });
  const look = (times: number): void => {
    for (let i = 0; i < times; i++) {
      databases.look();
      findings.look();
    }
  };
  return { found, findings, look, end };
}
const of = (code: Recommendation['code'], subject: string, evidence = {}): Recommendation => ({
  code,
  subject,
  advice: `advice for ${code}`,
  evidence,
});

test('what a database needs something done about is a finding, by its name and with its evidence', t => {
  const { found, findings, look, end } = watch(() => [
    of('connection_leak', 'shop', { held_ms: 5, stack: 'at a' }),
    of('connection_leak', 'shop', { held_ms: 9, stack: 'at b' }),
    of('n_plus_one', 'GET /', { query: 'select ?' }),
    of('n_plus_one', 'GET /b', { query: 'select ?' }),
    of('slow_query', 'select slow', { slow: 2 }),
    of('missing_index', 'orders'),
    of('pool_too_large', 'shop'),
  ]);
  t.after(end);
  look(1);
  assert.deepEqual(
    found.map(({ code, subject, evidence, advice }) => [code, subject, evidence, advice]),
    [
      ['db_connection_leak', 'shop', { held_ms: 5, stack: 'at a' }, 'advice for connection_leak'],
      ['db_n_plus_one', 'shop, GET /', { query: 'select ?' }, 'advice for n_plus_one'],
      ['db_n_plus_one', 'shop, GET /b', { query: 'select ?' }, 'advice for n_plus_one'],
      ['db_slow_query', 'shop', { query: 'select slow', slow: 2 }, 'advice for slow_query'],
    ],
  );
  end();
  look(3);
  assert.equal(findings.current().open.length, 0);
});

test('a pool that is too small and a rate of errors are findings after half a minute', t => {
  const { found, look, end } = watch(() => [of('pool_too_small', 'shop'), of('error_rate', 'shop')]);
  t.after(end);
  look(2);
  assert.deepEqual(found, []);
  look(1);
  assert.deepEqual(
    found.map(({ code }) => code),
    ['db_pool_too_small', 'db_error_rate'],
  );
});

test('statistics that cannot be read are one warning, and hide no other database', t => {
  const broken = registerSource({
    ...databaseSource,
    name: 'broken',
    stats() {
      throw new Error('no stats');
    },
  });
  t.after(broken);
  const { found, look, end } = watch(() => [of('slow_query', 'select ?')]);
  t.after(end);
  look(2);
  assert.equal(found.length, 1);
  assert.equal(lines.filter(line => line.includes('no stats')).length, 1);
});
