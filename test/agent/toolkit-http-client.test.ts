import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { preload, repository, startApp } from '../helpers/app';
import { samplesFrom } from '../helpers/samples';

const script = join(repository, 'test/fixtures/apps/use-toolkit/http-client.js');

test('every HTTP client is in /metrics by name, its requests are counted once, and it holds up no end', async t => {
  const app = startApp(script, { nodeArgs: ['--require', preload], ipc: true, timeoutMs: 120_000 });
  t.after(() => app.kill());
  const url = await app.metricsUrl();
  await once(app.process, 'message');
  const samples = await samplesFrom(url);
  const value = (name: string, labels: Record<string, string> = {}, client = 'orders') =>
    samples.value(`vitals_http_client_${name}`, { http_client_name: client, ...labels });
  assert.equal(value('calls_total', { http_client_outcome: 'ok' }, 'plain'), 1);
  assert.equal(value('cache_size_bytes', {}, 'plain'), undefined);
  const outcome = (http_client_outcome: string) => value('calls_total', { http_client_outcome });
  assert.equal(outcome('ok'), 6);
  assert.equal(outcome('server_error'), 1);
  assert.equal(outcome('timeout'), 0);
  assert.equal(value('call_duration_seconds_count'), 7);
  // Two that succeed in the end, and none for what is down.
  assert.equal(value('retries_total'), 2);
  assert.equal(value('retries_refused_total'), 1);
  const cache = (http_client_cache_result: string) =>
    value('cache_calls_total', { http_client_cache_result });
  assert.equal(cache('hit'), 1);
  assert.equal(cache('miss'), 6);
  assert.equal(cache('bypassed'), 0);
  assert.ok(value('cache_size_bytes')! > 0);
  assert.equal(value('cache_size_limit_bytes'), 100_000);
  assert.equal(value('decoding_output_bytes_total'), 1000);
  const input = value('decoding_input_bytes_total')!;
  assert.ok(input > 0 && input < 100, String(input));

  // What undici's channels tell of each attempt is there as for any client, once.
  const attempts = samples.value('http_client_request_duration_seconds_count', {
    http_request_method: 'GET',
    http_response_status_code: '200',
    server_address: '127.0.0.1',
  });
  assert.equal(attempts, 6);
  assert.equal(
    samples.value('vitals_http_client_queue_size', { server_address: '127.0.0.1' }),
    0,
    'from the hook of pools',
  );
  assert.equal(samples.value('vitals_self_warnings_total'), 0);
  assert.doesNotMatch(samples.text, /secret/);
  app.process.send({ stop: true });
  assert.equal((await app.exit).code, 0);
});
