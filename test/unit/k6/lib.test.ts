import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runK6Code } from '../../helpers/k6';

const print = `import { print } from './test/fixtures/k6/play.ts';`;

test('a run says whether it held, how long each scenario and route took, and which thresholds and checks failed', async () => {
  const times = { avg: 20.04, min: 1, med: 15, 'p(95)': 61.25, 'p(99)': 80, max: 99 };
  const data = {
    metrics: {
      http_reqs: { type: 'counter', values: { count: 1200, rate: 20 } },
      http_req_failed: { type: 'rate', values: { rate: 0.005 } },
      http_req_duration: { type: 'trend', values: times },
      'http_req_duration{name:/carts/:id}': {
        type: 'trend',
        values: times,
        thresholds: { 'p(95)<50': { ok: false } },
      },
      'checks{scenario:buyers}': {
        type: 'rate',
        values: { rate: 1 },
        thresholds: { 'rate>=0.99': { ok: true } },
      },
    },
    root_group: {
      checks: [{ name: 'a cart is made', passes: 10, fails: 0 }],
      groups: [{ checks: [{ name: 'it is shown', passes: 9, fails: 1 }], groups: [] }],
    },
    state: { testRunDurationMs: 60_400 },
  };
  const text = await runK6Code<string>(
    `${print} import { summaryText } from './k6/lib/summary.ts';
     print(summaryText('journey', ${JSON.stringify(data)}));`,
  );
  assert.deepEqual(text.split('\n'), [
    '',
    'journey: FAILED, 1 of 2 thresholds',
    '60 s, 1200 requests, 20.0 a second, 0.50 % failed',
    '',
    'times in ms',
    '                    avg      min      med    p(95)    p(99)      max',
    '  all requests     20.0        1       15     61.3       80       99',
    '  /carts/:id       20.0        1       15     61.3       80       99',
    '',
    'thresholds',
    '  ok     checks{scenario:buyers}             rate>=0.99, was 1',
    '  FAILED http_req_duration{name:/carts/:id}  p(95)<50, was 61.3',
    '',
    'checks',
    '  ok     10 of 10  a cart is made',
    '  FAILED 9 of 10  it is shown',
    '',
  ]);
});

test('settings come from the environment, and one that makes no sense ends the run with what was expected', async () => {
  const read = (env: Record<string, string>) =>
    runK6Code<unknown[]>(
      `${print} import { baseUrl, duration, rate } from './k6/lib/config.ts'; print([baseUrl, rate, duration(30)]);`,
      env,
    );
  assert.deepEqual(await read({}), ['http://127.0.0.1:3000', 10, 30]);
  assert.deepEqual(await read({ BASE_URL: 'http://shop:3000/', RATE: '50', DURATION: '1h2m3s' }), [
    'http://shop:3000',
    50,
    3723,
  ]);
  for (const [env, message] of [
    [{ BASE_URL: 'shop' }, 'BASE_URL: expected a URL that starts with http:// or https://, got "shop"'],
    [{ RATE: '2.5' }, 'RATE: expected a whole number from 1 to 10000, got "2.5"'],
    [{ DURATION: '90' }, 'DURATION: expected a duration such as 90s, 2m or 1h30m, got "90"'],
    [{ DURATION: '0s' }, 'DURATION: expected a duration such as 90s, 2m or 1h30m, got "0s"'],
  ] as const) {
    await assert.rejects(read(env), ({ message: got }: Error) => got.includes(message));
  }
});
