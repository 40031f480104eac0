import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Live } from '../../instrumentation/admin/live';
import type { History } from '../../instrumentation/history/contract';
import type { CaptureRecord } from '../../instrumentation/profiling/capture';
import type { Flame } from '../../instrumentation/profiling/pprof/flame';
import { type AdminApp, startAdminApp } from '../helpers/admin-app';
import { sendRaw } from '../helpers/raw-http';

let shop: AdminApp;
before(async () => {
  shop = await startAdminApp('known.js', { args: ['busy'] });
});
after(() => shop?.end());

/** Waits until there are that many samples. */
async function samples(count: number): Promise<History> {
  for (;;) {
    const history = await shop.json<unknown>('/vitals/history');
    if ((history as History).last >= count) return history as History;
    await new Promise(resolve => setTimeout(resolve, 200));
  }
}

/** Starts a capture, and waits for it to be over. */
async function capture(query: string): Promise<string> {
  const { id } = (await (await shop.post(`/profiling/start?${query}`)).json()) as { id: string };
  for (;;) {
    const { status } = await shop.get(`/profiling/captures/${id}`, { method: 'HEAD' });
    if (status !== 202) return id;
    await new Promise(resolve => setTimeout(resolve, 100));
  }
}

test('the page and all that it loads come from this server, and its policy allows no other', async () => {
  const page = await shop.get('/');
  const html = await page.text();
  assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8');
  const policy = page.headers.get('content-security-policy')!;
  assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/);
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  assert.doesNotMatch(html, /https?:|<script>|<style|style=| on\w+=/);
  const loaded = [...html.matchAll(/(?:src|href)="([\w.]+\.(?:js|css))"/g)].map(([, path]) => path!);
  assert.deepEqual(loaded.sort(), ['page.css', 'page.js']);
  let bytes = html.length;
  for (const path of loaded) {
    const response = await shop.get(`/${path}`);
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-type')!, /^text\/(javascript|css); charset=utf-8$/);
    bytes += (await response.text()).length;
  }
  assert.ok(bytes < 300_000, `${bytes} bytes`);
});

test('answers are compressed for those who take it', async () => {
  await samples(1);
  const { port } = new URL(shop.url);
  const plain = await sendRaw(
    Number(port),
    `GET /vitals/history HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`,
  );
  assert.match(plain.text, /"intervalMs":2000/);
  const packed = await shop.get('/vitals/history', { headers: { 'accept-encoding': 'gzip' } });
  assert.equal(packed.headers.get('content-encoding'), 'gzip');
  assert.equal(((await packed.json()) as History).intervalMs, 2000);
});

test('the last samples are there before anybody asks, and what comes next can be asked for alone', async () => {
  const history = await samples(2);
  const { last, at, series } = history;
  assert.equal(at.length, last);
  assert.ok(at.every((time, i) => i === 0 || (time > at[i - 1]! && time - at[i - 1]! < 30_000)));
  assert.ok(Date.now() - at[at.length - 1]! < 60_000);
  for (const [name, least, most] of [
    ['heap/old_space', 1e6, 1e9],
    ['memory/resident', 2e7, 2e9],
    ['delay/p50', 0, 10_000],
    ['cpu/user', 1, 1000],
    ['cpu/event loop', 1, 101],
  ] as const) {
    const value = series[name]?.[last - 1];
    assert.ok(typeof value === 'number' && value >= least && value <= most, `${name}: ${value}`);
  }
  await samples(last + 1);
  const next = await shop.json<unknown>(`/vitals/history?after=${last}`);
  const { last: newest, at: later } = next as History;
  assert.equal(later.length, newest - last);
  assert.ok(later[0]! > at[at.length - 1]!);
});

test('what the page asks for is in one answer, and during a block that answer comes all the same', async () => {
  const app = await startAdminApp('blocks.js');
  try {
    const live = async (after = 0) => (await app.json<unknown>(`/vitals/live?after=${after}`)) as Live;
    const first = await live();
    assert.deepEqual(first.mainThread, { answers: true, blockedMs: 0 });
    assert.deepEqual(first.findings, { open: [], resolved: [] });
    assert.deepEqual(await app.json('/vitals/findings'), first.findings);
    assert.equal(first.pid, app.app.process.pid);
    assert.equal((await live(first.history.last + 1000)).history.at.length, 0);

    const [, port] = await app.app.printed(/ready (\d+)/);
    let over = false;
    const blocking = fetch(`http://127.0.0.1:${port}/?ms=4000`).then(() => {
      over = true;
    });
    const blocked: Live[] = [];
    while (!over) {
      const answer = await live();
      if (!answer.mainThread.answers) blocked.push(answer);
      await new Promise(resolve => setTimeout(resolve, 200));
    }
    await blocking;
    const times = blocked.map(({ mainThread }) => mainThread.blockedMs);
    assert.ok(times.length >= 3, `${times}`);
    assert.ok(times[times.length - 1]! > 2000 && times[times.length - 1]! < 8000, `${times}`);
    assert.ok(blocked.every(({ findings, pid }) => findings === undefined && pid === first.pid));
  } finally {
    await app.end();
  }
});

test('a capture can be had as the tree that a flame graph draws, with the busy function in it', async () => {
  const id = await capture('type=cpu&duration=1s');
  const { record, flame } = (await shop.json<unknown>(`/profiling/flame/${id}`)) as {
    record: CaptureRecord;
    flame: Flame;
  };
  assert.deepEqual([record.id, record.kind], [id, 'cpu']);
  const busy = flame.frames.findIndex(({ name }) => name === 'priceCatalogue');
  assert.match(flame.frames[busy]!.file, /known\.js$/);
  const share = (node: Flame['root']): number =>
    node[0] === busy ? node[1][flame.shown]! : node[2].reduce((sum, call) => sum + share(call), 0);
  assert.ok(share(flame.root) > flame.root[1][flame.shown]! * 0.3);
});

test('what has no stacks, and what is not there, is said', async () => {
  const trace = await capture('type=trace&duration=200ms');
  const refused = await shop.get(`/profiling/flame/${trace}`);
  assert.equal(refused.status, 400);
  assert.match(await refused.text(), /a trace capture has no stacks to draw: download it/);
  const unknown = await shop.get('/profiling/flame/cpu-20260101T000000000Z-00000000');
  assert.equal(unknown.status, 404);
  assert.match(await unknown.text(), /"CAPTURE_UNKNOWN"/);
  const bad = await shop.get('/vitals/history?after=yesterday');
  assert.equal(bad.status, 400);
  assert.match(await bad.text(), /after: expected the number of a sample, got "yesterday"/);
});

test('the report is one page without scripts, and escapes what the service is called', async () => {
  const app = await startAdminApp('known.js', {
    args: ['none'],
    env: { OTEL_SERVICE_NAME: '<script>alert("shop")</script>' },
  });
  try {
    const response = await app.get('/vitals.html?download');
    assert.match(
      response.headers.get('content-disposition')!,
      /^attachment; filename="vitals-\d+-[\dTZ-]+\.html"$/,
    );
    assert.match(
      response.headers.get('content-security-policy')!,
      /^default-src 'none'; style-src 'unsafe-inline'/,
    );
    const html = await response.text();
    assert.doesNotMatch(html, /<script/);
    assert.match(html, /&lt;script&gt;alert\(&quot;shop&quot;\)/);
    assert.equal((await app.get('/vitals.html')).headers.get('content-disposition'), null);
  } finally {
    await app.end();
  }
});
