import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withHook } from '../../../instrumentation/libraries/esm-source';
import { locate } from '../../../instrumentation/libraries/place';

const targets = [{ package: 'hono', file: /^dist\/router\.js$/, expression: '{ Router }' }];
const url = 'file:///app/node_modules/hono/dist/router.js';

test('a file is located in its innermost package, scoped or not, however it was installed', () => {
  const table = [
    ['/app/node_modules/pg/lib/client.js', 'pg', 'lib/client.js'],
    ['/app/node_modules/@redis/client/dist/index.js', '@redis/client', 'dist/index.js'],
    ['/app/node_modules/a/node_modules/pg/lib/client.js', 'pg', 'lib/client.js'],
    ['/app/node_modules/.pnpm/pg@8.0.0/node_modules/pg/lib/client.js', 'pg', 'lib/client.js'],
    ['C:\\app\\node_modules\\pg\\lib\\client.js', 'pg', 'lib/client.js'],
  ] as const;
  for (const [filename, name, path] of table) assert.deepEqual(locate(filename), { name, path });
  for (const filename of ['/app/lib/pg.js', '/app/node_modules/pg', '/app/node_modules/@redis/client']) {
    assert.equal(locate(filename), undefined, filename);
  }
});

test('a hooked module gets one call on a line of its own after its last', () => {
  for (const source of ['class Router {} // end', new TextEncoder().encode('class Router {} // end')]) {
    const { source: text } = withHook(targets, url, { format: 'module', source });
    assert.equal(
      text,
      'class Router {} // end\nglobalThis[Symbol.for(\'otel-vitals.hook\')]?.("/app/node_modules/hono/dist/router.js", { Router });\n',
    );
  }
});

test('everything else is given back as it was', () => {
  for (const [where, loaded] of [
    ['file:///app/node_modules/hono/dist/other.js', { format: 'module', source: 'x' }],
    ['file:///app/node_modules/other/dist/router.js', { format: 'module', source: 'x' }],
    [url, { format: 'commonjs', source: 'x' }],
    [url, { format: 'module', source: null }],
    ['node:fs', { format: 'builtin' }],
    ['data:text/javascript,1', { format: 'module', source: '1' }],
  ] as const) {
    assert.equal(withHook(targets, where, loaded), loaded);
  }
});
