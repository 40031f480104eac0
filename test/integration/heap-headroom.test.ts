import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { preload, repository, startApp } from '../helpers/app';

const full = join(repository, 'test/fixtures/apps/use-diagnosis/full.js');
const limitMib = 128;

test('a heap that is alive to nearly its limit is found, also where that limit is small', async () => {
  const app = startApp(full, {
    args: ['93'],
    nodeArgs: [`--max-old-space-size=${limitMib}`, '--require', preload],
    timeoutMs: 120_000,
  });
  const [, used, limit] = await app.printed(
    /finding heap_headroom: the V8 heap .*\(used_bytes (\d+), limit_bytes (\d+)\)/,
    'stderr',
  );
  assert.equal(Number(limit), limitMib * 2 ** 20);
  assert.ok(Number(used) > 0.75 * limitMib * 2 ** 20, used);
  app.kill('SIGKILL');
  await app.exit;
});
