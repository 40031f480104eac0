import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { errorText, type Log } from '../../log';

/** What a meter does on each message of one of Node's diagnostics channels. */
export type Subscriptions = Readonly<Record<string, (message: never) => void>>;

/**
 * Subscribes to channels by name; the result unsubscribes. What a subscriber throws is said once and dropped,
 * because Node.js raises it as the application's uncaught exception.
 */
export function subscribeAll(log: Log, subscriptions: Subscriptions): () => void {
  const guarded = Object.entries(subscriptions).map(([name, listener]) => {
    const onMessage = listener as (message: unknown) => void;
    const guard = (message: unknown): void => {
      try {
        onMessage(message);
      } catch (error) {
        log.warnOnce(`channel ${name}`, `the meter on ${name} failed: ${errorText(error)}`);
      }
    };
    subscribe(name, guard);
    return { name, guard };
  });
  return () => {
    for (const { name, guard } of guarded) unsubscribe(name, guard);
  };
}
