import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { preload, repository, runApp } from '../helpers/app';

const script = join(repository, 'test/soak/run.ts');

test('half a minute of churn and faults in all parts of the toolkit breaks no law and leaves nothing behind', async () => {
  const { code, stdout, stderr } = await runApp(script, {
    nodeArgs: ['--require', preload, '--import', 'tsx'],
    args: ['--seconds', '30'],
    env: { OTEL_EXPORTER_PROMETHEUS_PORT: '0' },
    timeoutMs: 5 * 60_000,
  });
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  assert.match(stdout, /^nothing grew, all laws held$/m);
  for (const part of ['pools', 'worker pools', 'channels', 'locks']) {
    const calls = Number(new RegExp(`^${part}: (\\d+) calls`, 'm').exec(stdout)?.[1]);
    assert.ok(calls > 1000, `${part}: ${calls} calls`);
  }
});
