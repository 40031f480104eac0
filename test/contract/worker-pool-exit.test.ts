import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const root = join(__dirname, '../..');

/** What a process prints that has nothing to live for but its pool. */
async function printedBy(text: string): Promise<string> {
  const code = `
    require('tsx/cjs');
    const { TaskPool } = require('./toolkit/worker-pool/index.ts');
    const later = (ms, value) => new Promise(resolve => setTimeout(resolve, ms, value).unref());
    process.on('exit', code => console.log('exit', code));
    ${text}`;
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', code], {
    cwd: root,
    timeout: 60_000,
  });
  return stdout.trim().split('\n').join(', ');
}

test('tasks that were accepted are run before the process ends, whatever they wait for', async () => {
  const printed = await printedBy(`
    const pool = new TaskPool({ name: 'p', max: 1 });
    for (const task of ['first', 'second', 'third']) pool.run(() => later(30, task).then(console.log));`);
  assert.equal(printed, 'first, second, third, exit 0');
});

test('neither a pool without tasks nor a task that was given up keeps the process alive', async () => {
  const printed = await printedBy(`
    const pool = new TaskPool({ name: 'p', max: 2, runTimeoutMs: 20 });
    const idle = new TaskPool({ name: 'idle' });
    pool.run(() => new Promise(() => {})).catch(error => console.log(error.code, pool.stats().abandoned));`);
  assert.equal(printed, 'TASK_RUN_TIMEOUT 1, exit 0');
});
