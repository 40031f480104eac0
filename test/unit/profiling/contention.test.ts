import assert from 'node:assert/strict';
import { channel } from 'node:diagnostics_channel';
import { afterEach, beforeEach, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type ContentionLog, logContention } from '../../../instrumentation/profiling/main/contention';
import { parseStack } from '../../../instrumentation/profiling/main/stack-text';
import { contentionProfile } from '../../../instrumentation/profiling/worker/resources';
import { Mutex } from '../../../toolkit/lock';

const contended = channel('otel-vitals:lock.contended');
const stackOf = (name: string) => `    at ${name} (/srv/cart.js:14:3)\n    at /srv/routes.js:3:9`;

let now = 0;
let log: ContentionLog;
beforeEach(() => {
  now = 0;
  log = logContention(() => now);
});
afterEach(() => log.stop());

test('waits are added up by lock and by the place that waited', () => {
  for (let i = 0; i < 10; i++)
    contended.publish({ name: 'stock', mode: 'exclusive', waitMs: 5, stack: stackOf('reserve') });
  contended.publish({ name: 'cards', mode: 'exclusive', waitMs: 30, stack: stackOf('charge') });
  const rows = log.read().map(({ lock, frames, count, waitMs }) => [lock, frames[0]!.name, count, waitMs]);
  assert.deepEqual(rows, [
    ['stock', 'reserve', 10, 50],
    ['cards', 'charge', 1, 30],
  ]);
});

test("waits for a mutex of the toolkit are heard, with the application's line that waited", async () => {
  const mutex = new Mutex({ name: 'till' });
  async function payAtTill(): Promise<void> {
    const handle = await mutex.lock();
    handle.release();
  }
  const held = await mutex.lock();
  const paid = Promise.all([payAtTill(), payAtTill()]);
  await turn();
  held.release();
  await paid;
  const [group] = log.read();
  assert.deepEqual([group!.lock, group!.count, group!.frames[0]!.name], ['till', 2, 'payAtTill']);
  assert.match(group!.frames[0]!.file, /contention\.test\.ts$/);
  assert.ok(group!.waitMs > 0);
});

test('as a profile, waits have counts, nanoseconds and the name of the lock', () => {
  contended.publish({ name: 'stock', mode: 'exclusive', waitMs: 5, stack: stackOf('reserve') });
  const { samples, types, defaultType } = contentionProfile(log.read(), 0);
  assert.deepEqual(
    types.map(({ type }) => type),
    ['contentions', 'delay'],
  );
  assert.equal(defaultType, 'delay');
  assert.deepEqual(samples[0]!.values, [1, 5_000_000]);
  assert.deepEqual(samples[0]!.labels, { lock: 'stock' });
});

test('a wait whose stack can not be read counts all the same', () => {
  contended.publish({ name: 'stock', mode: 'exclusive', waitMs: 7, stack: 'written in some other way' });
  const { samples } = contentionProfile(log.read(), 0);
  assert.deepEqual([samples[0]!.frames[0]!.name, samples[0]!.values], ['(place not taken)', [1, 7_000_000]]);
});

test('under very many waits only some stacks are read, and the sums stay true', () => {
  let read = 0;
  for (let i = 0; i < 100_000; i++) {
    now = i / 100; // 100,000 a second
    contended.publish({
      name: 'stock',
      mode: 'exclusive',
      waitMs: 2,
      get stack() {
        read++;
        return stackOf('reserve');
      },
    });
  }
  const [{ count, waitMs }] = log.read() as unknown as [{ count: number; waitMs: number }];
  assert.ok(read < 3000, String(read));
  assert.ok(count > 80_000 && count < 130_000, String(count));
  assert.equal(waitMs, count * 2);
});

test('places past the bound are added up by lock', () => {
  for (let i = 0; i < 1200; i++) {
    now += 1000;
    contended.publish({ name: 'stock', mode: 'exclusive', waitMs: 1, stack: stackOf(`f${i}`) });
  }
  const groups = log.read();
  assert.equal(groups.length, 1001);
  assert.deepEqual([groups.at(-1)!.frames, groups.at(-1)!.count], [[], 200]);
});

test('once stopped nothing is heard, and locks need not note stacks', () => {
  log.stop();
  assert.equal(contended.hasSubscribers, false);
});

test('a stack is read in all the ways V8 writes its lines', () => {
  const frames = parseStack(
    [
      'Error: no frame',
      '    at reserve (/srv/cart.js:14:3)',
      '    at async Cart.reserve (/srv/cart.js:15:3)',
      '    at new Cart (/srv/cart.js:16:3)',
      '    at Cart.hold [as reserve] (file:///srv/with%20space/cart.mjs:17:3)',
      '    at Object.<anonymous> (/srv/cart.js:18:3)',
      '    at /srv/(group)/cart.js:19:3',
      '    at C:\\srv\\cart.js:20:3',
      '    at Array.map (<anonymous>)',
      '    at listOnTimeout (node:internal/timers:581:17)',
    ].join('\n'),
  );
  assert.deepEqual(
    frames.map(({ name, file, line, column }) => `${name} ${file}:${line}:${column}`),
    [
      'reserve /srv/cart.js:14:3',
      'reserve /srv/cart.js:15:3',
      'Cart /srv/cart.js:16:3',
      'hold /srv/with space/cart.mjs:17:3',
      ' /srv/cart.js:18:3',
      ' /srv/(group)/cart.js:19:3',
      ' C:\\srv\\cart.js:20:3',
      'listOnTimeout node:internal/timers:581:17',
    ],
  );
});

test('what another thread has waited for is added to the same places, and told once', () => {
  const thread = logContention(() => now);
  contended.publish({ name: 'stock', mode: 'exclusive', waitMs: 5, stack: stackOf('reserve') });
  const groups = thread.take();
  assert.equal(groups.length, 1);
  assert.deepEqual(thread.take(), []);
  thread.stop();
  log.add(structuredClone(groups));
  log.add([{ lock: 'cards', frames: [], count: 2, waitMs: 7 }]);
  assert.deepEqual(
    log.read().map(({ lock, count, waitMs }) => [lock, count, waitMs]),
    [
      ['stock', 2, 10],
      ['cards', 2, 7],
    ],
  );
});
