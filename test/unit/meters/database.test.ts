import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MeterContext } from '../../../instrumentation/meters/context';
import { meterDatabase } from '../../../instrumentation/meters/database';
import { MetricRegistry } from '../../../instrumentation/metrics/registry';
import { databaseSource } from '../../../toolkit/database/stats';
import { registerSource } from '../../../toolkit/sources';

test('of databases of one name the worst health is shown, and what they counted is added up and never falls', () => {
  const registry = new MetricRegistry(2000, error => assert.fail(String(error)));
  const stop = meterDatabase({ registry } as MeterContext);
  const shown = (name: string): Record<string, unknown> => {
    const instrument = [...registry.read()].find(({ metric }) => metric.name === `vitals.db.${name}`)!;
    return Object.fromEntries(
      [...instrument.cells()].map(cell => [
        Object.values(cell.attributes).join(' '),
        (cell as { value?: number }).value,
      ]),
    );
  };
  const open = (name: string, score: number, idle: number): (() => void) =>
    registerSource({
      ...databaseSource,
      name,
      stats: () => ({
        health: { score },
        connections: { closed: { idle, lifetime: 0, broken: 0, shutdown: 0 }, leaks: 1 },
        queries: { timeouts: 2 },
      }),
    });
  const ends = [open('shop', 90, 3), open('shop', 40, 4), open('archive', 70, 0)];
  assert.deepEqual(shown('health_score'), { shop: 40, archive: 70 });
  assert.equal(shown('connection.closed')['shop idle'], 7);
  assert.deepEqual(shown('connection.leaks'), { shop: 2, archive: 1 });
  ends[1]!();
  assert.deepEqual(shown('health_score'), { shop: 90, archive: 70 });
  assert.equal(shown('connection.closed')['shop idle'], 7);
  assert.deepEqual(shown('query.timeouts'), { shop: 4, archive: 2 });
  for (const end of ends) end();
  stop();
});
