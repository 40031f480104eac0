import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { repository } from '../helpers/app';
import { type SteppedApp, startStepped } from '../helpers/stepped-app';

const script = join(repository, 'test', 'fixtures', 'apps', 'use-http-client', 'app.mjs');
const duration = 'http_client_request_duration_seconds';

async function answersOf(app: SteppedApp): Promise<unknown[]> {
  const answers: unknown[] = [await app.step('calls')];
  await app.step('hold');
  answers.push(await app.step('free'));
  return answers;
}

for (const way of ['require', 'import'] as const) {
  it(`calls over http, fetch and undici are answered as without the agent, and measured under --${way}`, async () => {
    const bare = await startStepped(script, { way: 'bare' });
    const expected = await answersOf(bare);
    await bare.end();

    const app = await startStepped(script, { way });
    const [port, closed] = await app.step<[string, string]>('ports');
    const calls = await app.step('calls');
    const metrics = await app.metrics();
    const here = { server_address: '127.0.0.1', server_port: port };
    assert.deepEqual(metrics.countsBy(duration, 'http_response_status_code', here), {
      200: 1,
      201: 1,
      404: 1,
      503: 1,
      // Broken off before there was a status.
      '': 1,
    });
    assert.equal(metrics.count(duration, { ...here, http_request_method: 'PUT', error_type: '503' }), 1);
    // The first releases of Node.js 20 do not tell how a request failed, only that it ended without an answer.
    assert.equal(metrics.count(duration, { ...here, error_type: /^(ECONNRESET|aborted)$/ }), 1);
    assert.equal(metrics.count(duration, { server_port: closed, error_type: 'ECONNREFUSED' }), 1);
    assert.equal(metrics.value('http_client_active_requests', here), 0);
    assert.doesNotMatch(metrics.text, /secret/);

    await app.step('hold');
    const busy = await app.metrics();
    // Two of each three wait: those of the agent of http, and those of undici's pool.
    assert.equal(busy.value('vitals_http_client_queue_size', here), 4);
    assert.deepEqual([calls, await app.step('free')], expected);
    const freed = await app.metrics();
    assert.equal(freed.value('vitals_http_client_queue_size', here), 0);
    assert.equal(freed.value('http_client_active_requests', here), 0);
    assert.equal(freed.count(duration, { ...here, http_response_status_code: '200' }), 7);
    await app.end();
  });
}
