import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import {
  countSessions,
  createSessionMemory,
  endSessions,
} from '../../../instrumentation/profiling/open-sessions';

test('where no session is open nobody is asked and nothing is waited for', () => {
  const memory = createSessionMemory();
  const counter = countSessions(memory);
  counter.opened();
  counter.closed();
  assert.equal(
    endSessions(memory, () => assert.fail('nothing was to be asked'), 60_000),
    true,
  );
});

test('an exit waits, its event loop standing still, until the other thread has closed the last session', async () => {
  const memory = createSessionMemory();
  const counter = countSessions(memory);
  counter.opened();
  counter.opened();
  const script = `
    const { parentPort, workerData } = require('node:worker_threads');
    const count = new Int32Array(workerData);
    parentPort.once('message', () => {
      Atomics.sub(count, 0, 1);
      Atomics.notify(count, 0);
      setTimeout(() => {
        Atomics.sub(count, 0, 1);
        Atomics.notify(count, 0);
      }, 20);
    });
    parentPort.postMessage('ready');`;
  const worker = new Worker(script, { eval: true, workerData: memory });
  await new Promise(resolve => worker.once('message', resolve));
  assert.equal(
    endSessions(memory, () => worker.postMessage('exiting'), 60_000),
    true,
  );
  assert.equal(new Int32Array(memory)[0], 0);
  await worker.terminate();
});

test('an exit waits no longer than it may for a thread that is gone', () => {
  const memory = createSessionMemory();
  countSessions(memory).opened();
  let asked = 0;
  const begin = performance.now();
  assert.equal(
    endSessions(memory, () => asked++, 30),
    false,
  );
  assert.equal(asked, 1);
  assert.ok(performance.now() - begin >= 30);
  // The next worker counts from nothing.
  countSessions(memory);
  assert.equal(
    endSessions(memory, () => asked++, 60_000),
    true,
  );
  assert.equal(asked, 1);
});
