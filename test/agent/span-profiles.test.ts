import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import type { App } from '../helpers/app';
import { type IngestServer, startIngestServer } from '../helpers/ingest-server';
import { otlpEnv, startOtlpApp, urlOf } from '../helpers/otlp-app';
import { type OtlpServer, type ReceivedSpan, startOtlpServer } from '../helpers/otlp-server';

let otlp: OtlpServer;
let pyroscope: IngestServer;
const apps: App[] = [];

before(async () => {
  [otlp, pyroscope] = await Promise.all([startOtlpServer(), startIngestServer(60_000)]);
});
afterEach(async () => {
  for (const app of apps.splice(0)) {
    app.kill('SIGKILL');
    await app.exit;
  }
  pyroscope.profiles.length = 0;
  await otlp.reset();
});
after(() => Promise.all([otlp.close(), pyroscope.close()]));

/** Starts the shop, asks it for both pages at once, and gives the root spans and all of the CPU time by its labels. */
async function serve(env: Record<string, string>, headers: Record<string, string> = {}) {
  const app = startOtlpApp('profiled.js', {
    ...otlpEnv(otlp),
    PYROSCOPE_SERVER_ADDRESS: pyroscope.address,
    PYROSCOPE_WALL_SAMPLING_INTERVAL_MICROS: '1000',
    ...env,
  });
  apps.push(app);
  const url = await urlOf(app);
  const pages = await Promise.all(['/cart', '/search'].map(page => fetch(url + page, { headers })));
  assert.deepEqual(await Promise.all(pages.map(page => page.text())), ['done', 'done']);
  app.kill('SIGTERM');
  assert.equal((await app.exit).signal, 'SIGTERM');
  const wall = await pyroscope.profile(({ kind }) => kind === 'wall');
  const burnt = (name: string): { ns: number; labels: Record<string, string> }[] =>
    wall.samples
      .filter(({ frames }) => frames.some(frame => frame.name.includes(`:${name}:`)))
      .map(({ values, labels }) => ({ ns: values[wall.types.indexOf('cpu/nanoseconds')]!, labels }));
  return { burnt, samples: wall.samples };
}

const rootOf = (path: string): Promise<ReceivedSpan> =>
  otlp.until(({ traces }) =>
    traces.find(span => span.kind === 'server' && span.attributes['url.path'] === path),
  );

/** The share of the CPU time that has these labels, and no others. */
function share(burnt: { ns: number; labels: Record<string, string> }[], labels: Record<string, string>) {
  const total = burnt.reduce((sum, { ns }) => sum + ns, 0);
  assert.ok(total > 100e6, `sampled for ${total} ns`);
  const wanted = JSON.stringify(Object.entries(labels).sort());
  const fits = burnt.filter(sample => JSON.stringify(Object.entries(sample.labels).sort()) === wanted);
  return fits.reduce((sum, { ns }) => sum + ns, 0) / total;
}

/** A sample may be taken in the very instant of a switch. */
const nearly = 0.98;

test('of two requests at once each has the samples of its own function, waits and spans below it included', async () => {
  const { burnt, samples } = await serve({});
  const [cart, search] = await Promise.all([rootOf('/cart'), rootOf('/search')]);
  assert.notEqual(cart.spanId, search.spanId);
  const labels = ({ spanId, traceId }: ReceivedSpan) => ({ span_id: spanId, trace_id: traceId });
  assert.ok(share(burnt('burnCart'), labels(cart)) >= nearly, JSON.stringify(burnt('burnCart')));
  assert.ok(share(burnt('burnSearch'), labels(search)) >= nearly, JSON.stringify(burnt('burnSearch')));
  assert.ok(share(burnt('burnHousekeeping'), {}) >= nearly, JSON.stringify(burnt('burnHousekeeping')));
  const of = (span: ReceivedSpan) => samples.filter(sample => sample.labels['span_id'] === span.spanId);
  for (const [span, other] of [
    [cart, 'burnSearch'],
    [search, 'burnCart'],
  ] as const) {
    const foreign = of(span).filter(({ frames }) => frames.some(({ name }) => name.includes(`:${other}:`)));
    assert.ok(foreign.length <= of(span).length * (1 - nearly), `${foreign.length} of ${of(span).length}`);
  }
});

test('the first span of a trace in the process says where its profile is, and no other does', async () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  await serve({}, { traceparent: `00-${traceId}-b7ad6b7169203331-01` });
  for (const root of await Promise.all([rootOf('/cart'), rootOf('/search')])) {
    // It continues a trace from elsewhere, and is the first of it here.
    assert.equal(root.traceId, traceId);
    assert.equal(root.attributes['pyroscope.profile.id'], root.spanId);
  }
  const steps = await otlp.until(({ traces }) => {
    const found = traces.filter(({ name }) => name === 'step');
    return found.length === 12 ? found : undefined;
  });
  for (const { attributes } of steps) assert.equal(attributes['pyroscope.profile.id'], undefined);
});

test('VITALS_SPAN_PROFILES=span leaves the trace id out of the samples', async () => {
  const { burnt } = await serve({ VITALS_SPAN_PROFILES: 'span' });
  const cart = await rootOf('/cart');
  assert.ok(share(burnt('burnCart'), { span_id: cart.spanId }) >= nearly);
});

for (const [what, env, headers] of [
  ['with VITALS_SPAN_PROFILES=off', { VITALS_SPAN_PROFILES: 'off' }, {}],
  [
    'of a trace that is not sampled',
    {},
    { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00' },
  ],
  ['without traces', { OTEL_TRACES_EXPORTER: 'none' }, {}],
] as const) {
  test(`${what} samples carry no labels`, async () => {
    const { burnt, samples } = await serve(env, headers);
    assert.equal(share(burnt('burnCart'), {}), 1);
    assert.deepEqual(
      samples.filter(({ labels }) => Object.keys(labels).length > 0),
      [],
    );
    if (what.includes('off')) {
      assert.equal((await rootOf('/cart')).attributes['pyroscope.profile.id'], undefined);
    }
  });
}
