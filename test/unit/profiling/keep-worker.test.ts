import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { keepWorker } from '../../../instrumentation/profiling/main/keep-worker';
import { NoAnswerError } from '../../../instrumentation/profiling/rpc';

const folder = mkdtempSync(join(tmpdir(), 'otel-vitals-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Answers `number` with the thread's own, and ends or fails when it is told to. */
const script = join(folder, 'worker.js');
writeFileSync(
  script,
  `const { parentPort, threadId } = require('node:worker_threads');
  parentPort.on('message', ({ call, id }) => {
    if (call === 'fail') throw new Error('out of the blue');
    if (call === 'end') process.exit(5);
    if (call === 'environment') parentPort.postMessage({ answer: id, value: { ...process.env } });
    else parentPort.postMessage({ answer: id, value: threadId });
  });`,
);

type Remote = {
  number(_: undefined): number;
  environment(_: undefined): Record<string, string>;
  fail(_: undefined): void;
  end(_: undefined): void;
  shutdown(_: undefined): Promise<void>;
};

function start(file = script) {
  const warnings: string[] = [];
  let warned = () => {};
  const kept = keepWorker<Remote>(
    file,
    undefined,
    {},
    {
      warn(message) {
        warnings.push(message);
        warned();
      },
    },
    1,
  );
  const nextWarning = () => new Promise<void>(resolve => (warned = resolve));
  /** A test process has other work; the worker itself does not keep it. */
  const hold = setInterval(() => {}, 1000);
  const stop = async () => {
    await kept.stop();
    clearInterval(hold);
  };
  return { kept, warnings, nextWarning, stop };
}

test('a worker that fails is told of and started anew, and what waited for it fails', async () => {
  const { kept, warnings, nextWarning, stop } = start();
  const first = await kept.peer().call('number', undefined, 0);
  const warned = nextWarning();
  await assert.rejects(kept.peer().call('fail', undefined, 0), NoAnswerError);
  await warned;
  assert.deepEqual(warnings, ['the profiling worker ended (out of the blue) and is started anew']);
  let second = first;
  while (second === first) {
    second = await kept
      .peer()
      .call('number', undefined, 0)
      .catch(() => new Promise<number>(resolve => setTimeout(resolve, 5, first)));
  }
  await stop();
  assert.equal(warnings.length, 1, 'its end is no failure');
});

test('a worker that never lives is given up after three more', async () => {
  const file = join(folder, 'broken.js');
  writeFileSync(file, 'throw new Error("no")');
  const { warnings, nextWarning, stop } = start(file);
  while (warnings.length < 4) await nextWarning();
  await new Promise(resolve => setTimeout(resolve, 100));
  await stop();
  assert.deepEqual(warnings, [
    ...Array(3).fill('the profiling worker ended (no) and is started anew'),
    'the profiling worker ended (no)',
  ]);
});

test('the environment and the preload of the application do not reach the worker', async () => {
  process.env['NODE_OPTIONS'] = '--require ./not-there.js';
  const { kept, stop } = start();
  try {
    assert.deepEqual(await kept.peer().call('environment', undefined, 0), {});
  } finally {
    delete process.env['NODE_OPTIONS'];
    await stop();
  }
});
