import assert from 'node:assert/strict';
import { test } from 'node:test';
import { folderWith, scrape, startApp } from '../helpers/app';

const script = folderWith({
  'app.js': `
    const { Worker, isMainThread } = require('node:worker_threads');
    const workers = ['busy', 'calm'].map(role => new Worker(__dirname + '/worker.js', { argv: [role] }));
    // The application outlives its workers.
    setInterval(() => {}, 1000);
    let online = 0;
    for (const worker of workers) worker.on('message', () => { if (++online === 2) console.log('online'); });
    process.on('SIGUSR2', () => workers[0].terminate().then(() => workers[1].postMessage('end')));
    workers[1].on('exit', () => console.log('gone'));`,
  'worker.js': `
    const { parentPort } = require('node:worker_threads');
    const kept = process.argv[2] === 'busy' ? Array.from({ length: 300000 }, (_, i) => ({ i })) : [];
    parentPort.on('message', () => parentPort.close());
    parentPort.postMessage('up ' + kept.length);`,
});

test('worker threads show their figures through the main thread, and only while they live', async () => {
  const app = startApp(script.path('app.js'));
  await app.printed(/online/);
  const url = await app.metricsUrl();
  const text = await scrape(url);
  assert.match(text, /^vitals_worker_thread_count 2$/m);
  const heaps = [...text.matchAll(/^vitals_worker_thread_heap_used_bytes\{thread_name="[^"]+"\} (\d+)/gm)];
  assert.equal(heaps.length, 2, text);
  assert.equal(app.stderr().match(/served at/g)?.length, 1, 'a worker opened a port');
  app.process.kill('SIGUSR2');
  await app.printed(/gone/);
  const after = await scrape(url);
  // The one that was terminated had no chance to say so: its slot runs out instead.
  assert.match(after, /^vitals_worker_thread_count 1$/m);
  app.kill('SIGTERM');
  await app.exit;
});
