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
  // `npm run demo | head` closes our output; without a listener that would be an uncaught exception.
  process.stdout.on('error', () => interrupt(128 + constants.signals.SIGPIPE));
  return state;
}
