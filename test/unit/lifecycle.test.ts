import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchEnd, withDeadline } from '../../instrumentation/lifecycle';
import { createLog } from '../../instrumentation/log';

const never = new Promise<void>(() => {});
const log = createLog('none');

test('work that never settles is left behind at the deadline', async () => {
  const begin = performance.now();
  await withDeadline(never, 30, true);
  const took = performance.now() - begin;
  assert.ok(took >= 29 && took < 5000, String(took));
});

test('work that settles does so before the deadline, and a failure is told', async () => {
  const begin = performance.now();
  await withDeadline(Promise.resolve(), 60_000, true);
  await assert.rejects(withDeadline(Promise.reject(new Error('lost')), 60_000, true), /lost/);
  assert.ok(performance.now() - begin < 5000);
});

test('watching adds one listener to each signal, and the end of it leaves the process as it was', () => {
  const listeners = () => ['SIGTERM', 'SIGINT', 'beforeExit'].map(event => process.listenerCount(event));
  const before = listeners();
  const { emit } = process;
  const stop = watchEnd(async () => {}, 100, log);
  assert.deepEqual(listeners(), [before[0]! + 1, before[1]! + 1, before[2]]);
  stop();
  assert.deepEqual(listeners(), before);
  assert.equal(process.emit, emit);
});

test('an emit that somebody put over ours stays, and works', () => {
  const inherited = process.emit;
  const stop = watchEnd(async () => {}, 100, log);
  const ours = process.emit;
  const seen: string[] = [];
  process.emit = function (this: NodeJS.Process, event: string, ...args: unknown[]) {
    if (event === 'test event') seen.push(event);
    return Reflect.apply(ours, this, [event, ...args]) as boolean;
  } as typeof process.emit;
  stop();
  let heard = 0;
  process.once('test event' as never, () => heard++);
  process.emit('test event' as never);
  assert.deepEqual([seen, heard], [['test event'], 1]);
  Reflect.deleteProperty(process, 'emit');
  assert.equal(process.emit, inherited);
});
