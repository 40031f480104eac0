import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodePprof } from '../../../instrumentation/profiling/pprof/encode';
import { functionName } from '../../../instrumentation/profiling/pprof/names';
import { difference, mergeSamples } from '../../../instrumentation/profiling/pprof/profile';
import { profileText, resourcesText } from '../../../instrumentation/profiling/pprof/text';
import { frame, profileOf } from '../../helpers/frames';
import { decodePprof } from '../../helpers/pprof';

const options = { cwd: '/srv/shop', program: 'server.js' };

test('a profile comes back from its protobuf as it was written', async () => {
  const profile = profileOf(
    [
      [['lockCart /srv/shop/cart.js:14/10', 'handler /srv/shop/routes.js:3/1'], 2, 1_500_000],
      [['lockCart /srv/shop/cart.js:15/10', 'handler /srv/shop/routes.js:3/1'], 1, 9_007_199_254_740_991],
    ],
    { comments: ['sampled since noon'] },
  );
  const read = decodePprof(await encodePprof(profile, options));
  assert.deepEqual(read.types, ['contentions/count', 'delay/nanoseconds']);
  assert.equal(read.defaultType, 'delay');
  assert.equal(read.program, 'server.js');
  assert.equal(read.durationMs, 2500);
  assert.deepEqual(read.comments, ['sampled since noon']);
  assert.deepEqual(
    read.samples.map(({ values }) => values),
    [
      [2, 1_500_000],
      [1, 9_007_199_254_740_991],
    ],
  );
  assert.deepEqual(read.samples[0]!.frames, [
    { name: './cart.js:lockCart:10', file: '/srv/shop/cart.js', line: 14, startLine: 10 },
    { name: './routes.js:handler:1', file: '/srv/shop/routes.js', line: 3, startLine: 1 },
  ]);
  assert.equal(read.samples[1]!.frames[0]!.line, 15);
});

test('labels of a sample are kept', async () => {
  const [sample] = profileOf([[['f /a.js:1'], 1, 1]]).samples;
  const profile = profileOf([], { samples: [{ ...sample!, labels: { lock: 'stock', type: 'Timeout' } }] });
  const read = decodePprof(await encodePprof(profile, options));
  assert.deepEqual(read.samples[0]!.labels, { lock: 'stock', type: 'Timeout' });
});

test('what a difference has lost is negative in the protobuf', async () => {
  const read = decodePprof(await encodePprof(profileOf([[['f /a.js:1'], -3, -4_000_000]]), options));
  assert.deepEqual(read.samples[0]!.values, [-3, -4_000_000]);
});

test('functions of one name that begin at different columns of a line stay two', async () => {
  const at = (column: number) => ({ ...frame('f /b.js:1/1'), functionColumn: column });
  const samples = [at(1), at(90)].map(one => ({ frames: [one], values: [1, 1] }));
  const read = decodePprof(await encodePprof(profileOf([], { samples }), options));
  assert.equal(read.samples.length, 2);
  assert.notEqual(read.samples[0]!.frames[0], read.samples[1]!.frames[0]);
});

test('a function is named by its path from the working directory, its name and where it begins', () => {
  const name = (text: string, cwd = '/srv/shop') => functionName(frame(text), cwd);
  assert.equal(name('add /srv/shop/cart.js:14/10'), './cart.js:add:10');
  assert.equal(name(' /srv/shop/cart.js:14/10'), './cart.js:(anonymous:L#10):10');
  assert.equal(name('add /srv/shop/cart.js:14'), './cart.js:add');
  assert.equal(name('add /srv/shopping/cart.js:14/10'), '/srv/shopping/cart.js:add:10');
  assert.equal(name('add /cart.js:14/10', '/'), '/cart.js:add:10');
  assert.equal(name('listOnTimeout node:internal/timers:5/2'), 'node:internal/timers:listOnTimeout:2');
  assert.equal(name('(program) :0'), '(program)');
});

test('samples of one stack are added up, and those that differ in a line or a label are not', () => {
  const { samples } = profileOf([
    [['f /a.js:1'], 1, 10],
    [['f /a.js:2'], 1, 10],
    [['f /a.js:1'], 2, 20],
  ]);
  const labelled = { ...samples[0]!, labels: { lock: 'x' } };
  const merged = mergeSamples([...samples, labelled, labelled]);
  assert.deepEqual(
    merged.map(({ values }) => values),
    [
      [3, 30],
      [1, 10],
      [2, 20],
    ],
  );
  assert.deepEqual(samples[0]!.values, [1, 10], 'what was added up is left as it was');
});

test('a difference has what changed between two readings, and how long that took', () => {
  const from = profileOf([
    [['same /a.js:1'], 5, 50],
    [['grown /a.js:2'], 1, 10],
    [['gone /a.js:3'], 2, 20],
  ]);
  const to = profileOf(
    [
      [['same /a.js:1'], 5, 50],
      [['grown /a.js:2'], 4, 70],
      [['new /a.js:4'], 1, 1],
    ],
    { startedAt: from.startedAt + 3000 },
  );
  const changed = difference(from, to);
  assert.equal(changed.durationMs, 3000);
  assert.equal(changed.startedAt, from.startedAt);
  assert.deepEqual(
    changed.samples.map(({ frames, values }) => [frames[0]!.name, ...values]),
    [
      ['grown', 3, 60],
      ['new', 1, 1],
      ['gone', -2, -20],
    ],
  );
});

test('a heap profile as text has the largest first, sums in its heading and the process memory behind', () => {
  const heap = profileOf(
    [
      [['small /a.js:9/7'], 3, 300],
      [['big /b.js:0/20', 'caller /c.js:0/1'], 2, 4096],
    ],
    {
      types: [
        { type: 'inuse_objects', unit: 'count' },
        { type: 'inuse_space', unit: 'bytes' },
      ],
      defaultType: 'inuse_space',
      period: { type: 'space', unit: 'bytes', value: 524_288 },
    },
  );
  assert.equal(
    profileText('heap', heap, { rss: 12 }),
    [
      'heap profile: 5: 4396 [5: 4396] @ heap/524288',
      '2: 4096 [2: 4096] @',
      '#\tbig\t/b.js:20',
      '#\tcaller\t/c.js:1',
      '',
      '3: 300 [3: 300] @',
      '#\tsmall\t/a.js:9',
      '',
      '# process.memoryUsage',
      '# rss = 12',
      '',
    ].join('\n'),
  );
});

test('a block profile as text has delay and count of each stack, as Go writes them', () => {
  assert.match(
    profileText('block', profileOf([[['stall /a.js:4'], 2, 800_000_000]])),
    /^--- contention:\ncycles\/second=1000000000\n800000000 2 @\n#\tstall\t\/a\.js:4\n$/,
  );
});

test('goroutine as text counts, and with debug=2 lists each resource', () => {
  const profile = profileOf([], {
    types: [{ type: 'goroutine', unit: 'count' }],
    defaultType: 'goroutine',
    samples: [
      { frames: [frame('poll /a.js:7'), frame('Timeout :0')], values: [2], labels: { type: 'Timeout' } },
    ],
  });
  assert.match(profileText('goroutine', profile), /^goroutine profile: total 2\n2 @\n/);
  assert.equal(
    resourcesText(profile),
    [1, 2].map(n => `resource ${n} [Timeout]:\npoll()\n\t/a.js:7\nTimeout()\n\t-\n\n`).join(''),
  );
});
