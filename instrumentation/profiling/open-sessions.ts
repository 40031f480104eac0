/**
 * How many sessions of V8's inspector the worker has on the main thread, in memory that both share: at exit the main
 * thread has to know, and can no longer turn its event loop to be told.
 */
export function createSessionMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(4);
}

/** The worker's side. */
export interface SessionCounter {
  opened(): void;
  closed(): void;
}

/** To be called when the worker begins: the sessions of one that ended before it are gone with it. */
export function countSessions(memory: SharedArrayBuffer): SessionCounter {
  const count = new Int32Array(memory);
  Atomics.store(count, 0, 0);
  return {
    opened: () => void Atomics.add(count, 0, 1),
    closed() {
      Atomics.sub(count, 0, 1);
      Atomics.notify(count, 0);
    },
  };
}

/**
 * Asks the worker to end its sessions, and waits until it has. For the `exit` event, and nowhere else: it blocks.
 *
 * A session that is open when Node.js ends costs the application a line on stderr about a debugger. And a CPU profile
 * that runs then can end the process with SIGSEGV in place of its exit code: V8's sampling thread goes on to look for
 * the tracing controller that Node.js has disposed of.
 *
 * @param deadlineMs after which it is left at that, for a worker that is busy or gone
 * @returns whether none is open any more
 */
export function endSessions(memory: SharedArrayBuffer, ask: () => void, deadlineMs: number): boolean {
  const count = new Int32Array(memory);
  if (Atomics.load(count, 0) === 0) return true;
  ask();
  const giveUp = performance.now() + deadlineMs;
  for (;;) {
    // The worker has asked V8 to interrupt this thread before it counts down, and at the end of a turn of a loop V8
    // lets itself be interrupted: so a session that is counted as closed is closed when the loop is left.
    const open = Atomics.load(count, 0);
    const leftMs = giveUp - performance.now();
    if (open === 0 || leftMs <= 0) return open === 0;
    Atomics.wait(count, 0, open, leftMs);
  }
}
