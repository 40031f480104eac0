import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type BuildOptions, build, transform } from 'esbuild';
import type { Frame } from '../../../instrumentation/profiling/pprof/profile';
import { createFrameMapper } from '../../../instrumentation/profiling/worker/source-maps';
import { profileOf } from '../../helpers/frames';

const folder = mkdtempSync(join(tmpdir(), 'otel-vitals-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const source = `interface Item { price: number }

export function priceOf(items: Item[]): number {
  let total = 0;
  for (const item of items) {
    total += Math.sqrt(item.price);
  }
  return total;
}

export const discount = (items: Item[]) => priceOf(items) * 0.9;
`;
const original = join(folder, 'price.ts');
writeFileSync(original, source);

/** Where V8 says a function begins: at the bracket of its parameters; and where a piece of text is. */
function position(code: string, text: string): { line: number; column: number } {
  const index = code.indexOf(text);
  assert.ok(index >= 0, `${text} in ${code}`);
  const before = code.slice(0, index).split('\n');
  return { line: before.length, column: before.at(-1)!.length + 1 };
}

async function compile(name: string, options: BuildOptions): Promise<{ file: string; code: string }> {
  const file = join(folder, name);
  const { outputFiles } = await build({
    entryPoints: [original],
    outfile: file,
    format: 'cjs',
    write: false,
    sourcemap: true,
    ...options,
  });
  for (const { path, text } of outputFiles!) writeFileSync(path, text);
  return { file, code: outputFiles!.find(({ path }) => path === file)!.text };
}

const mapper = createFrameMapper(async () => undefined);
const mapped = async (frame: Frame): Promise<Frame> => {
  const profile = await mapper.apply(profileOf([], { samples: [{ frames: [frame], values: [1, 1] }] }));
  return profile.samples[0]!.frames[0]!;
};

test('a line of compiled code is that of the source, with the line at which its function begins there', async () => {
  const { file, code } = await compile('price.js', {});
  const begin = position(code, '(items) {');
  const at = position(code, 'Math.sqrt');
  const frame = await mapped({
    name: 'priceOf',
    file,
    line: at.line,
    column: 0,
    functionLine: begin.line,
    functionColumn: begin.column,
  });
  assert.deepEqual([frame.name, frame.file, frame.line, frame.functionLine], ['priceOf', original, 6, 3]);
});

test('in a bundle of one line a function has its name and place from before it was shortened', async () => {
  const { file, code } = await compile('price.min.js', { minify: true });
  const short = /function (\w+)\((\w+)\)\{let/.exec(code)!;
  const begin = position(code, `(${short[2]}){let`);
  const frame = await mapped({
    name: short[1]!,
    file,
    line: 1,
    column: 0,
    functionLine: begin.line,
    functionColumn: begin.column,
  });
  assert.deepEqual([frame.name, frame.file, frame.functionLine], ['priceOf', original, 3]);
});

test('a place with its column, as a stack has it, is found exactly', async () => {
  const { file, code } = await compile('price.min.js', { minify: true });
  const at = position(code, 'Math.sqrt');
  const frame = await mapped({ name: 'a', file, ...at, functionLine: 0, functionColumn: 0 });
  assert.deepEqual([frame.line, frame.functionLine], [6, 0]);
});

test('a function without a name stays without one', async () => {
  const { file, code } = await compile('price.js', {});
  const begin = position(code, '(items) => priceOf');
  const frame = await mapped({
    name: '',
    file,
    line: 0,
    column: 0,
    functionLine: begin.line,
    functionColumn: begin.column,
  });
  assert.deepEqual([frame.name, frame.functionLine], ['', 11]);
});

test('a map that a loader holds in memory goes before files', async () => {
  const { code, map } = await transform(source, {
    loader: 'ts',
    sourcemap: 'external',
    sourcefile: original,
  });
  const held = createFrameMapper(async file => (file === original ? (JSON.parse(map) as object) : undefined));
  const at = position(code, 'Math.sqrt');
  const frame = { name: 'priceOf', file: original, ...at, functionLine: 0, functionColumn: 0 };
  const profile = await held.apply(profileOf([], { samples: [{ frames: [frame], values: [1, 1] }] }));
  assert.equal(profile.samples[0]!.frames[0]!.line, 6);
});

test('without a map, with a damaged one, or without the file itself, frames stay as they are', async () => {
  const plain = join(folder, 'plain.js');
  writeFileSync(plain, 'function f() {}\n');
  const damaged = join(folder, 'damaged.js');
  writeFileSync(damaged, 'function f() {}\n//# sourceMappingURL=damaged.js.map\n');
  writeFileSync(`${damaged}.map`, '{"version": 3, "mappings": ');
  for (const file of [plain, damaged, join(folder, 'gone.js'), 'node:internal/timers', '']) {
    const frame = { name: 'f', file, line: 1, column: 1, functionLine: 1, functionColumn: 11 };
    assert.deepEqual(await mapped(frame), frame, file);
  }
});

test('maps of dependencies are not looked for', async () => {
  const asked: string[] = [];
  const spy = createFrameMapper(async file => {
    asked.push(file);
    return undefined;
  });
  const frames = ['/app/node_modules/x/index.js', '/app/a.js', 'node:fs'].map(file => ({
    name: 'f',
    file,
    line: 1,
    column: 1,
    functionLine: 0,
    functionColumn: 0,
  }));
  await spy.apply(profileOf([], { samples: [{ frames, values: [1, 1] }] }));
  assert.deepEqual(asked, ['/app/a.js']);
});
