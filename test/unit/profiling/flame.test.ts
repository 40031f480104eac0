import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  functionTotals,
  layOut,
  matchedShare,
  selfOf,
} from '../../../instrumentation/admin/page/flame-layout';
import { encodePprof } from '../../../instrumentation/profiling/pprof/encode';
import { type FlameNode, readFlame } from '../../../instrumentation/profiling/pprof/flame';
import { type Frame, pseudoFrame, type StackProfile } from '../../../instrumentation/profiling/pprof/profile';

const at = (name: string, line = 10): Frame => ({
  name,
  file: '/srv/shop.js',
  line: line + 2,
  column: 1,
  functionLine: line,
  functionColumn: 1,
});

function profile(
  samples: readonly (readonly [frames: readonly Frame[], count: number, ns: number])[],
): StackProfile {
  return {
    types: [
      { type: 'samples', unit: 'count' },
      { type: 'cpu', unit: 'nanoseconds' },
    ],
    defaultType: 'cpu',
    period: { type: 'cpu', unit: 'nanoseconds', value: 1e6 },
    startedAt: 0,
    durationMs: 2000,
    samples: samples.map(([frames, count, ns]) => ({ frames, values: [count, ns] })),
    comments: ['taken by a test'],
  };
}

const flameOf = async (...samples: Parameters<typeof profile>[0]) =>
  readFlame(await encodePprof(profile(samples), { cwd: '/srv', program: 'shop' }));

test('stacks become a tree from the outermost call, with totals of every type', async () => {
  const flame = await flameOf(
    [[at('price', 20), at('checkout')], 3, 300],
    [[at('checkout')], 1, 100],
    [[pseudoFrame('(garbage collector)')], 2, 50],
  );
  assert.deepEqual(flame.types[flame.shown], { type: 'cpu', unit: 'nanoseconds' });
  assert.deepEqual([flame.durationMs, flame.comments, flame.left], [2000, ['taken by a test'], 0]);
  const named = ([frame, totals, calls]: FlameNode): unknown => [
    flame.frames[frame]?.name ?? 'all',
    totals,
    calls.map(named),
  ];
  assert.deepEqual(named(flame.root), [
    'all',
    [6, 450],
    [
      ['checkout', [4, 400], [['price', [3, 300], []]]],
      ['(garbage collector)', [2, 50], []],
    ],
  ]);
  assert.deepEqual(
    flame.frames.find(({ name }) => name === 'price'),
    { name: 'price', file: '/srv/shop.js', line: 20 },
  );
});

test('differences keep their sign', async () => {
  const flame = await flameOf([[at('grew')], 5, 500], [[at('shrank', 30)], -2, -200]);
  assert.deepEqual(flame.root[1], [3, 300]);
  assert.deepEqual(flame.root[2].map(([, totals]) => totals[1]).sort(), [-200, 500]);
});

test('of more calls than a page can draw the smallest are left out, and counted', async () => {
  const many = Array.from({ length: 40_000 }, (_, i) => [[at(`f${i}`, i + 1)], 1, i + 1] as const);
  const flame = await flameOf(...many);
  assert.equal(flame.root[2].length + flame.left, 40_000);
  assert.ok(flame.root[2].length <= 30_000 && flame.root[2].length > 29_000, String(flame.root[2].length));
  assert.ok(flame.root[2].every(([, totals]) => totals[1]! > 10_000));
  assert.equal(flame.root[1][1], (40_000 * 40_001) / 2, 'the whole stays the whole');
});

test('boxes lie within their callers, the widest first', async () => {
  const flame = await flameOf(
    [[at('a', 1), at('main', 100)], 1, 100],
    [[at('b', 2), at('main', 100)], 1, 300],
    [[at('other', 3)], 1, 100],
  );
  const root = layOut(flame, 1);
  assert.deepEqual(
    root.children.map(box => [flame.frames[box.node[0]]!.name, box.x, box.width]),
    [
      ['main', 0, 0.8],
      ['other', 0.8, 0.2],
    ],
  );
  const main = root.children[0]!;
  assert.deepEqual(
    main.children.map(box => flame.frames[box.node[0]]!.name),
    ['b', 'a'],
  );
  const last = main.children[1]!;
  assert.ok(Math.abs(last.x + last.width - 0.8) < 1e-12);
  assert.equal(selfOf(main.node, 1), 0);
});

test('a function that calls itself counts once in its total, and with all its calls in its own', async () => {
  const flame = await flameOf(
    [[at('fib'), at('fib'), at('main', 50)], 1, 100],
    [[at('fib'), at('main', 50)], 1, 40],
    [[at('main', 50)], 1, 10],
  );
  const totals = Object.fromEntries(
    functionTotals(flame, 1).map(({ frame, self, total }) => [flame.frames[frame]!.name, [self, total]]),
  );
  assert.deepEqual(totals, { fib: [140, 140], main: [10, 150] });
  const isFib = (frame: number) => flame.frames[frame]!.name === 'fib';
  assert.equal(matchedShare(flame, 1, isFib), 140 / 150);
  assert.equal(
    matchedShare(flame, 1, () => false),
    0,
  );
});
