import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { preload, repository, startApp } from '../helpers/app';

const full = join(repository, 'test/fixtures/apps/use-diagnosis/full.js');
const limitMib = 128;

test('a heap that is alive to nearly its limit is found, also where that limit is small', async t => {
  const app = fullApp(t);
  const [, used, limit] = await app.printed(
    /finding heap_headroom: the V8 heap .*\(used_bytes (\d+), limit_bytes (\d+)\)/,
    'stderr',
  );
  assert.equal(Number(limit), limitMib * 2 ** 20);
  assert.ok(Number(used) > 0.75 * limitMib * 2 ** 20, used);
});

test('the auto-profiler reads a heap that comes near its limit, before V8 ends the process', async t => {
  const app = fullApp(t, {
    VITALS_ADMIN: 'true',
    VITALS_ADMIN_PORT: '0',
    VITALS_AUTOPROFILE: 'true',
    VITALS_AUTOPROFILE_RULES: 'heap',
    VITALS_AUTOPROFILE_INTERVAL_MS: '500',
    VITALS_AUTOPROFILE_WARMUP_MS: '0',
    // Not by growth: only by the limit.
    VITALS_AUTOPROFILE_HEAP: 'min=100000,rise=100000',
    OTEL_LOG_LEVEL: 'info',
  });
  const [, value] = await app.printed(/the auto-profiler took \S*heap\S*: heap at ([\d.]+) MiB/, 'stderr');
  assert.ok(Number(value) >= 0.75 * limitMib && Number(value) < 0.8 * limitMib, value);
});

/** A process that keeps a little more than three quarters of what its heap may grow to. */
function fullApp(t: TestContext, env: Record<string, string> = {}) {
  const app = startApp(full, {
    args: ['93'],
    env,
    nodeArgs: [`--max-old-space-size=${limitMib}`, '--require', preload],
    timeoutMs: 120_000,
  });
  t.after(async () => {
    app.kill('SIGKILL');
    await app.exit;
  });
  return app;
}
