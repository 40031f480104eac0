import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Orphan } from './orphans';
import { dismissGuard, guardAgainstKill } from './orphans';

/** Something that must not outlive this process. */
export interface Ending {
  /** Ends it in order. */
  close(): Promise<void>;
  /** Ends it without the event loop, when the process is already exiting. */
  closeNow(): void;
  /** How it is ended when this process has been killed. */
  readonly orphan?: Orphan;
}

/** How a child process is ended. */
export interface ChildEnding {
  /** Asks it to end in order. */
  readonly signal: NodeJS.Signals;
  /** How long it may take to. */
  readonly graceMs: number;
  /** Ends it at once, its own children too. @default 'SIGKILL', sent to its whole process group */
  readonly atOnce?: NodeJS.Signals | undefined;
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const signalDeadlineMs = 8000;
const open = new Set<Ending>();
const folders = new Map<string, () => void>();
let watching = false;

/**
 * Ends `ending` with this process: on a normal exit, an uncaught exception, SIGINT, SIGTERM and SIGHUP, and, where it
 * says how, after a SIGKILL.
 *
 * Where the program has its own listener for a signal it decides itself when to exit, and the exit ends the rest.
 *
 * @returns a function that closes it now, once.
 */
export function endWithProcess(ending: Ending): () => Promise<void> {
  open.add(ending);
  watch();
  const unguard = ending.orphan && guardAgainstKill(ending.orphan);
  let closing: Promise<void> | undefined;
  return () => {
    closing ??= ending.close().finally(() => {
      open.delete(ending);
      unguard?.();
    });
    return closing;
  };
}

/**
 * Ends `child`, which was spawned `detached`, with this process, from that moment on.
 *
 * @returns a function that ends it now, in order.
 */
export function endChildWithProcess(child: ChildProcess, how: ChildEnding): () => Promise<void> {
  const { pid } = child;
  // It could not be spawned, and says so in an `error` event.
  if (pid === undefined) return async () => {};
  const { signal, graceMs, atOnce } = how;
  // Spawned `detached`, it leads a process group, of which a SIGKILL must reach everyone.
  const orphan = atOnce === undefined ? { pid: -pid, signal: 'SIGKILL' as const } : { pid, signal: atOnce };
  const close = endWithProcess({
    close: () => stopProcess(child, signal, graceMs),
    closeNow() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      process.kill(orphan.pid, orphan.signal);
      waitNow(() => hasEnded(pid), 3000);
    },
    orphan,
  });
  // The number may be another process's from now on.
  child.once('exit', () => void close());
  return close;
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

/** The last started first, as each may use those before it; what they kept in folders goes after all of them. */
function closeAllNow(): void {
  for (const ending of [...open].reverse()) {
    open.delete(ending);
    attempt(() => ending.closeNow());
  }
  for (const folder of folders.keys()) attempt(() => removeFolder(folder));
  const guard = dismissGuard();
  if (guard !== undefined) waitNow(() => hasEnded(guard), 1000);
}

function attempt(work: () => void): void {
  try {
    work();
  } catch (error) {
    process.stderr.write(`something could not be ended: ${String(error)}\n`);
  }
}

/** Sends `signal` and waits for the exit; after `graceMs` the process is killed. */
export async function stopProcess(
  child: ChildProcess,
  signal: NodeJS.Signals,
  graceMs: number,
): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  await exited;
  clearTimeout(timer);
}

/** Waits without the event loop, at most `timeoutMs`, until `done` says so. */
function waitNow(done: () => boolean, timeoutMs: number): void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (const end = Date.now() + timeoutMs; !done() && Date.now() < end; ) Atomics.wait(cell, 0, 0, 5);
}

/** Whether a child has ended, without the event loop, which would take note of it. */
function hasEnded(pid: number): boolean {
  try {
    // A process that has ended and was not yet taken note of is a zombie, and could still be signalled.
    if (process.platform === 'linux') return / Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
    return !process.kill(pid, 0);
  } catch {
    return true;
  }
}

/** A new private folder for a server's files, which goes with this process. */
export function temporaryFolder(prefix: string, base = tmpdir()): string {
  watch();
  const folder = join(base, prefix + randomBytes(6).toString('hex'));
  folders.set(folder, guardAgainstKill({ folder }));
  mkdirSync(folder, { mode: 0o700 });
  return folder;
}

/** Removes a server's folder, patient with files that a dying process still writes. */
export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  folders.get(folder)?.();
  folders.delete(folder);
}
