import { errorText, type Log } from './log';

/**
 * Wraps what Node.js calls on the agent's behalf (timers, observers, channels): an error in it becomes one warning
 * instead of the application's uncaught exception.
 *
 * @param what names the work in the warning
 */
export function guarded<A extends unknown[]>(
  log: Log,
  what: string,
  work: (...args: A) => void,
): (...args: A) => void {
  return (...args) => {
    try {
      work(...args);
    } catch (error) {
      log.warnOnce(`guard ${what}`, `${what} failed: ${errorText(error)}`);
    }
  };
}
