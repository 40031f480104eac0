import assert from 'node:assert/strict';
import { relative } from 'node:path';
import { after, before, test } from 'node:test';
import { folderWith, repository, runApp } from '../helpers/app';
import { type IngestServer, startIngestServer } from '../helpers/ingest-server';
import { type OtlpServer, startOtlpServer } from '../helpers/otlp-server';

let server: OtlpServer;
let pyroscope: IngestServer;
before(async () => {
  [server, pyroscope] = await Promise.all([startOtlpServer(), startIngestServer()]);
});
after(() => Promise.all([server.close(), pyroscope.close()]));

/** Says what the process has loaded: files, and modules of Node.js. */
const probe = folderWith({
  'probe.js': `
    const files = Object.keys(require.cache).filter(file => file !== __filename);
    const builtins = process.moduleLoadList.filter(name => name.startsWith('NativeModule ')).map(name => name.slice(13));
    console.log(JSON.stringify({ files, builtins }));`,
});

interface Loaded {
  /** Of the agent's own. */
  readonly bundles: string[];
  readonly packages: string[];
  readonly builtins: string[];
}

async function loadedWith(env: Record<string, string>): Promise<Loaded> {
  const { stdout, stderr, code } = await runApp(probe.path('probe.js'), {
    env: { OTEL_LOG_LEVEL: 'error', ...env },
  });
  assert.equal(code, 0, stderr);
  const { files, builtins } = JSON.parse(stdout) as { files: string[]; builtins: string[] };
  const paths = files.map(file => relative(repository, file));
  const packages = paths.flatMap(path => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []);
  return {
    bundles: paths
      .filter(path => path.startsWith('dist/'))
      .map(path => path.split('/').pop()!)
      .sort(),
    packages: [...new Set(packages)].sort(),
    builtins,
  };
}

/** Modules of Node.js that cost milliseconds, and that only a transport needs. */
const heavy = ['http2', 'https', 'tls', 'inspector', 'worker_threads'];
const heavyIn = ({ builtins }: Loaded): string[] => heavy.filter(name => builtins.includes(name));

test('where nothing is configured, the start is all that is loaded', async () => {
  const loaded = await loadedWith({});
  assert.deepEqual(loaded.bundles, ['index.js', 'start.js']);
  assert.deepEqual(loaded.packages, []);
  assert.deepEqual(heavyIn(loaded), ['worker_threads']);
});

test('metrics over OTLP load their exporter, and neither tracing nor profilers', async () => {
  const loaded = await loadedWith({
    OTEL_METRICS_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${server.url}/v1/metrics`,
  });
  assert.deepEqual(loaded.bundles, ['index.js', 'otlp.js', 'start.js']);
  assert.deepEqual(loaded.packages, []);
  assert.deepEqual(heavyIn(loaded), ['worker_threads']);
});

test('traces load the tracing bundle, which brings everything with it', async () => {
  const loaded = await loadedWith({ OTEL_EXPORTER_OTLP_ENDPOINT: server.url });
  assert.deepEqual(loaded.bundles, ['index.js', 'start.js', 'tracing.js']);
  assert.deepEqual(loaded.packages, []);
  assert.ok(!loaded.builtins.includes('http2'), 'gRPC is loaded where it is asked for');
});

test('an endpoint does not load what is switched off', async () => {
  const loaded = await loadedWith({
    OTEL_EXPORTER_OTLP_ENDPOINT: server.url,
    OTEL_TRACES_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
  });
  assert.deepEqual(loaded.bundles, ['index.js', 'start.js']);
});

test('continuous profiling loads the profilers of its package', async () => {
  const loaded = await loadedWith({ PYROSCOPE_SERVER_ADDRESS: pyroscope.address });
  assert.deepEqual(loaded.bundles, ['index.js', 'pyroscope.js', 'start.js']);
  assert.ok(loaded.packages.includes('@datadog/pprof'), loaded.packages.join());
  assert.ok(!loaded.packages.includes('@opentelemetry/sdk-node'));
});
