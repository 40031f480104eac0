import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { VitalsReport } from '../../instrumentation/diagnosis';
import { type AdminApp, startAdminApp } from '../helpers/admin-app';
import { repository, startApp } from '../helpers/app';
import { describedPaths, pathsOf } from '../helpers/report-paths';

const script = join(repository, 'test/fixtures/apps/use-diagnosis/app.js');

let shop: AdminApp;
before(async () => {
  shop = await startAdminApp(script, {
    args: ['stall'],
    env: { VITALS_LEAK_INTERVAL_MS: '1000' },
    timeoutMs: 120_000,
  });
});
after(() => shop.end());

/** The report, as soon as it is as it should be. */
async function reportOnce(done: (report: VitalsReport) => boolean): Promise<VitalsReport> {
  for (;;) {
    const report = await shop.json<VitalsReport>('/vitals');
    if (done(report)) return report;
    await delay(200);
  }
}

test('what blocks the event loop is a finding with the stack, a line of the log that is seen by default, and in the report', async () => {
  await shop.app.printed(
    /the event loop was blocked for \d+ ms by writeReport \(\S*app\.js\)(?:, for \d+ ms of which it was not scheduled)?, at \| writeReport \S*app\.js:\d+/,
    'stderr',
  );
  await shop.app.printed(/finding event_loop_stall: writeReport \(\S*app\.js\) has blocked/, 'stderr');
  const { stalls, findings } = await reportOnce(report => report.findings.open.length > 0);
  const [finding] = findings.open.filter(({ subject }) => subject.startsWith('writeReport'));
  assert.match(String(finding!.evidence['stack']), /writeReport .*app\.js:\d+/);
  assert.ok(Number(finding!.evidence['longest_ms']) >= 100);
  assert.equal(finding!.runbook, 'docs/runbooks/event-loop-stall.md');
  const place = stalls!.places.find(({ place: name }) => name.startsWith('writeReport'))!;
  assert.ok(place.count >= 3 && place.totalMs >= 300, JSON.stringify(place));
  assert.deepEqual([stalls!.thresholdMs, stalls!.stacks], [100, true]);
});

test('the report has every part, with the fields that its page describes', async () => {
  // A snapshot is taken every second here, and the stall is found.
  const report = await reportOnce(
    ({ memory, findings }) => memory!.history.length > 1 && findings.open.length > 0,
  );
  assert.equal(report.schemaVersion, 1);
  assert.equal(report.service.name, 'shop');
  assert.equal(report.process.pid, shop.app.pid);
  assert.match(report.process.agentVersion, /^\d+\.\d+\.\d+/);
  assert.ok(Math.abs(report.at - Date.now()) < 60_000);
  assert.ok(report.figures.memory['rss']! > 1e6);
  assert.deepEqual(Object.keys(report.memory!.kinds), ['heap', 'buffers', 'native', 'resources']);
  assert.equal(report.memory!.kinds.heap.judgement, 'too_few_readings');
  assert.equal(report.memory!.warmingUp, true);
  assert.equal(report.gc!.mode, 'advise');
  assert.deepEqual(report.gc!.recommendations, []);
  assert.ok(report.gc!.stats.kinds.minor.count >= 0 && report.gc!.stats.heapLimitBytes > 1e8);

  const described = describedPaths();
  const paths = [...pathsOf(report)].map(path =>
    path
      .replace(/^memory\.history\[\]/, 'memory.snapshot')
      .replace(/^memory\.snapshot\.resources\.\w+$/, 'memory.snapshot.resources.*')
      .replace(/^findings\.resolved\[\]\.(?!resolved$)/, 'findings.open[].'),
  );
  assert.ok(paths.length > 100 && paths.includes('memory.snapshot.rssBytes'), `${paths.length} fields`);
  assert.deepEqual(
    paths.filter(path => !described.has(path)),
    [],
    'these are not described',
  );
});

test('the report is as protected as the rest of the admin server, and read only', async () => {
  assert.equal((await shop.get('/vitals', { method: 'POST' })).status, 404);
  const head = await shop.get('/vitals', { method: 'HEAD' });
  assert.deepEqual([head.status, await head.text()], [200, '']);
  assert.match(head.headers.get('content-type')!, /^application\/json/);
  const foreign = await shop.get('/vitals', { headers: { origin: 'http://elsewhere.example' } });
  assert.equal(foreign.status, 403);
});

test('parts that are switched off are null, and the report is there without findings', async () => {
  for (const env of [
    { VITALS_LEAK_DETECTOR: 'off', VITALS_GC_TUNER: 'off' },
    { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'findings' },
  ]) {
    const app = await startAdminApp(script, { env });
    const { memory, gc, findings } = await app.json<VitalsReport>('/vitals');
    assert.deepEqual([memory, gc, findings], [null, null, { open: [], resolved: [] }]);
    await app.end();
  }
});

test('in act mode the old generation is let grow where it helps, the effect is checked, and all is put back', async () => {
  const app = startApp(script, {
    args: ['garbage'],
    ipc: true,
    timeoutMs: 60_000,
    nodeArgs: ['--max-semi-space-size=1'],
    env: {
      OTEL_LOG_LEVEL: 'info',
      OTEL_METRICS_EXPORTER: 'none',
      VITALS_GC_TUNER: 'act',
      VITALS_GC_INTERVAL_MS: '3000',
      VITALS_GC_TARGETS: 'pause=5000,percent=1',
    },
  });
  const [, percent] = await app.printed(/gc tuner: heap-growing-percent (\d+) raised, because/, 'stderr');
  assert.ok(Number(percent) >= 50 && Number(percent) <= 400, percent);
  // Whether it helps on a machine that does other things as well is not to be known; that it is looked at is.
  await app.printed(/gc tuner: heap-growing-percent \d+ (kept|reverted), because/, 'stderr');
  app.process.send('end');
  const [answer] = (await once(app.process, 'message')) as [Record<string, number>];
  const last = app
    .stderr()
    .trim()
    .split('\n')
    .findLast(line => line.includes('gc tuner'));
  assert.match(last!, /heap-growing-percent 0 (restored, because the agent ends|reverted)/);
  assert.ok(answer['durationMs']! > 0);
  assert.equal(answer['freedBytes'], answer['beforeBytes']! - answer['afterBytes']!);
  app.kill();
  await app.exit;
});
