import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { repository, runApp } from '../helpers/app';

const script = join(repository, 'test/fixtures/apps/use-toolkit/threads.js');

test('waiting for another thread keeps a process alive until it has ended, and not longer', async () => {
  for (const nodeArgs of [[], ['--require', join(repository, 'instrumentation')]]) {
    const { code, stdout, stderr } = await runApp(script, { nodeArgs });
    assert.deepEqual(
      [code, stdout.trim().split('\n')],
      [0, ["{ from: 'worker' }", 'LOCK_ABORTED', 'QUEUE_TIMEOUT', 'locked']],
      stderr,
    );
  }
});
