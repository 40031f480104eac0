import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { CaptureRecord } from '../../instrumentation/profiling/capture';
import { type AdminApp, startAdminApp } from '../helpers/admin-app';
import { scrape } from '../helpers/app';
import { decodePprof } from '../helpers/pprof';

interface Started {
  readonly id: string;
  readonly type: string;
  readonly startedAt: string;
  readonly until: string;
  readonly location: string;
}

let shop: AdminApp;
let metrics: string;
before(async () => {
  shop = await startAdminApp('known.js', {
    args: ['busy', 'leak'],
    env: { OTEL_METRICS_EXPORTER: 'prometheus', OTEL_RESOURCE_ATTRIBUTES: 'service.version=1.2.3' },
  });
  metrics = await shop.app.metricsUrl();
});
after(() => shop?.end());

async function start(query: string): Promise<Started> {
  const response = await shop.post(`/profiling/start?${query}`);
  const body = (await response.json()) as Started;
  assert.equal(response.status, 202, JSON.stringify(body));
  assert.equal(response.headers.get('location'), body.location);
  return body;
}

/** Waits for a capture to be over, and gives its file. */
async function file(app: AdminApp, location: string): Promise<Response> {
  for (;;) {
    const response = await app.get(location);
    if (response.status !== 202) return response;
    await response.text();
    await new Promise(resolve => setTimeout(resolve, 100));
  }
}

test('a capture is started, runs for its duration, and can be fetched as file and facts', async () => {
  const started = await start('type=cpu&duration=1s500ms');
  assert.equal(Date.parse(started.until) - Date.parse(started.startedAt), 1500);
  const response = await file(shop, started.location);
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-disposition')!, new RegExp(`filename="${started.id}.pb.gz"`));
  const data = new Uint8Array(await response.arrayBuffer());
  assert.match(decodePprof(data).top('cpu/nanoseconds')[0]!.name, /priceCatalogue/);
  assert.deepEqual(
    readdirSync(shop.folder)
      .filter(name => name.startsWith(started.id))
      .sort(),
    [`${started.id}.json`, `${started.id}.pb.gz`],
  );
  const record = JSON.parse(readFileSync(join(shop.folder, `${started.id}.json`), 'utf8')) as CaptureRecord;
  assert.deepEqual(
    [
      record.kind,
      record.service,
      record.serviceVersion,
      record.pid,
      record.bytes,
      record.stopped,
      record.trigger,
    ],
    ['cpu', 'shop', '1.2.3', shop.app.pid, data.byteLength, false, { source: 'manual' }],
  );
  const { captures } = await shop.json<{ captures: CaptureRecord[] }>('/profiling/captures');
  assert.deepEqual(captures[0], record);
});

for (const [type, options] of [
  ['heap', '&gc=1'],
  ['goroutine', ''],
  ['block', ''],
  ['mutex', ''],
  ['allocs', '&duration=300ms'],
  ['trace', '&duration=300ms'],
] as const) {
  test(`a capture of type ${type} is kept`, async () => {
    const { id, location } = await start(`type=${type}${options}`);
    const response = await file(shop, location);
    assert.equal(response.status, 200, await response.clone().text());
    const extension = type === 'trace' ? 'trace.json.gz' : 'pb.gz';
    assert.ok(existsSync(join(shop.folder, `${id}.${extension}`)));
    const data = new Uint8Array(await response.arrayBuffer());
    if (type !== 'trace') assert.ok(decodePprof(data).types.length >= 1);
    else assert.deepEqual([data[0], data[1]], [0x1f, 0x8b]);
  });
}

test('status says what runs and since when, what is kept, and how the process is', async () => {
  const { id } = await start('type=cpu&duration=60s');
  const status = await shop.json<{
    service: string;
    pid: number;
    uptimeSeconds: number;
    running: { id: string; type: string; since: string; until: string; trigger: unknown }[];
    captures: { folder: string; count: number; bytes: number; limitBytes: number };
    mainThread: { answers: boolean };
    memory: Record<string, number>;
    heapLimitBytes: number;
    gc: Record<string, { count: number; seconds: number }>;
    eventLoop: { utilization: number; delaySeconds: Record<string, number> };
  }>('/profiling/status');
  assert.deepEqual([status.service, status.pid], ['shop', shop.app.pid]);
  const [running] = status.running;
  assert.deepEqual([running!.id, running!.type, running!.trigger], [id, 'cpu', { source: 'manual' }]);
  assert.ok(Math.abs(Date.parse(running!.since) - Date.now()) < 20_000);
  const { folder, count, bytes, limitBytes } = status.captures;
  assert.deepEqual([folder, limitBytes], [shop.folder, 268_435_456]);
  assert.ok(count >= 7 && bytes > 1000);
  assert.equal(status.mainThread.answers, true);
  assert.ok(status.memory['rss']! > 1e7 && status.memory['heapUsed']! > 1e6 && status.heapLimitBytes > 1e7);
  assert.ok(status.gc['minor']!.count > 0 && status.gc['minor']!.seconds > 0);
  assert.ok(status.eventLoop.utilization > 0.1 && status.eventLoop.delaySeconds['p99']! > 0);
  await shop.post('/profiling/stop');
});

test('stop ends a capture early and keeps what was gathered', async () => {
  const { id, location } = await start('type=cpu&duration=5m');
  const again = await shop.post('/profiling/start?type=cpu');
  assert.equal(again.status, 409);
  assert.equal(((await again.json()) as { error: { code: string } }).error.code, 'CAPTURE_BUSY');
  assert.equal((await shop.get('/debug/pprof/profile?seconds=1')).status, 409);
  await new Promise(resolve => setTimeout(resolve, 1000));
  const stopped = await shop.post('/profiling/stop?type=cpu');
  const { captures } = (await stopped.json()) as { captures: CaptureRecord[] };
  assert.deepEqual(
    [stopped.status, captures.map(record => [record.id, record.stopped])],
    [200, [[id, true]]],
  );
  assert.ok(captures[0]!.durationMs >= 900 && captures[0]!.durationMs < 60_000);
  const kept = await shop.get(location);
  assert.match(
    decodePprof(new Uint8Array(await kept.arrayBuffer())).top('cpu/nanoseconds')[0]!.name,
    /priceCatalogue/,
  );
  assert.equal((await shop.post('/profiling/stop?type=cpu')).status, 404, 'nothing runs any more');
});

test('captures of different kinds run side by side, and stop without a type ends all', async () => {
  const kinds = ['cpu', 'trace', 'goroutine', 'block', 'mutex', 'heap'];
  for (const kind of kinds) await start(`type=${kind}&duration=1m`);
  const { captures, errors } = (await (await shop.post('/profiling/stop')).json()) as {
    captures: CaptureRecord[];
    errors: unknown[];
  };
  assert.deepEqual([captures.map(({ kind }) => kind).sort(), errors], [[...kinds].sort(), []]);
});

test('a caller that goes away ends its capture, and its place is free', async () => {
  const controller = new AbortController();
  const asked = shop.get('/debug/pprof/profile?seconds=300', { signal: controller.signal });
  const running = async () => (await shop.json<{ running: unknown[] }>('/profiling/status')).running.length;
  while ((await running()) === 0) await new Promise(resolve => setTimeout(resolve, 50));
  controller.abort();
  await assert.rejects(asked, { name: 'AbortError' });
  while ((await running()) > 0) await new Promise(resolve => setTimeout(resolve, 50));
  assert.equal((await shop.get('/debug/pprof/profile?seconds=1')).status, 200);
});

test('captures are counted by type, who asked and how they ended, and what is kept is measured', async () => {
  const text = await scrape(metrics);
  const value = (series: string) =>
    Number(new RegExp(`^${series} (\\S+)`, 'm').exec(text)?.[1] ?? Number.NaN);
  const captures = (type: string, trigger: string, outcome: string) =>
    value(
      `vitals_profile_captures_total\\{profile_type="${type}",vitals_profile_outcome="${outcome}",vitals_profile_trigger="${trigger}"\\}`,
    );
  assert.ok(captures('cpu', 'manual', 'complete') >= 1);
  assert.ok(captures('cpu', 'manual', 'stopped') >= 2);
  assert.equal(captures('cpu', 'manual', 'rejected'), 1);
  assert.equal(captures('cpu', 'pprof', 'rejected'), 1);
  assert.equal(captures('cpu', 'pprof', 'cancelled'), 1);
  assert.ok(value('vitals_profile_duration_seconds_count\\{profile_type="cpu"\\}') >= 4);
  assert.ok(value('vitals_profile_size_bytes_sum\\{profile_type="cpu"\\}') > 1000);
  const kept = readdirSync(shop.folder).filter(name => name.endsWith('.json')).length;
  assert.equal(value('vitals_profile_stored_captures'), kept);
  assert.ok(value('vitals_profile_stored_size_bytes') > 5000);
});

test('the oldest captures go for new ones, and a capture that can not be kept is an answer with 507', async () => {
  const small = await startAdminApp('known.js', {
    args: ['busy'],
    env: { VITALS_CAPTURE_MAX_BYTES: '8192' },
  });
  try {
    writeFileSync(join(small.folder, 'someone-elses.txt'), 'x'.repeat(100_000));
    const { location } = (await (
      await small.post('/profiling/start?type=trace&duration=1s')
    ).json()) as Started;
    const failed = await file(small, location);
    assert.equal(failed.status, 507);
    const { error } = (await failed.json()) as { error: { code: string; message: string } };
    assert.equal(error.code, 'CAPTURE_TOO_LARGE');
    assert.match(error.message, /more than VITALS_CAPTURE_MAX_BYTES \(8192\)/);

    const ids: string[] = [];
    const kept = () => readdirSync(small.folder).filter(name => name.endsWith('.json')).length;
    while (kept() === ids.length && ids.length < 100) {
      const started = (await (await small.post('/profiling/start?type=goroutine')).json()) as Started;
      assert.equal((await file(small, started.location)).status, 200);
      ids.push(started.id);
    }
    assert.ok(kept() < ids.length, `${ids.length} captures, none gone`);
    assert.equal((await small.get(`/profiling/captures/${ids[0]}`)).status, 404);
    assert.equal((await small.get(`/profiling/captures/${ids.at(-1)}`)).status, 200);
    const { captures } = await small.json<{ captures: { bytes: number } }>('/profiling/status');
    assert.ok(captures.bytes <= 8192, String(captures.bytes));
    assert.ok(existsSync(join(small.folder, 'someone-elses.txt')));
  } finally {
    await small.end();
  }
});

test('a folder that can not be written to is an answer, and the application and other captures go on', async () => {
  const app = await startAdminApp('known.js', {
    args: ['busy'],
    env: { VITALS_CAPTURE_DIR: '/dev/null/captures' },
  });
  try {
    const { location } = (await (await app.post('/profiling/start?type=goroutine')).json()) as Started;
    const failed = await file(app, location);
    assert.equal(failed.status, 500);
    assert.match(
      ((await failed.json()) as { error: { message: string } }).error.message,
      /\/dev\/null\/captures/,
    );
    assert.equal((await app.pprof('/debug/pprof/goroutine')).types[0], 'goroutine/count');
    const wrong = /folder of captures \/dev\/null\/captures can't be read \(ENOTDIR\)/;
    const status = await app.json<{ captures: Record<string, unknown>; pid: number }>('/profiling/status');
    const { error: inStatus, ...rest } = status.captures;
    assert.match(String(inStatus), wrong);
    assert.deepEqual([rest['count'], rest['bytes'], status.pid], [0, 0, app.app.process.pid]);
    const listed = await app.json<{ captures: unknown[]; error: string }>('/profiling/captures');
    assert.deepEqual(listed.captures, []);
    assert.match(listed.error, wrong);
    const report = await app.get('/vitals.html');
    assert.equal(report.status, 200);
    assert.match((await report.text()).replaceAll('&#39;', "'"), wrong);
  } finally {
    await app.end();
  }
});
