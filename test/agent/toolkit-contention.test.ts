import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type AdminApp, startAdminApp } from '../helpers/admin-app';
import { folderWith, repository } from '../helpers/app';

// The main thread and two worker threads wait for one lock, each in a function of its own.
const files = folderWith({
  'app.js': `
    const { Worker, isMainThread, threadId, workerData } = require('node:worker_threads');
    const { SpinLock } = require(${JSON.stringify(join(repository, 'dist/toolkit/lock'))});
    const pause = ms => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    const { role, shared } = workerData ?? {};
    const lock = new SpinLock(isMainThread ? { name: 'between threads' } : shared);
    function waitsAndEnds() { lock.lock().release(); }
    function waitsAndStays() { lock.lock().release(); }
    async function waitsInMain() { (await lock.lockAsync()).release(); }
    if (isMainThread) {
      const held = lock.tryLock();
      for (const role of ['ends', 'stays']) new Worker(__filename, { workerData: { role, shared: lock.shared } });
      waitsInMain();
      const look = setInterval(() => {
        if (lock.stats().modes.exclusive.waiters < 3) return;
        clearInterval(look);
        held.release();
      }, 5);
      setInterval(() => {}, 1000);
    } else {
      if (role === 'ends') waitsAndEnds();
      else {
        waitsAndStays();
        setInterval(() => {}, 1000);
      }
    }`,
});

let app: AdminApp | undefined;
after(() => app?.end());

test('mutex names the places that wait for a lock between threads, in whichever thread they are', async () => {
  app = await startAdminApp(files.path('app.js'));
  const waits = ['waitsAndEnds', 'waitsAndStays', 'waitsInMain'];
  const giveUp = Date.now() + 60_000;
  for (;;) {
    const profile = await app.pprof('/debug/pprof/mutex');
    const found = new Map(
      profile.samples.map(({ frames, labels, values }) => [
        waits.find(name => frames[0]?.name.includes(name)),
        [labels['lock'], values[0]],
      ]),
    );
    if (found.size === 3 || Date.now() > giveUp) {
      for (const name of waits) assert.deepEqual(found.get(name), ['between threads', 1], name);
      return;
    }
    await new Promise(resolve => setTimeout(resolve, 250));
  }
});
