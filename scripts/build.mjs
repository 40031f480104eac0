// Bundles the preload, the toolkit and the demo's shop into dist/ and writes type declarations.
// `--no-types` skips the declarations, which only consumers of the npm package need.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { thirdPartyNotices } from './notices.mjs';
import { unusedExporters } from './unused-exporters.mjs';
import { usedConstants } from './used-constants.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { version, dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

// What the metrics path needs is bundled, because reading many small files is most of a preload's cost. So is the API:
// its copies meet in one global object, and the agent's, built together, are of one version.
const bundled = new Set([
  '@opentelemetry/api',
  '@opentelemetry/core',
  '@opentelemetry/exporter-prometheus',
  '@opentelemetry/resource-detector-container',
  '@opentelemetry/resources',
  '@opentelemetry/sdk-metrics',
  '@opentelemetry/semantic-conventions',
]);
const external = Object.keys(dependencies).filter(name => !bundled.has(name));

const agentEntries = [
  'index',
  'start',
  'worker',
  'sdk',
  'tracing',
  'pyroscope',
  'profiling',
  'profiling-worker',
  'autoprofile',
  'otlp',
  'esm-hooks',
  'esm-loader',
];
const agentSources = {
  index: 'instrumentation/index.ts',
  start: 'instrumentation/start.ts',
  worker: 'instrumentation/worker.ts',
  sdk: 'instrumentation/sdk.ts',
  tracing: 'instrumentation/tracing/index.ts',
  pyroscope: 'exporters/pyroscope.ts',
  profiling: 'instrumentation/profiling/index.ts',
  'profiling-worker': 'instrumentation/profiling/worker/index.ts',
  autoprofile: 'instrumentation/autoprofile/index.ts',
  otlp: 'exporters/otlp.ts',
  'esm-hooks': 'instrumentation/libraries/esm-hooks.ts',
  'esm-loader': 'instrumentation/libraries/esm-loader.ts',
};

const toolkitParts = readdirSync(join(root, 'toolkit'), { withFileTypes: true })
  .filter(entry => entry.isDirectory() && existsSync(join(root, 'toolkit', entry.name, 'index.ts')))
  .map(entry => entry.name);

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20.6',
  // The ES module builds, of which only what is used goes into the bundle.
  mainFields: ['module', 'main'],
  // The same copy where a file of a package is named: the unbundled sources name the CommonJS one.
  alias: { '@opentelemetry/sdk-metrics/build/src': '@opentelemetry/sdk-metrics/build/esm' },
  plugins: [usedConstants, unusedExporters],
  format: 'cjs',
  sourcemap: true,
  sourcesContent: false,
  metafile: true,
  logLevel: 'warning',
  define: { OTEL_VITALS_VERSION: JSON.stringify(version) },
};

rmSync(join(root, 'dist'), { recursive: true, force: true });
const results = await Promise.all([
  // The preload's parts load each other lazily as files, so each is a bundle of its own.
  ...agentEntries
    .filter(name => existsSync(join(root, agentSources[name])))
    .map(name =>
      build({
        ...common,
        entryPoints: { [name]: agentSources[name] },
        outdir: 'dist/instrumentation',
        external: [...external, ...agentEntries.map(other => `./${other}.js`)],
        // The entry is read even where the agent is switched off, and must stay small.
        inject: name === 'index' || name === 'esm-loader' ? [] : ['instrumentation/captured-globals.ts'],
        ...(name === 'esm-loader' ? { format: 'esm', outExtension: { '.js': '.mjs' } } : {}),
        minifySyntax: true,
        minifyWhitespace: true,
        sourcemap: false,
        legalComments: 'none',
      }),
    ),
  build({
    ...common,
    entryPoints: Object.fromEntries(toolkitParts.map(name => [`${name}/index`, `toolkit/${name}/index.ts`])),
    outdir: 'dist/toolkit',
    packages: 'external',
  }),
  // The admin server's page, for browsers of the last years.
  build({
    absWorkingDir: root,
    bundle: true,
    platform: 'browser',
    target: ['chrome120', 'firefox120', 'safari17'],
    format: 'iife',
    entryPoints: { main: 'instrumentation/admin/page/main.ts' },
    outdir: 'dist/instrumentation/page',
    minify: true,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  }),
  // The shop of demo and image, its threads' part and its payment gateway. It stays out of the npm package: see `files` in package.json.
  build({
    ...common,
    entryPoints: {
      main: 'mall/main.ts',
      similarity: 'mall/recommendations/similarity.ts',
      'payment/main': 'mall/payment/main.ts',
    },
    outdir: 'dist/mall',
    packages: 'external',
  }),
]);

// Threads load it as it is.
copyFileSync(join(root, 'toolkit/worker-pool/runner.cjs'), join(root, 'dist/toolkit/worker-pool/runner.cjs'));
copyFileSync(
  join(root, 'instrumentation/admin/page/index.html'),
  join(root, 'dist/instrumentation/page/index.html'),
);
writeFileSync(
  join(root, 'dist', 'THIRD-PARTY-NOTICES.txt'),
  thirdPartyNotices(
    root,
    results.map(({ metafile }) => metafile),
    // Its constants come in by a plugin, under no path of the package's.
    ['@opentelemetry/semantic-conventions'],
  ),
);

if (!process.argv.includes('--no-types')) {
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  execFileSync(process.execPath, [tsc, '-p', 'scripts/tsconfig.types.json'], { cwd: root, stdio: 'inherit' });
}
