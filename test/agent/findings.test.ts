import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { repository, startApp } from '../helpers/app';
import { samplesFrom } from '../helpers/samples';

const script = join(repository, 'test/fixtures/apps/use-toolkit/leak.js');
const env = { OTEL_EXPORTER_PROMETHEUS_PORT: '0' };

test('a leak in a pool of the toolkit is one line, with the stack, and a metric, without a line of code', async () => {
  const app = startApp(script, { env });
  const url = await app.metricsUrl();
  await app.printed(/finding pool_leak: images .* at forgets .*docs\/runbooks\/pool-leak\.md\n/, 'stderr');
  const samples = await samplesFrom(url);
  assert.equal(
    samples.value('vitals_findings', { finding_code: 'pool_leak', finding_severity: 'warning' }),
    1,
  );
  assert.equal(samples.value('vitals_self_warnings_total'), 0);
  app.kill('SIGTERM');
  assert.equal((await app.exit).signal, 'SIGTERM');
});

test('an application that starts from code is told, and its own error there does it no harm', async () => {
  const app = startApp(script, { env, nodeArgs: [], args: ['sdk'] });
  await app.printed(/^told pool_leak images, 1 open: true\n/);
  await app.printed(/onFinding failed: a fault of the application/, 'stderr');
  app.kill('SIGTERM');
  assert.equal((await app.exit).signal, 'SIGTERM');
});
