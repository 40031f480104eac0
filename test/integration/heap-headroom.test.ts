import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { preload, repository, startApp } from '../helpers/app';

const full = join(repository, 'test/fixtures/apps/use-diagnosis/full.js');

test('a heap that is alive to nearly its limit is found, also where that limit is small', async () => {
  const apps = [[], ['--max-semi-space-size=64']].map(more =>
    startApp(full, {
      args: ['90'],
      nodeArgs: ['--max-old-space-size=96', ...more, '--require', preload],
      timeoutMs: 120_000,
    }),
  );
  for (const app of apps) {
    const [, used, limit] = await app.printed(
      /finding heap_headroom: the V8 heap .*\(used_bytes (\d+), limit_bytes (\d+)\)/,
      'stderr',
    );
    assert.equal(Number(limit), 96 * 2 ** 20);
    assert.ok(Number(used) > 0.9 * 96 * 2 ** 20, used);
    app.kill('SIGKILL');
    await app.exit;
  }
});
