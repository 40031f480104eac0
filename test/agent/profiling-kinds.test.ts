import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type AdminApp, go, goTop, startAdminApp } from '../helpers/admin-app';
import type { DecodedPprof } from '../helpers/pprof';

let shop: AdminApp;
before(async () => {
  shop = await startAdminApp('known.js', {
    env: { VITALS_TRACK_RESOURCES: 'true', VITALS_CAPTURE_HEAP_INTERVAL_BYTES: '65536' },
  });
  await shop.app.printed(/ready/);
});
after(() => shop?.end());

const first = (profile: DecodedPprof, type: string): string => profile.top(type)[0]!.name;

/** Reads again until a profile that grows by itself has what is looked for. */
async function until(path: string, fits: (profile: DecodedPprof) => boolean): Promise<DecodedPprof> {
  const giveUp = Date.now() + 30_000;
  for (;;) {
    const profile = await shop.pprof(path);
    if (fits(profile) || Date.now() > giveUp) return profile;
    await new Promise(resolve => setTimeout(resolve, 250));
  }
}

test('profile names the busy function first, with its line, and not what schedules it', async () => {
  const profile = await shop.pprof('/debug/pprof/profile?seconds=2');
  assert.deepEqual(profile.types, ['samples/count', 'cpu/nanoseconds']);
  assert.equal(profile.defaultType, 'cpu');
  assert.equal(profile.program, 'known.js');
  assert.match(profile.comments[0]!, /^V8 took \d+ ms of the main thread to begin$/);
  const top = profile.top('cpu/nanoseconds')[0]!;
  assert.match(top.name, /use-profiling\/known\.js:priceCatalogue:13$/);
  assert.ok([13, 14].includes(top.frame.line), String(top.frame.line));
  const busy = profile.samples.find(({ frames }) => frames[0]!.name === top.name)!;
  assert.ok(
    busy.frames.some(({ name }) => name.includes(':sumCart:')),
    'the asynchronous caller is on the stack',
  );
  assert.ok(profile.durationMs >= 1900 && profile.durationMs < 15_000, String(profile.durationMs));
  const share = top.value / 1e6 / profile.durationMs;
  assert.ok(share > 0.2 && share < 0.95, `${share} of the time`);
  assert.ok(profile.samples.every(({ frames }) => frames[0]!.name !== '(idle)'));
});

test('heap names the place that leaks first, over a duration too', async () => {
  const heap = await until('/debug/pprof/heap?gc=1', profile =>
    first(profile, 'inuse_space/bytes').includes('rememberSession'),
  );
  assert.deepEqual(heap.types, ['inuse_objects/count', 'inuse_space/bytes']);
  assert.match(first(heap, 'inuse_space/bytes'), /known\.js:rememberSession:\d+$/);
  assert.match(heap.comments[0]!, /^sampled since 20/);
  const delta = await shop.pprof('/debug/pprof/heap?gc=1&seconds=1');
  assert.ok(delta.durationMs >= 900);
  assert.ok(delta.total('inuse_space/bytes') < heap.total('inuse_space/bytes'));
});

test('block names the function in which the event loop stood still, and for how long', async () => {
  const delayOf = (samples: DecodedPprof['samples'], name: string): number =>
    samples
      .filter(({ frames }) => frames.some(frame => frame.name.includes(name)))
      .reduce((sum, { values }) => sum + values[1]!, 0);
  // On a busy machine the process waits for a processor in the middle of it, which is no time of the function's. And
  // a block that goes on has the time up to its last stack.
  const block = await until('/debug/pprof/block', ({ samples }) => {
    const seen = delayOf(samples, 'writeReport');
    return seen > 0 && seen + delayOf(samples, '(process was not scheduled)') > 250e6;
  });
  assert.deepEqual(block.types, ['contentions/count', 'delay/nanoseconds']);
  const stalls = block.samples.filter(({ frames }) =>
    frames.some(({ name }) => /known\.js:writeReport$/.test(name)),
  );
  const [count, nanoseconds] = [0, 1].map(i => stalls.reduce((sum, { values }) => sum + values[i]!, 0));
  assert.ok(count! >= 1);
  const waits = block.samples.filter(({ frames }) => frames[0]!.name === '(process was not scheduled)');
  assert.ok(nanoseconds! / count! < 4000e6, `${nanoseconds} ns in ${count}`);
  const others = block.samples.filter(sample => !stalls.includes(sample) && !waits.includes(sample));
  for (const { frames, values } of others) {
    assert.ok(values[1]! < nanoseconds!, `${frames[0]!.name} blocked for longer than the stall`);
  }
});

test('mutex names the place that waits for a lock, and the lock', async () => {
  const mutex = await until('/debug/pprof/mutex', profile => profile.samples.length > 0);
  assert.deepEqual(mutex.types, ['contentions/count', 'delay/nanoseconds']);
  assert.match(first(mutex, 'delay/nanoseconds'), /known\.js:reserveStock$/);
  assert.equal(mutex.samples[0]!.labels['lock'], 'stock');
  const delta = await shop.pprof('/debug/pprof/mutex?seconds=1');
  assert.ok(delta.total('contentions/count') > 0);
});

test('goroutine names the place that leaks timers first, and the types around it', async () => {
  const goroutine = await shop.pprof('/debug/pprof/goroutine');
  assert.deepEqual(goroutine.types, ['goroutine/count']);
  const [top] = goroutine.top('goroutine/count');
  assert.match(top!.name, /known\.js:pollPrice$/);
  assert.equal(top!.value, 50);
  const leak = goroutine.samples.find(({ frames }) => frames[0]!.name === top!.name)!;
  assert.equal(leak.frames.at(-1)!.name, 'Timeout');
  assert.deepEqual(leak.labels, { type: 'Timeout' });
});

test('trace is a Chrome trace of the main thread', async () => {
  const response = await shop.get('/debug/pprof/trace?seconds=0.5');
  assert.equal(response.headers.get('content-type'), 'application/json');
  const { traceEvents } = (await response.json()) as {
    traceEvents: { cat: string; name: string; pid: number; ts: number }[];
  };
  assert.ok(traceEvents.length > 20, String(traceEvents.length));
  assert.ok(traceEvents.some(({ name }) => name === 'RunTimers'));
  assert.ok(traceEvents.every(({ pid }) => pid === shop.app.pid));
});

test('text forms name the same, readably', async () => {
  const text = async (path: string) => (await shop.get(`/debug/pprof/${path}`)).text();
  const heap = await text('heap?debug=1');
  assert.match(heap, /^heap profile: \d+: \d+ \[\d+: \d+\] @ heap\/65536\n/);
  assert.match(heap, /#\trememberSession\t.*known\.js:\d+\n/);
  assert.match(heap, /# heapUsed = \d+/);
  assert.match(await text('block?debug=1'), /^--- contention:\ncycles\/second=1000000000\n/);
  assert.match(await text('mutex?debug=1'), /^--- mutex:\n[\s\S]*#\treserveStock\t/);
  assert.match(
    await text('goroutine?debug=1'),
    /^goroutine profile: total \d+\n[\s\S]*50 @\n[\s\S]*#\tpollPrice\t/,
  );
  const each = await text('goroutine?debug=2');
  assert.equal(each.match(/\[Timeout\]:\npollPrice\(\)/g)?.length, 50);
});

// After the text of the heap: allocs begins the heap's sampling anew.
test('allocs names the place that makes garbage first, with sizes near the truth', async () => {
  const allocs = await shop.pprof('/debug/pprof/allocs?seconds=2');
  assert.deepEqual(allocs.types, ['alloc_objects/count', 'alloc_space/bytes']);
  const [top] = allocs.top('alloc_space/bytes');
  assert.match(top!.name, /known\.js:renderRows:\d+$/);
  // An array of five small integers takes 16 bytes of header and five slots at least.
  const objects = allocs.top('alloc_objects/count').find(({ name }) => name === top!.name)!.value;
  assert.ok(top!.value / objects >= 16 && top!.value / objects <= 120, `${top!.value} / ${objects}`);
});

test("Go's own tool opens every profile and names the same functions", {
  skip: go === undefined && 'Go is not installed',
}, () => {
  const url = `${shop.url}/debug/pprof`;
  const top = (path: string, ...options: string[]) =>
    goTop(`${url}/${path}`, ...options)
      .split(/flat%.*\n/)[1]!
      .split('\n')[0]!;
  assert.match(top('profile?seconds=2'), /priceCatalogue/);
  assert.match(top('heap?gc=1'), /rememberSession/);
  assert.match(top('allocs?seconds=1'), /renderRows/);
  assert.match(top('goroutine'), /pollPrice/);
  assert.match(top('mutex'), /reserveStock/);
  assert.match(goTop(`${url}/block`), /writeReport/);
  assert.match(goTop(`${url}/heap?seconds=1`), /Type: inuse_space/);
});
