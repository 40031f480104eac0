import { readFileSync } from 'node:fs';
import { constants } from 'node:os';

/** Why the demo is to end before its time. */
export interface Interruption {
  /** The exit code that says so: 128 and the signal's number, as a shell would. */
  readonly exitCode: number;
}

/** Turns Ctrl-C, SIGTERM, a closed terminal and a closed pipe into one promise. */
export interface Interrupts {
  readonly happened: Promise<Interruption>;
  /** What happened, once it has. */
  readonly present: Interruption | undefined;
}

const parentEveryMs = 500;

/** npm passes on a signal that the terminal has sent already: a second one so soon is the same Ctrl-C. */
const sameMs = 1000;

/**
 * Listens from now on. A second, later signal ends the process at once; what it started still ends with it.
 */
export function listenForInterrupts(): Interrupts {
  let settle!: (interruption: Interruption) => void;
  let at = 0;
  const state: { happened: Promise<Interruption>; present: Interruption | undefined } = {
    happened: new Promise(resolve => {
      settle = resolve;
    }),
    present: undefined,
  };
  const interrupt = (exitCode: number): void => {
    if (state.present === undefined) {
      at = performance.now();
      state.present = { exitCode };
      settle(state.present);
    } else if (performance.now() - at > sameMs) {
      process.exit(exitCode);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => interrupt(128 + constants.signals[signal]));
  }
  if (process.env['npm_lifecycle_event'] !== undefined)
    onOrphaned(() => interrupt(128 + constants.signals.SIGHUP));
  // `npm run demo | head` closes our output; without a listener that would be an uncaught exception.
  process.stdout.on('error', () => interrupt(128 + constants.signals.SIGPIPE));
  return state;
}

/** Under `npm run` there is a shell between npm and us, and neither tells us when npm is killed. */
function onOrphaned(listener: () => void): void {
  const before = ancestors();
  const timer = setInterval(() => {
    if (ancestors() === before) return;
    clearInterval(timer);
    listener();
  }, parentEveryMs);
  timer.unref();
}

/** Our parent and, on Linux, its parent. */
function ancestors(): string {
  const parent = process.ppid;
  try {
    const fields = readFileSync(`/proc/${parent}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    return `${parent} ${fields[1]}`;
  } catch {
    return `${parent}`;
  }
}
