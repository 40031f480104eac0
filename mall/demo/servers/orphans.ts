import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** What must not be left behind when this process is killed: a process, a folder, or something a script undoes. */
export type Orphan =
  /** Negative: a process group. */
  | { readonly pid: number; readonly signal: NodeJS.Signals }
  | { readonly folder: string }
  | { readonly script: string; readonly cwd: string; readonly env: Readonly<Record<string, string>> };

let guard: ChildProcess | undefined;
let lastId = 0;

/**
 * Has a small process of its own end `orphan` should this process be killed: SIGKILL and the kernel's out-of-memory
 * killer let nothing of ours run.
 *
 * @returns a function that takes it back, for what has ended in order
 */
export function guardAgainstKill(orphan: Orphan): () => void {
  const id = ++lastId;
  tell({ id, orphan });
  return () => tell({ id });
}

/** Ends the guard, when there is nothing left to guard; returns the process that is ending. */
export function dismissGuard(): number | undefined {
  guard?.kill('SIGKILL');
  const pid = guard?.pid;
  guard = undefined;
  return pid;
}

function tell(message: { readonly id: number; readonly orphan?: Orphan }): void {
  guard ??= startGuard();
  guard.stdin?.write(`${JSON.stringify(message)}\n`);
}

function startGuard(): ChildProcess {
  // In a session of its own: neither Ctrl-C nor a signal to our process group reaches it.
  const child = spawn(process.execPath, [join(__dirname, 'guard.mjs')], {
    cwd: '/',
    detached: true,
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Without a guard everything works as before, up to a SIGKILL.
  child.on('error', () => {});
  child.stdin.on('error', () => {});
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
  return child;
}
