import type { Log } from './log';
import { errorText } from './log';

const signals = ['SIGTERM', 'SIGINT'] as const;

/**
 * Gives what was measured last a chance to leave when the process ends, without changing how it ends:
 *
 * - SIGTERM and SIGINT: our listener steps aside at once, so that others which count the listeners that are left
 *   decide as they would without us. If there is none, the flush runs up to its deadline and the signal is sent
 *   again, of which the process then dies.
 * - an event loop with nothing left to do: one flush, and no second one.
 * - `process.exit()` and uncaught exceptions end the process at once; Node.js lets nothing asynchronous run then.
 *
 * @param flush must settle by itself within `deadlineMs`; it is left behind when it does not
 */
export function watchEnd(flush: () => Promise<void>, deadlineMs: number, log: Log): () => void {
  const bounded = (holdProcess: boolean): Promise<void> =>
    withDeadline(flush(), deadlineMs, holdProcess).catch(error =>
      log.debug(`last flush: ${errorText(error)}`),
    );

  const onSignal = (signal: NodeJS.Signals): void => {
    stopSignals();
    const othersDecide = process.listenerCount(signal) > 0;
    // An application that drains by itself may end by process.exit(), so what there is leaves now all the same.
    void bounded(!othersDecide).then(() => {
      if (!othersDecide) process.kill(process.pid, signal);
    });
  };
  const onBeforeExit = (): void => {
    // The flush gives the event loop work, after which the event comes again.
    process.removeListener('beforeExit', onBeforeExit);
    void bounded(true);
  };

  const stopSignals = (): void => {
    for (const signal of signals) process.removeListener(signal, onSignal);
  };
  // First in the row, so that it is gone before another listener looks who else is there.
  for (const signal of signals) process.prependListener(signal, onSignal);
  process.on('beforeExit', onBeforeExit);
  return () => {
    stopSignals();
    process.removeListener('beforeExit', onBeforeExit);
  };
}

/**
 * Settles with `work`, or resolves after `deadlineMs`.
 *
 * @param holdProcess whether the process stays alive for it
 */
export function withDeadline(work: Promise<void>, deadlineMs: number, holdProcess: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, deadlineMs);
    if (!holdProcess) timer.unref();
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
