import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { startLoop } from '../../../exporters/pyroscope/loop';
import type { ProfileWindow, Sampler } from '../../../exporters/pyroscope/samplers';

/** A loop over numbered windows, whose uploads end when the test says so. */
function loopOf(collect?: (n: number) => void, keepsRecent = false) {
  let taken = 0;
  const windowOf = (): ProfileWindow => {
    taken++;
    collect?.(taken);
    return { n: taken } as unknown as ProfileWindow;
  };
  const sampler: Sampler = { kind: 'wall', collect: windowOf, finish: windowOf };
  const uploads: { n: number; end: (error?: Error) => void }[] = [];
  const outcomes: string[] = [];
  const loop = startLoop(sampler, {
    windowMs: 1000,
    keepsRecent,
    send: window =>
      new Promise((resolve, reject) => {
        const { n } = window as unknown as { n: number };
        uploads.push({ n, end: error => (error === undefined ? resolve() : reject(error)) });
      }),
    onSuccess: () => outcomes.push('sent'),
    onFailure: (_, error) => outcomes.push((error as Error).message),
  });
  return { loop, uploads, outcomes };
}

const turn = () => new Promise(resolve => setImmediate(resolve));

test('the newest window waits behind an upload, and older ones are counted as lost', async () => {
  mock.timers.enable({ apis: ['setInterval'] });
  try {
    const { uploads, outcomes } = loopOf();
    mock.timers.tick(4000);
    assert.deepEqual(
      uploads.map(({ n }) => n),
      [1],
    );
    uploads[0]!.end();
    await turn();
    assert.deepEqual(
      uploads.map(({ n }) => n),
      [1, 4],
    );
    assert.deepEqual(outcomes, [
      'the upload before it took too long',
      'the upload before it took too long',
      'sent',
    ]);
  } finally {
    mock.timers.reset();
  }
});

test('a failed upload and a failed window do not end later ones', async () => {
  mock.timers.enable({ apis: ['setInterval'] });
  try {
    const { uploads, outcomes } = loopOf(n => {
      if (n === 2) throw new Error('no profile');
    });
    mock.timers.tick(1000);
    uploads[0]!.end(new Error('refused'));
    await turn();
    mock.timers.tick(1000);
    mock.timers.tick(1000);
    uploads[1]!.end();
    await turn();
    assert.deepEqual(outcomes, ['refused', 'no profile', 'sent']);
  } finally {
    mock.timers.reset();
  }
});

test('finish() sends the last window after what is under way, and takes no other', async () => {
  mock.timers.enable({ apis: ['setInterval'] });
  try {
    const { loop, uploads, outcomes } = loopOf();
    mock.timers.tick(1000);
    const finished = loop.finish();
    mock.timers.tick(5000);
    assert.deepEqual(
      uploads.map(({ n }) => n),
      [1],
    );
    uploads[0]!.end(new Error('slow'));
    await turn();
    uploads[1]!.end();
    await finished;
    assert.deepEqual(
      uploads.map(({ n }) => n),
      [1, 2],
    );
    assert.deepEqual(outcomes, ['slow', 'sent']);
  } finally {
    mock.timers.reset();
  }
});

test('the window under way ends when it is asked for, and is given with the one before it and sent', async () => {
  mock.timers.enable({ apis: ['setInterval'] });
  try {
    const { loop, uploads } = loopOf(undefined, true);
    mock.timers.tick(1000);
    mock.timers.tick(1000);
    uploads[0]!.end();
    await turn();
    uploads[1]!.end();
    await turn();
    assert.deepEqual(loop.recent(), [{ n: 2 }, { n: 3 }]);
    assert.deepEqual(
      uploads.map(({ n }) => n),
      [1, 2, 3],
    );
  } finally {
    mock.timers.reset();
  }
});

test('windows that nobody may ask for are not kept', () => {
  mock.timers.enable({ apis: ['setInterval'] });
  try {
    const { loop } = loopOf();
    mock.timers.tick(1000);
    assert.deepEqual(loop.recent(), []);
  } finally {
    mock.timers.reset();
  }
});
