import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

const folders = ['instrumentation', 'exporters', 'toolkit', 'mall', 'grafana/src'] as const;

interface Import {
  readonly from: string;
  /** A path of the repository, or the name of a package. */
  readonly to: string;
}

const files = folders.flatMap(folder =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(file => /\.m?ts$/.test(file))
    .map(file => join(folder, file)),
);
const imports: Import[] = files.flatMap(from => {
  const text = readFileSync(from, 'utf8');
  const found = text.matchAll(/(?:\bfrom\s+|\bimport\s*\(\s*|\brequire\s*\(\s*|^import\s+)'([^']+)'/gm);
  return [...found].map(([, to]) => ({
    from,
    to: to!.startsWith('.') ? normalize(join(dirname(from), to!)) : to!,
  }));
});

const within = (path: string, ...prefixes: string[]): boolean =>
  prefixes.some(prefix => path === prefix || path.startsWith(`${prefix}/`));
const broken = (forbidden: (i: Import) => boolean): string[] =>
  imports.filter(forbidden).map(({ from, to }) => `${from} -> ${to}`);

test('the imports of the sources were found', () => {
  assert.ok(imports.length > 100, String(imports.length));
});

test('the toolkit imports no OpenTelemetry and nothing of the agent', () => {
  assert.deepEqual(
    broken(
      i =>
        within(i.from, 'toolkit') &&
        (within(i.to, 'instrumentation', 'exporters', 'mall') || /opentelemetry/.test(i.to)),
    ),
    [],
  );
});

test('the mall imports no OpenTelemetry, and of this repository only itself and the published toolkit', () => {
  assert.deepEqual(
    broken(
      i =>
        within(i.from, 'mall') &&
        (within(i.to, 'instrumentation', 'exporters', 'toolkit', 'grafana') ||
          /opentelemetry/.test(i.to) ||
          (/^otel-vitals/.test(i.to) && !/^otel-vitals\/toolkit\//.test(i.to))),
    ),
    [],
  );
});

test('exporters know no meter and no library hook', () => {
  assert.deepEqual(
    broken(
      i =>
        within(i.from, 'exporters') &&
        within(
          i.to,
          'instrumentation/meters',
          'instrumentation/libraries',
          'instrumentation/start',
          'instrumentation/tracing',
        ),
    ),
    [],
  );
});

test('the catalogue and the configuration know nothing of what uses them', () => {
  assert.deepEqual(
    broken(
      i =>
        within(i.from, 'instrumentation/catalogue', 'instrumentation/config') &&
        within(
          i.to,
          'instrumentation/meters',
          'instrumentation/libraries',
          'instrumentation/metrics',
          'exporters',
        ),
    ),
    [],
  );
});

test('Grafana knows the catalogue and how names are translated, and nothing else of the agent', () => {
  assert.deepEqual(
    broken(
      i =>
        within(i.from, 'grafana/src') &&
        within(i.to, 'instrumentation', 'exporters', 'toolkit', 'mall') &&
        !within(i.to, 'instrumentation/catalogue', 'exporters/prometheus/names'),
    ),
    [],
  );
});

test('the environment is read in one file', () => {
  const readers = files.filter(
    file => within(file, 'instrumentation', 'exporters') && /process\.env\b/.test(readFileSync(file, 'utf8')),
  );
  assert.deepEqual(readers, ['instrumentation/environment.ts']);
});

test('no import leads back to where it came from', () => {
  const edges = new Map<string, string[]>();
  for (const { from, to } of imports) {
    const target = [to, `${to}.ts`, `${to}/index.ts`, to.replace(/\.js$/, '.ts')].find(path =>
      files.includes(path),
    );
    // An import of types alone is gone at run time.
    if (target === undefined || typeOnly(from, to)) continue;
    edges.set(from, [...(edges.get(from) ?? []), target]);
  }
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    assert.ok(!path.includes(file), `${[...path, file].join(' -> ')}`);
    if (done.has(file)) return;
    for (const next of edges.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of edges.keys()) visit(file, []);
});

function typeOnly(from: string, to: string): boolean {
  const text = readFileSync(from, 'utf8');
  const name = to.split('/').pop()!;
  const statements = [...text.matchAll(/^(?:import|export)\s[^;]*?from\s+'([^']+)'/gm)].filter(([, path]) =>
    path!.endsWith(name),
  );
  return (
    statements.length > 0 && statements.every(([statement]) => /^(?:import|export) type\b/.test(statement))
  );
}
