import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AllocationNode, HeapReading, HostMethods } from '../../../instrumentation/profiling/contract';
import { createHeapSampler } from '../../../instrumentation/profiling/main/heap-sampler';
import { NoAnswerError, type Peer } from '../../../instrumentation/profiling/rpc';
import { allocsCapturer } from '../../../instrumentation/profiling/worker/allocs';
import { heapCapturer } from '../../../instrumentation/profiling/worker/heap';
import type { MainSession } from '../../../instrumentation/profiling/worker/main-session';

const node = (
  name: string,
  allocations: AllocationNode['allocations'],
  children: AllocationNode[] = [],
): AllocationNode => ({
  name,
  scriptName: 'file:///srv/cache.mjs',
  lineNumber: 4,
  columnNumber: 9,
  allocations,
  children,
});

const root = (keptBytes: number): AllocationNode => ({
  ...node('(root)', []),
  scriptName: '',
  children: [
    node(
      'handle',
      [],
      [
        node('keep', [
          { sizeBytes: keptBytes, count: 3 },
          { sizeBytes: 8, count: 2 },
        ]),
      ],
    ),
  ],
});

/** A main thread that answers as it is told, and notes what it was asked. */
function mainThread(answers: Partial<Record<keyof HostMethods, unknown>>) {
  const asked: string[] = [];
  const peer = {
    async call(method: keyof HostMethods, argument: unknown) {
      asked.push(argument === undefined ? method : `${method} ${JSON.stringify(argument)}`);
      const answer = answers[method];
      if (answer instanceof Error) throw answer;
      return typeof answer === 'function' ? (answer as () => unknown)() : answer;
    },
    notify() {},
    close() {},
  } as unknown as Peer<HostMethods>;
  return { peer, asked };
}

const unwanted = (): MainSession => assert.fail('the inspector was not to be used');

/** An inspector session that answers as it is told. */
function inspector(answers: Record<string, unknown>) {
  const posted: string[] = [];
  let open = true;
  const session: MainSession = {
    async post<T>(method: string) {
      posted.push(method);
      const answer = answers[method];
      if (answer instanceof Error) throw answer;
      return (typeof answer === 'function' ? (answer as () => unknown)() : (answer ?? {})) as T;
    },
    on() {},
    close() {
      open = false;
    },
  };
  return { open: () => session, posted, isOpen: () => open };
}

const head = {
  callFrame: { functionName: '(root)', url: '', lineNumber: -1, columnNumber: -1 },
  selfSize: 0,
  children: [
    {
      callFrame: { functionName: 'keep', url: '/srv/cache.js', lineNumber: 3, columnNumber: 8 },
      selfSize: 4096,
      children: [],
    },
  ],
};

const reading = (more: Partial<HeapReading> = {}): HeapReading => ({
  root: root(100),
  externalBytes: 0,
  since: Date.UTC(2026, 6, 30),
  ...more,
});

async function take(capturer: ReturnType<typeof heapCapturer>, durationMs = 0, gc = false) {
  const recording = await (await capturer.begin({ durationMs, gc })).finish();
  assert.ok(recording.format === 'pprof');
  return recording.profile;
}

test('memory in use goes to the stack that allocated it, in objects and bytes', async () => {
  const { peer } = mainThread({ readHeap: reading({ externalBytes: 5000 }) });
  const profile = await take(heapCapturer({ host: peer, intervalBytes: 512, open: unwanted }));
  assert.deepEqual(
    profile.types.map(({ type, unit }) => `${type}/${unit}`),
    ['inuse_objects/count', 'inuse_space/bytes'],
  );
  assert.deepEqual(
    profile.samples.map(({ frames, values }) => [frames.map(({ name }) => name), values]),
    [
      [
        ['keep', 'handle'],
        [5, 316],
      ],
      [['(external memory)'], [1, 5000]],
    ],
  );
  assert.deepEqual(profile.samples[0]!.frames[0], {
    name: 'keep',
    file: '/srv/cache.mjs',
    line: 0,
    column: 0,
    functionLine: 4,
    functionColumn: 9,
  });
  assert.deepEqual(profile.comments, ['sampled since 2026-07-30T00:00:00.000Z']);
});

test('over a duration it is what the memory in use has changed by', async () => {
  let bytes = 100;
  const { peer, asked } = mainThread({ readHeap: () => reading({ root: root(bytes) }) });
  const recorder = await heapCapturer({ host: peer, intervalBytes: 512, open: unwanted }).begin({
    durationMs: 1000,
    gc: true,
  });
  bytes = 150;
  const recording = await recorder.finish();
  assert.ok(recording.format === 'pprof');
  assert.deepEqual(
    recording.profile.samples.map(({ values }) => values),
    [[0, 150]],
  );
  assert.deepEqual(asked, ['readHeap {"gc":true}', 'readHeap {"gc":true}']);
});

test('a blocked main thread is read by the inspector, without telling it to collect', async () => {
  const { peer } = mainThread({ readHeap: new NoAnswerError('readHeap') });
  const { open, posted } = inspector({ 'HeapProfiler.getSamplingProfile': { profile: { head } } });
  const profile = await take(heapCapturer({ host: peer, intervalBytes: 512, open }));
  assert.deepEqual(profile.types, [{ type: 'inuse_space', unit: 'bytes' }]);
  assert.deepEqual(
    profile.samples.map(({ frames, values }) => [frames[0]!.name, ...values]),
    [['keep', 4096]],
  );
  assert.ok(profile.comments.some(comment => comment.includes('event loop is blocked')));
  assert.deepEqual(posted, ['HeapProfiler.getSamplingProfile']);
});

test('where nothing native can sample, the inspector does, and goes on between two readings', async () => {
  const { peer } = mainThread({ readHeap: reading({ root: undefined }) });
  let started = false;
  const { open, posted, isOpen } = inspector({
    'HeapProfiler.getSamplingProfile': () => {
      if (!started) throw new Error('V8 sampling heap profiler was not started.');
      return { profile: { head } };
    },
    'HeapProfiler.startSampling': () => {
      started = true;
      return {};
    },
  });
  const capturer = heapCapturer({ host: peer, intervalBytes: 512, open });
  await take(capturer);
  const profile = await take(capturer);
  assert.deepEqual(profile.samples[0]!.values, [4096]);
  assert.equal(posted.filter(method => method === 'HeapProfiler.startSampling').length, 1);
  assert.equal(isOpen(), true);
});

test('allocs samples with the settings it needs, and gives the sampler back', async () => {
  const { peer, asked } = mainThread({ stopHeapSampling: 'stopped', readHeap: reading() });
  const { open, posted, isOpen } = inspector({});
  const recorder = await allocsCapturer({ host: peer, intervalBytes: 512, open }).begin({
    durationMs: 1000,
    gc: false,
  });
  assert.deepEqual(posted, ['HeapProfiler.startSampling']);
  const recording = await recorder.finish();
  assert.ok(recording.format === 'pprof');
  assert.deepEqual(
    recording.profile.types.map(({ type }) => type),
    ['alloc_objects', 'alloc_space'],
  );
  assert.deepEqual(recording.profile.samples[0]!.values, [5, 316]);
  assert.deepEqual([isOpen(), asked.at(-1)], [false, 'startHeapSampling']);
});

test("somebody else's sampling is not touched: there is no allocs then", async () => {
  const { peer, asked } = mainThread({ stopHeapSampling: 'foreign' });
  const { open, posted } = inspector({});
  await assert.rejects(
    allocsCapturer({ host: peer, intervalBytes: 512, open }).begin({ durationMs: 1000, gc: false }),
    { code: 'CAPTURE_BUSY', status: 409 },
  );
  assert.deepEqual([posted, asked], [[], ['stopHeapSampling']]);
});

/** V8's sampler as the native binding has it. */
function v8Sampler() {
  const state = { sampling: false, starts: 0 };
  const binding = {
    startSamplingHeapProfiler() {
      state.sampling = true;
      state.starts++;
    },
    stopSamplingHeapProfiler() {
      state.sampling = false;
    },
    getAllocationProfile() {
      if (!state.sampling) throw new Error('Heap profiler is not enabled.');
      return root(1);
    },
  };
  return { state, binding };
}

test("the sampler is begun once, left alone when somebody else's runs, and ended only when it is ours", () => {
  const { state, binding } = v8Sampler();
  const ours = createHeapSampler(512, binding, () => 77);
  ours.start();
  ours.start();
  assert.deepEqual([state.starts, ours.read().since, ours.stop(), state.sampling], [1, 77, 'stopped', false]);

  binding.startSamplingHeapProfiler();
  ours.start();
  assert.deepEqual(
    [state.starts, ours.read().since, ours.stop(), state.sampling],
    [2, undefined, 'foreign', true],
  );

  binding.stopSamplingHeapProfiler();
  assert.equal(ours.stop(), 'absent');
});

test('a sampler that somebody ended is begun anew when it is read', () => {
  const { state, binding } = v8Sampler();
  let now = 1;
  const sampler = createHeapSampler(512, binding, () => now);
  sampler.start();
  binding.stopSamplingHeapProfiler();
  now = 2;
  assert.deepEqual([sampler.read().root !== undefined, sampler.read().since, state.starts], [true, 2, 2]);
});

test('without the native part a reading says so, and nothing throws', () => {
  const sampler = createHeapSampler(512, undefined);
  sampler.start();
  assert.deepEqual([sampler.read().root, sampler.stop()], [undefined, 'absent']);
});

test('what was in use before allocs is carried on, as far as the heap has room for it', () => {
  const { state, binding } = v8Sampler();
  let used = 1000;
  let now = 1;
  // Each sampling has 19 bytes.
  const sampler = createHeapSampler(
    512,
    binding,
    () => now,
    () => used,
  );
  assert.equal(sampler.suspend(), 'absent');
  sampler.start();
  assert.equal(sampler.read().carried, undefined);
  now = 50;
  assert.equal(sampler.suspend(), 'stopped');
  sampler.start();
  assert.deepEqual(sampler.read().carried, { root: root(1), until: 50, share: 1 });
  used = 19 + 9.5;
  assert.equal(sampler.read().carried!.share, 0.5);

  used = 1000;
  now = 60;
  sampler.suspend();
  sampler.start();
  const { root: both, until } = sampler.read().carried!;
  assert.equal(until, 60);
  assert.deepEqual(both.children[0]!.children[0]!.allocations, [
    { sizeBytes: 1, count: 6 },
    { sizeBytes: 8, count: 4 },
  ]);
  used = 19;
  assert.equal(sampler.read().carried, undefined);
  used = 1000;
  assert.equal(sampler.read().carried, undefined, 'what is gone does not come back');
  sampler.stop();
  binding.startSamplingHeapProfiler();
  assert.deepEqual([sampler.suspend(), state.sampling], ['foreign', true]);
});

test('a heap profile shows apart what is carried on, and says so', async () => {
  const carried = { root: root(200), until: Date.UTC(2026, 6, 30, 12), share: 0.5 };
  const { peer } = mainThread({ readHeap: reading({ carried }) });
  const profile = await take(heapCapturer({ host: peer, intervalBytes: 512, open: unwanted }));
  assert.deepEqual(
    profile.samples.map(({ frames, values }) => [frames.map(({ name }) => name), values]),
    [
      [
        ['keep', 'handle'],
        [5, 316],
      ],
      [
        ['keep', 'handle', '(in use before allocs)'],
        [3, 308],
      ],
    ],
  );
  assert.match(
    profile.comments[1]!,
    /in use at 2026-07-30T12:00:00.000Z, not known to be so still, scaled to the 50 %/,
  );
});
