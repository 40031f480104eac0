import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { build } from 'esbuild';
import type { PyroscopeOptions } from '../../exporters/pyroscope';
import { type Ingested, type IngestServer, startIngestServer } from '../helpers/ingest-server';
import {
  buildFolder,
  bundleExporter,
  pyroscopeApps,
  pyroscopeOptions,
  startProfiledApp,
} from '../helpers/pyroscope-app';

let server: IngestServer;
let bundle: string;
before(async () => {
  [server, bundle] = await Promise.all([startIngestServer(), bundleExporter()]);
});
after(() => server.close());

/** Runs the application until it has sent what `look` waits for. */
async function profiled(
  app: string,
  more: Partial<PyroscopeOptions>,
  look: (profile: (fits: (profile: Ingested) => boolean) => Promise<Ingested>) => Promise<void>,
): Promise<void> {
  server.profiles.length = 0;
  const running = startProfiledApp(bundle, app, pyroscopeOptions(server.address, more));
  try {
    await look(server.profile);
  } finally {
    running.kill('SIGTERM');
    await running.exited;
  }
  assert.deepEqual(running.errors, []);
  assert.deepEqual(running.report().failures, { wall: 0, heap: 0 });
}

const named = (name: string) => (entry: { frame: { name: string } }) => entry.frame.name.includes(name);

test('the function that keeps the process busy is at the top of wall and CPU profiles', () =>
  profiled('busy.js', {}, async profile => {
    const wall = await profile(({ kind, samples }) => kind === 'wall' && samples.length > 0);
    assert.deepEqual(wall.types, ['samples/count', 'wall/nanoseconds', 'cpu/nanoseconds']);
    for (const type of ['wall/nanoseconds', 'cpu/nanoseconds']) {
      const [top] = wall.top(type);
      assert.match(top!.frame.name, /busy\.js:burnCpu:4$/, type);
      assert.ok(top!.value > 100e6, `${type}: ${top!.value}`);
    }
  }));

test('heap profiles name the function that allocated what is kept', () =>
  profiled('busy.js', {}, async profile => {
    const heap = await profile(
      ({ kind, top }) => kind === 'heap' && top('inuse_space/bytes').some(named('retainRecords')),
    );
    assert.deepEqual(heap.types, ['inuse_objects/count', 'inuse_space/bytes']);
    const found = heap.top('inuse_space/bytes').find(named('retainRecords'));
    assert.ok(found!.value > 500_000, String(found!.value));
    assert.match(found!.frame.file, /use-pyroscope\/busy\.js$/);
  }));

test('without CPU time a wall profile carries wall time only', () =>
  profiled('busy.js', { collectCpuTime: false }, async profile => {
    const wall = await profile(({ kind }) => kind === 'wall');
    assert.deepEqual(wall.types, ['samples/count', 'wall/nanoseconds']);
  }));

test('samples cover a window to its end', () =>
  profiled('phases.js', { flushIntervalMs: 1500, wallSamplingDurationMs: 1500 }, async profile => {
    const wall = await profile(({ kind }) => kind === 'wall');
    const below = (name: string): number =>
      wall.samples
        .filter(({ frames }) => frames.some(frame => frame.name.includes(`:${name}:`)))
        .reduce((sum, { values }) => sum + values[1]!, 0);
    // By share, because a busy machine takes fewer samples.
    const late = below('burnLate') / (below('burnEarly') + below('burnLate'));
    assert.ok(late > 0.3, `${late} of the samples are from the second half`);
  }));

test('wall profiles come at the shorter of flush interval and sampling duration', () =>
  profiled('busy.js', { flushIntervalMs: 60_000, wallSamplingDurationMs: 800 }, async profile => {
    await profile(({ kind }) => kind === 'wall');
  }));

test('the upload says rate, time, application and labels, and who sends it', () =>
  profiled(
    'busy.js',
    {
      applicationName: '@acme/shop',
      tags: { 'service.version': '1.2.3', 'bad key': 'a=b,c{d}' },
      authToken: 'secret-token',
      tenantId: 'tenant-7',
      serverAddress: `${server.address}/pyroscope/`,
      wallSamplingIntervalMicros: 4000,
    },
    async profile => {
      const wall = await profile(({ kind }) => kind === 'wall');
      assert.equal(wall.application, '_acme/shop');
      assert.deepEqual(wall.labels, {
        'service.version': '1.2.3',
        bad_key: 'a_b_c_d_',
        service_name: '@acme/shop',
      });
      assert.equal(wall.query['spyName'], 'nodespy');
      assert.equal(wall.query['sampleRate'], '250');
      const [from, until] = [Number(wall.query['from']), Number(wall.query['until'])];
      assert.ok(until > from && Math.abs(from - Date.now() / 1000) < 30, `${from} to ${until}`);
      assert.equal(wall.headers['authorization'], 'Bearer secret-token');
      assert.equal(wall.headers['x-scope-orgid'], 'tenant-7');
      assert.equal(wall.headers['content-type'], 'application/octet-stream');
      assert.equal(wall.headers['connection'], 'close');
      const heap = await profile(({ kind }) => kind === 'heap');
      assert.equal(heap.query['sampleRate'], undefined);
      assert.equal(heap.application, '_acme/shop');
    },
  ));

test('user and password in the address become basic authentication', () =>
  profiled(
    'busy.js',
    { serverAddress: server.address.replace('http://', 'http://user:p%40ss@') },
    async profile => {
      const { headers } = await profile(() => true);
      assert.equal(headers['authorization'], `Basic ${Buffer.from('user:p@ss').toString('base64')}`);
    },
  ));

for (const [how, options] of [
  ['a map beside the code', { sourcemap: true }],
  ['a map that only lies there', { sourcemap: 'external' }],
  ['a map inside the code', { sourcemap: 'inline' }],
  ['minified code', { sourcemap: true, minify: true, keepNames: false }],
] as const) {
  test(`profiles of compiled TypeScript name its files and lines: ${how}`, async () => {
    const outfile = join(buildFolder(), 'app.js');
    const source = join(pyroscopeApps, 'typescript', 'pricing.ts');
    await build({
      entryPoints: [join(pyroscopeApps, 'typescript', 'app.ts')],
      outfile,
      bundle: true,
      platform: 'node',
      ...options,
    });
    const lines = readFileSync(source, 'utf8').split('\n');
    const line = lines.findIndex(text => text.includes('function priceOrders')) + 1;
    await profiled(outfile, {}, async profile => {
      // The very first window, for which no map can have been read in advance.
      const wall = await profile(({ kind }) => kind === 'wall');
      const [top] = wall.top('cpu/nanoseconds');
      assert.equal(top!.frame.file, source);
      assert.equal(top!.frame.line, line);
      if (!('minify' in options)) assert.match(top!.frame.name, /pricing\.ts:priceOrders:\d+$/);
    });
  });
}

test('with source maps off profiles name the code that runs', async () => {
  const outfile = join(buildFolder(), 'app.js');
  const entryPoints = [join(pyroscopeApps, 'typescript', 'app.ts')];
  await build({ entryPoints, outfile, bundle: true, platform: 'node', sourcemap: true });
  await profiled(outfile, { sourceMaps: false }, async profile => {
    const wall = await profile(({ kind }) => kind === 'wall');
    assert.equal(wall.top('cpu/nanoseconds')[0]!.frame.file, outfile);
  });
});
