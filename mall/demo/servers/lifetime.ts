import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Something that must not outlive this process. */
export interface Ending {
  /** Ends it in order. */
  close(): Promise<void>;
  /** Ends it without the event loop, when the process is already exiting. */
  closeNow(): void;
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const signalDeadlineMs = 8000;
const open = new Set<Ending>();
let watching = false;

/**
 * Ends `ending` with this process: on a normal exit, an uncaught exception, SIGINT, SIGTERM and SIGHUP.
 *
 * Where the program has its own listener for a signal it decides itself when to exit, and the exit ends the rest.
 *
 * @returns a function that closes it now, once.
 */
export function endWithProcess(ending: Ending): () => Promise<void> {
  open.add(ending);
  watch();
  let closing: Promise<void> | undefined;
  return () => {
    closing ??= ending.close().finally(() => open.delete(ending));
    return closing;
  };
}

function watch(): void {
  if (watching) return;
  watching = true;
  process.on('exit', closeAllNow);
  for (const signal of signals) {
    const listener = (): void => {
      if (process.listenerCount(signal) > 1) return;
      void closeAll().then(() => {
        process.removeListener(signal, listener);
        process.kill(process.pid, signal);
      });
    };
    process.on(signal, listener);
  }
}

async function closeAll(): Promise<void> {
  const deadline = new Promise<void>(resolve => setTimeout(resolve, signalDeadlineMs));
  await Promise.race([Promise.allSettled([...open].map(ending => ending.close())), deadline]);
  closeAllNow();
}

function closeAllNow(): void {
  for (const ending of open) {
    open.delete(ending);
    try {
      ending.closeNow();
    } catch (error) {
      process.stderr.write(`could not end a server: ${String(error)}\n`);
    }
  }
}

/** Sends `signal` and waits for the exit; after `graceMs` the process is killed. */
export async function stopProcess(
  child: ChildProcess,
  signal: NodeJS.Signals,
  graceMs: number,
): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  await exited;
  clearTimeout(timer);
}

/** Waits without the event loop, at most `timeoutMs`, until `done` says so. */
export function waitNow(done: () => boolean, timeoutMs: number): void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (const end = Date.now() + timeoutMs; !done() && Date.now() < end; ) Atomics.wait(cell, 0, 0, 10);
}

/** A new private folder for a server's files. */
export function temporaryFolder(prefix: string, base = tmpdir()): string {
  return mkdtempSync(join(base, prefix));
}

/** Removes a server's folder, patient with files that a dying process still writes. */
export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}
