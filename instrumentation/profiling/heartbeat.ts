/** Bytes of memory that the main thread and the watching worker share. */
const size = 16;
/** In place of a number of beats: the main thread beats no more. */
const ended = -1;

/** A memory for one heart. */
export function createHeartbeatMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(size);
}

/** Beats so often that a block of `stallMs` is known to a fifth of it. */
export function beatIntervalMs(stallMs: number): number {
  return Math.max(4, Math.floor(stallMs / 5));
}

/**
 * Lets the worker see that this thread's event loop turns: a timer counts, and says how late it came. Does not keep
 * the process alive.
 */
export function startHeartbeat(memory: SharedArrayBuffer, intervalMs: number): () => void {
  const beats = new Int32Array(memory, 0, 1);
  const late = new Float64Array(memory, 8, 1);
  let due = performance.now() + intervalMs;
  const timer = setInterval(() => {
    const now = performance.now();
    // What held it up began somewhere in the interval before it was due; the middle is the best guess.
    late[0] = now - due + intervalMs / 2;
    Atomics.store(beats, 0, (Atomics.load(beats, 0) + 1) & 0x7fffffff);
    due = now + intervalMs;
  }, intervalMs).unref();
  return () => {
    clearInterval(timer);
    Atomics.store(beats, 0, ended);
  };
}

/** The heart as the worker sees it. */
export interface Heartbeat {
  /** Changes with every beat; 0 before the first, `undefined` after the last. */
  beat(): number | undefined;
  /** How long the loop was held up before the last beat, in milliseconds. */
  blockedMs(): number;
}

export function readHeartbeat(memory: SharedArrayBuffer): Heartbeat {
  const beats = new Int32Array(memory, 0, 1);
  const late = new Float64Array(memory, 8, 1);
  return {
    beat() {
      const beat = Atomics.load(beats, 0);
      return beat === ended ? undefined : beat;
    },
    blockedMs: () => late[0]!,
  };
}
