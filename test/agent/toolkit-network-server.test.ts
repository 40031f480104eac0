import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { preload, repository, startApp } from '../helpers/app';
import { samplesFrom } from '../helpers/samples';

test('compressions, endpoints, connections and HTTP/2 servers are in /metrics by name, with what they did', async t => {
  const app = startApp(join(repository, 'test/fixtures/apps/use-toolkit/network-server.js'), {
    nodeArgs: ['--require', preload],
    ipc: true,
    timeoutMs: 120_000,
  });
  t.after(() => app.kill());
  const url = await app.metricsUrl();
  const [told] = (await once(app.process, 'message')) as [{ output: number }];
  const samples = await samplesFrom(url);
  const value = (name: string, labels = {}) => samples.value(name, labels);

  const api = { compression_name: 'api', compression_encoding: 'br' };
  assert.equal(value('vitals_http_response_compression_input_bytes_total', api), 20_000);
  assert.equal(value('vitals_http_response_compression_output_bytes_total', api), told.output);
  assert.equal(value('vitals_http_response_compression_responses_total', api), 4);
  const pages = { ...api, compression_name: 'pages' };
  assert.equal(value('vitals_http_response_compression_input_bytes_total', pages), 5000);
  const skipped = (compression_skip_reason: string) =>
    value('vitals_http_response_compression_skipped_total', {
      compression_name: 'api',
      compression_skip_reason,
    });
  assert.deepEqual([skipped('small'), skipped('type')], [1, 0]);
  // A coding that nobody asked for has no series.
  assert.equal(samples.of('vitals_http_response_compression_input_bytes_total').length, 2);

  const requests = (endpoint_name: string, endpoint_outcome: string) =>
    value('vitals_http_endpoint_requests_total', {
      endpoint_analyzer: 'shop',
      endpoint_name,
      endpoint_outcome,
    });
  assert.deepEqual([requests('GET /items', 'ok'), requests('GET /items', 'server_error')], [2, 0]);
  assert.deepEqual([requests('GET /broken', 'ok'), requests('GET /broken', 'server_error')], [0, 2]);
  const items = { endpoint_analyzer: 'shop', endpoint_name: 'GET /items' };
  assert.equal(value('vitals_http_endpoint_slow_requests_total', items), 0);
  const [p50, max] = ['p50', 'max'].map(
    endpoint_statistic => value('vitals_http_endpoint_duration_seconds', { ...items, endpoint_statistic })!,
  );
  assert.ok(p50! > 0 && p50! <= max! && max! < 60, `${p50} ${max}`);

  const calls = { connection_pool_name: 'calls' };
  assert.deepEqual(
    ['created', 'closed', 'failed', 'requests', 'reused'].map(what =>
      value(`vitals_http_connection_${what}_total`, calls),
    ),
    [1, 0, 0, 6, 5],
  );
  assert.equal(value('vitals_http_connection_count', { ...calls, connection_state: 'idle' }), 1);
  assert.equal(value('vitals_http_connection_count', { ...calls, connection_state: 'active' }), 0);
  assert.equal(value('vitals_http_connection_pending_requests', calls), 0);

  const edge = { http2_server_name: 'edge' };
  assert.equal(value('vitals_http2_sessions', edge), 1);
  assert.equal(value('vitals_http2_sessions_opened_total', edge), 1);
  assert.equal(value('vitals_http2_streams_opened_total', edge), 3);
  assert.equal(value('vitals_http2_streams', edge), 0);
  assert.equal(value('vitals_http2_sessions_refused_total', { ...edge, http2_refusal: 'resets' }), 0);
  assert.equal(value('vitals_http2_streams_reset_total', { ...edge, http2_reset_direction: 'received' }), 0);
  assert.equal(value('vitals_self_warnings_total'), 0);
  app.process.send({ stop: true });
  assert.equal((await app.exit).code, 0);
});
