import assert from 'node:assert/strict';
import { afterEach, type TestContext, test } from 'node:test';
import type { FindingCode } from '../../../instrumentation/diagnosis/codes';
import type { Evidence } from '../../../instrumentation/diagnosis/findings';
import { watchToolkit } from '../../../instrumentation/diagnosis/toolkit';
import { createLog } from '../../../instrumentation/log';
import { clientOf, startServer, type TestServer, until } from '../../helpers/http-clients';

type Report = [code: FindingCode, subject: string, evidence: Evidence];
const servers: TestServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map(server => server.close())));

function setUp(t: TestContext): { look(): Report[] } {
  const reports: Report[] = [];
  const log = createLog('warn', line => assert.fail(line));
  const report = (...one: Report): void => void reports.push(one);
  const { look, stop } = watchToolkit({ report } as never, log);
  t.after(stop);
  return {
    look() {
      reports.length = 0;
      look();
      return [...reports];
    },
  };
}

test('an origin whose retry budget is used up is a finding, one with retries left is none', async t => {
  const { look } = setUp(t);
  const server = await startServer((_, response) => response.writeHead(503).end());
  servers.push(server);
  const budget = { ratio: 0, minPerSecond: 0, burst: 1 };
  const client = clientOf(server, { name: 'orders', retry: { baseDelayMs: 1, maxAttempts: 2, budget } });
  t.after(() => client.destroy());
  await client.get('/');
  assert.deepEqual(look(), []);
  await client.get('/');
  await client.get('/');
  assert.deepEqual(look(), [['http_retry_budget', `orders, ${server.url}`, { refused: 2, retry_tokens: 0 }]]);
  assert.deepEqual(look(), []);
});

test('an origin with all connections in use and as many requests waiting is a finding, until it is not', async t => {
  const { look } = setUp(t);
  const held: (() => void)[] = [];
  const server = await startServer((_, response) => void held.push(() => response.end()));
  servers.push(server);
  const client = clientOf(server, { name: 'orders', connections: { perOrigin: 2 } });
  t.after(() => client.destroy());
  const calls = [1, 2, 3].map(() => client.get('/'));
  await until(() => held.length === 2);
  assert.deepEqual(look(), [], 'one waits');
  calls.push(client.get('/'));
  assert.deepEqual(look(), [
    ['http_queue_saturated', `orders, ${server.url}`, { pending: 2, in_use: 2, open: 2, limit: 2 }],
  ]);
  for (let done = 0; done < 4; done++) {
    await until(() => held.length > 0);
    held.shift()!();
  }
  await Promise.all(calls);
  assert.deepEqual(look(), []);
});
