import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ruleNames } from '../../instrumentation/names';
import { type App, folderWith, repository, startApp } from '../helpers/app';
import { samplesFrom } from '../helpers/samples';

/** `STEADY_MINUTES=5 npm run test:long` for longer. */
const minutes = Number(process.env['STEADY_MINUTES'] ?? 1.5);
const outcomes = ['captured', 'failed', 'cooldown', 'budget', 'busy', 'memory'];
const outcome = 'vitals_autoprofile_outcome';

let app: App | undefined;
after(async () => {
  app?.kill('SIGKILL');
  await app?.exit;
});

test(`a steady application under load fires no rule for ${minutes} minutes`, async () => {
  const { dir } = folderWith({});
  app = startApp(join(repository, 'test/fixtures/apps/use-autoprofile/faulty.js'), {
    args: ['steady'],
    timeoutMs: (minutes + 2) * 60_000,
    // All else as by default: readings every five seconds, and their thresholds.
    env: { VITALS_AUTOPROFILE: 'true', VITALS_AUTOPROFILE_WARMUP_MS: '10000', VITALS_CAPTURE_DIR: dir },
  });
  const metrics = await app.metricsUrl();
  await app.printed(/ready (\S+)/);
  await sleep(minutes * 60_000);
  const samples = await samplesFrom(metrics);
  const requests = samples.value('http_server_request_duration_seconds_count', {});
  assert.ok(requests! > minutes * 60 * 20, `${requests} requests`);
  for (const rule of ruleNames) {
    for (const what of outcomes) {
      const labels = { vitals_autoprofile_rule: rule, [outcome]: what };
      assert.equal(samples.value('vitals_autoprofile_triggers_total', labels) ?? 0, 0, `${rule} ${what}`);
    }
  }
  assert.deepEqual(readdirSync(dir), []);
  assert.deepEqual([app.process.exitCode, app.process.signalCode], [null, null], app.stderr());
});
