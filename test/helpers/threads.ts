import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Task } from '../fixtures/threads/locks';

const file = join(__dirname, '../fixtures/threads/locks.ts');

/** A worker thread with a task; ended with the test process. */
export interface TaskThread {
  readonly worker: Worker;
  /** What the task gave; rejects with what it threw. */
  readonly result: Promise<unknown>;
  /** Resolves when the task has posted `message`. */
  said(message: string): Promise<void>;
}

export function startThread(task: Task): TaskThread {
  const worker = new Worker(`require('tsx/cjs'); require(${JSON.stringify(file)});`, {
    eval: true,
    workerData: task,
  });
  const said = new Set<unknown>();
  const result = new Promise<unknown>((resolve, reject) => {
    worker.on('message', (message: unknown) => {
      said.add(message);
      if (typeof message === 'object' && message !== null && 'result' in message) resolve(message.result);
    });
    worker.once('error', reject);
    worker.once('exit', code => reject(new Error(`the thread ended with ${code} and no result`)));
  });
  return {
    worker,
    result,
    async said(message) {
      while (!said.has(message)) await new Promise(resolve => worker.once('message', resolve));
    },
  };
}
