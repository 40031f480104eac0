import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type CaptureKind,
  type CaptureRecord,
  captureKinds,
} from '../../../instrumentation/profiling/capture';
import type { CaptureEnd } from '../../../instrumentation/profiling/contract';
import {
  CaptureBusyError,
  CaptureCancelledError,
  StoreError,
} from '../../../instrumentation/profiling/errors';
import type { Capturer } from '../../../instrumentation/profiling/worker/capturer';
import {
  type CaptureService,
  createCaptureService,
  type Publisher,
} from '../../../instrumentation/profiling/worker/service';
import { profileOf } from '../../helpers/frames';
import { decodePprof } from '../../helpers/pprof';

let events: string[];
let saved: CaptureRecord[];
let ends: CaptureEnd[];
let full: Promise<void> | undefined;
let failAt: 'begin' | 'finish' | 'save' | undefined;
let publishers: Publisher[];
let publishErrors: unknown[];
let publishedCount: number;
let service: CaptureService;
let keeping: boolean[];
let slowMs: number;

const capturer: Capturer = {
  instant: true,
  defaultMs: 0,
  async begin(options) {
    if (failAt === 'begin') throw new Error('no profiler');
    events.push(`begin ${options.durationMs} ${options.gc}`);
    await sleep(slowMs);
    return {
      ...(full === undefined ? {} : { full }),
      async finish() {
        events.push('finish');
        await sleep(slowMs);
        if (failAt === 'finish') throw new Error('lost');
        return { format: 'pprof', profile: profileOf([[['f /srv/a.js:1'], 1, 5]], { comments: ['a note'] }) };
      },
      async abort() {
        events.push('abort');
      },
    };
  },
};

beforeEach(() => {
  events = [];
  saved = [];
  ends = [];
  full = undefined;
  failAt = undefined;
  publishers = [];
  publishErrors = [];
  publishedCount = 0;
  keeping = [];
  slowMs = 0;
  service = createCaptureService({
    capturers: Object.fromEntries(captureKinds.map(kind => [kind, capturer])) as Record<
      CaptureKind,
      Capturer
    >,
    store: {
      folder: '/captures',
      maxBytes: 1,
      async save(record) {
        if (failAt === 'save') throw new StoreError('DISK_FULL', 507, 'the disk is full');
        saved.push(record);
      },
      list: async () => saved,
      open: async () => undefined,
      tag: async () => '',
      usage: async () => ({ count: 0, bytes: 0 }),
    },
    mapper: undefined,
    encode: { cwd: '/srv', program: 'a.js' },
    facts: { service: 'shop', serviceVersion: '1.2.3', nodeVersion: '20.0.0', pid: 7 },
    publishers: [result => publishers[0]?.(result) ?? Promise.resolve(false)],
    onEnd: end => ends.push(end),
    onPublished: () => publishedCount++,
    onKeeping: keeps => keeping.push(keeps),
    onPublishError: error => publishErrors.push(error),
  });
});

const long = { durationMs: 60_000, store: true };
const outcomes = () => ends.map(({ kind, source, outcome }) => `${kind} ${source} ${outcome}`);

test('a capture runs for its duration and is kept with what it is', async () => {
  const reason = { rule: 'heap', value: 7 };
  const capture = await service.start(
    'heap',
    { durationMs: 20, gc: true, store: true },
    { source: 'auto', reason },
  );
  const { record, data, profile } = await capture.done;
  assert.deepEqual(events, ['begin 20 true', 'finish']);
  assert.deepEqual(saved, [record]);
  assert.equal(decodePprof(data).top('delay/nanoseconds')[0]!.name, './a.js:f');
  assert.equal(profile!.samples.length, 1);
  const { id, startedAt, durationMs, ...rest } = record;
  assert.match(id, /^heap-\d{8}T\d{9}Z-[0-9a-f]{8}$/);
  assert.equal(startedAt, new Date(capture.startedAt).toISOString());
  assert.ok(durationMs >= 19, String(durationMs));
  assert.deepEqual(rest, {
    kind: 'heap',
    format: 'pprof',
    trigger: { source: 'auto', reason },
    stopped: false,
    bytes: data.byteLength,
    service: 'shop',
    serviceVersion: '1.2.3',
    nodeVersion: '20.0.0',
    pid: 7,
    notes: ['a note'],
  });
  assert.deepEqual(outcomes(), ['heap auto complete']);
  assert.equal(ends[0]!.bytes, data.byteLength);
});

test('a capture that is only handed over is not kept', async () => {
  await (await service.start('cpu', { durationMs: 1, store: false }, { source: 'pprof' })).done;
  assert.deepEqual(saved, []);
});

test('stopping ends a capture early and keeps what was gathered', async () => {
  const capture = await service.start('cpu', long, { source: 'manual' });
  assert.deepEqual(
    service.running.map(({ id }) => id),
    [capture.id],
  );
  capture.stop();
  assert.equal((await capture.done).record.stopped, true);
  assert.equal(saved.length, 1);
  assert.deepEqual(outcomes(), ['cpu manual stopped']);
  assert.deepEqual(service.running, []);
});

test('cancelling ends a capture early and keeps nothing', async () => {
  const capture = await service.start('cpu', long, { source: 'pprof' });
  capture.cancel();
  await assert.rejects(capture.done, CaptureCancelledError);
  assert.deepEqual([events.at(-1), saved, outcomes()], ['abort', [], ['cpu pprof cancelled']]);
});

test('a capturer without more room ends its capture', async () => {
  full = Promise.resolve();
  const { record } = await (await service.start('trace', long, { source: 'manual' })).done;
  assert.equal(record.stopped, true);
});

test('a second capture of a kind is refused while one runs, also one that is just beginning', async () => {
  const both = await Promise.allSettled([
    service.start('cpu', long, { source: 'manual' }),
    service.start('cpu', long, { source: 'pprof' }),
  ]);
  assert.deepEqual(
    both.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  );
  await assert.rejects(service.start('cpu', long, { source: 'auto' }), (error: unknown) => {
    assert.ok(error instanceof CaptureBusyError);
    assert.equal(error.status, 409);
    assert.match(error.message, /^a cpu capture is running since 20/);
    return true;
  });
  assert.deepEqual(outcomes(), ['cpu pprof rejected', 'cpu auto rejected']);
  await service.start('block', long, { source: 'manual' });
  service.close();
});

test('heap and allocs exclude each other, because V8 has one heap sampler', async () => {
  await service.start('allocs', long, { source: 'manual' });
  await assert.rejects(
    service.start('heap', long, { source: 'manual' }),
    /a allocs capture|an? allocs capture/,
  );
  service.close();
});

test('a capture that fails frees its place, at whatever stage', async () => {
  for (const stage of ['begin', 'finish', 'save'] as const) {
    failAt = stage;
    const started = service.start('cpu', { durationMs: 1, store: true }, { source: 'manual' });
    await assert.rejects(
      started.then(({ done }) => done),
      /no profiler|lost|the disk is full/,
    );
  }
  failAt = undefined;
  await (await service.start('cpu', { durationMs: 1, store: true }, { source: 'manual' })).done;
  assert.deepEqual(outcomes(), [...Array(3).fill('cpu manual failed'), 'cpu manual complete']);
});

test('a finished capture is handed to publishers, whose failure changes nothing for it', async () => {
  const published: string[] = [];
  publishers = [
    async ({ record }) => {
      published.push(record.id);
      throw new Error('Pyroscope is away');
    },
  ];
  const capture = await service.start('cpu', { durationMs: 1, store: true }, { source: 'auto' });
  await capture.done;
  await new Promise(setImmediate);
  assert.deepEqual([published, publishErrors.map(String)], [[capture.id], ['Error: Pyroscope is away']]);
  assert.equal(publishedCount, 0);
});

test('captures that a publisher took are told, and those that were not for it are not', async () => {
  for (const took of [true, false]) {
    publishers = [async () => took];
    await (await service.start('cpu', { durationMs: 1, store: true }, { source: 'auto' })).done;
  }
  await new Promise(setImmediate);
  assert.deepEqual([publishedCount, publishErrors], [1, []]);
});

test('the end of the process ends early what is to be kept, and waits until it is', async () => {
  const cpu = await service.start('cpu', long, { source: 'manual' });
  const trace = await service.start('trace', long, { source: 'auto' });
  const handed = await service.start('allocs', { durationMs: 60_000, store: false }, { source: 'pprof' });
  assert.deepEqual(keeping, [true]);
  slowMs = 20;
  await service.endKept();
  assert.deepEqual(
    saved.map(({ id, stopped }) => [id, stopped]),
    [
      [cpu.id, true],
      [trace.id, true],
    ],
  );
  assert.deepEqual(
    service.running.map(({ id }) => id),
    [handed.id],
  );
  assert.deepEqual(keeping, [true, false]);
  handed.cancel();
  await service.endKept();
});

test('the end waits for no capture that fails, and one that is at once is not worth waiting for', async () => {
  await service.start('cpu', long, { source: 'manual' });
  failAt = 'finish';
  await service.endKept();
  failAt = undefined;
  keeping = [];
  const heap = await service.start('heap', { durationMs: 0, store: true }, { source: 'manual' });
  await heap.done;
  assert.deepEqual(keeping, []);
});

test('the length of a capture is what was recorded, without what its profiler takes to begin and end', async () => {
  slowMs = 300;
  const capture = await service.start('trace', { durationMs: 20, store: true }, { source: 'manual' });
  const { durationMs } = (await capture.done).record;
  assert.ok(durationMs >= 19 && durationMs < 300, String(durationMs));
});

test('a closed service cancels what runs and takes no more', async () => {
  const capture = await service.start('cpu', long, { source: 'manual' });
  service.close();
  await assert.rejects(capture.done, CaptureCancelledError);
  await assert.rejects(service.start('heap', long, { source: 'manual' }), /the process ends/);
});
