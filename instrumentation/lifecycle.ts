import { guarded } from './guard';
import type { Log } from './log';
import { errorText } from './log';

const signals = ['SIGTERM', 'SIGINT'] as const;

/** As they were before the application could replace them; a signal must end the process whatever it did. */
const { removeListener, listenerCount, kill } = process;

/**
 * Gives what was measured last a chance to leave when the process ends, without changing how it ends:
 *
 * - SIGTERM and SIGINT: our listener steps aside at once, so that others which count the listeners that are left
 *   decide as they would without us. If there is none, the flush runs up to its deadline and the signal is sent
 *   again, of which the process then dies.
 * - an event loop with nothing left to do: one flush, then whatever the application does at `beforeExit`.
 * - `process.exit()` and uncaught exceptions end the process at once; Node.js lets nothing asynchronous run then.
 *
 * @param flush must settle by itself within `deadlineMs`; it is left behind when it does not
 * @param beforeKill called before the signal is sent again, for which Node.js emits no `exit` event, though it runs what
 *   it has to do at an exit
 */
export function watchEnd(
  flush: () => Promise<void>,
  deadlineMs: number,
  log: Log,
  beforeKill: () => void = () => {},
): () => void {
  const bounded = (holdProcess: boolean): Promise<void> =>
    withDeadline(flush(), deadlineMs, holdProcess).catch(error =>
      log.debug(`last flush: ${errorText(error)}`),
    );

  const onSignal = guarded(log, 'the flush at a signal', (signal: NodeJS.Signals) => {
    stopSignals();
    const othersDecide = listenerCount.call(process, signal) > 0;
    // An application that drains by itself may end by process.exit(), so what there is leaves now all the same.
    void bounded(!othersDecide).then(() => {
      if (othersDecide) return;
      beforeKill();
      kill.call(process, process.pid, signal);
    });
  });
  const stopSignals = (): void => {
    for (const signal of signals) removeListener.call(process, signal, onSignal);
  };
  // First in the row, so that it is gone before another listener looks who else is there.
  for (const signal of signals) process.prependListener(signal, onSignal);

  const stopBeforeExit = beforeExitOnce(() => bounded(true));
  return () => {
    stopSignals();
    stopBeforeExit();
  };
}

/**
 * Runs `flush` when the event loop has nothing left to do, and lets the `beforeExit` event through afterwards.
 *
 * A listener of that event which starts something makes Node.js emit it again, and the application's own listeners,
 * which may end a connection pool, would run twice. So the first event is held back.
 */
function beforeExitOnce(flush: () => Promise<void>): () => void {
  const { emit } = process;
  const inherited = !Object.hasOwn(process, 'emit');
  let waiting = true;
  const value = function (this: NodeJS.Process, event: string, ...args: unknown[]): boolean {
    if (!waiting || event !== 'beforeExit') return Reflect.apply(emit, this, [event, ...args]) as boolean;
    stop();
    // The event comes again only if the loop has had something to do.
    setImmediate(() => {});
    void flush();
    return true;
  };
  const stop = (): void => {
    waiting = false;
    // Where somebody put theirs over ours, ours stays below it and hands everything on.
    if (process.emit !== (value as typeof emit)) return;
    if (inherited) Reflect.deleteProperty(process, 'emit');
    else process.emit = emit;
  };
  Object.defineProperty(process, 'emit', { configurable: true, enumerable: false, writable: true, value });
  return stop;
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
