import type { LogPosition } from '../entry';
import type { TierLink } from '../remote/remote-tier';
import type { InvalidationScope } from './log';

/** A second client of node-redis, for listening only: `client.duplicate()`, connected. */
export interface RedisSubscriber {
  readonly isReady?: boolean;
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
  unsubscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
  on(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
}

/** What processes tell each other. */
export type CacheMessage =
  | { readonly kind: 'key'; readonly key: string; readonly version: string }
  | { readonly kind: InvalidationScope; readonly name: string; readonly position: LogPosition };

/** Tells of a message; false where it is not known to be on its way. */
export async function publish(
  tier: TierLink,
  channel: string,
  origin: string,
  message: CacheMessage,
): Promise<boolean> {
  try {
    await tier.command(channel, false, ['PUBLISH', channel, JSON.stringify({ origin, ...message })]);
    return true;
  } catch (error) {
    tier.context.onError(error);
    return false;
  }
}

/** Who is told of what comes in. */
export interface MessageListener {
  onMessage(message: CacheMessage): void;
  /** Messages come from now on, or may be missed. */
  onListening(listening: boolean): void;
}

/**
 * Listens to the messages of other caches until the result is called. The client must resubscribe by itself when it
 * reconnects, as node-redis does before it says that it is ready. Holds no listener alive that nobody else holds.
 */
export function listen(
  subscriber: RedisSubscriber,
  channel: string,
  origin: string,
  listener: MessageListener,
  onError: (error: unknown) => void,
): () => void {
  const held = new WeakRef(listener);
  let subscribed = false;
  const onText = (text: string): void => {
    let message: CacheMessage & { readonly origin?: string };
    try {
      message = JSON.parse(text) as typeof message;
    } catch (error) {
      onError(error);
      return;
    }
    if (message.origin !== origin) held.deref()?.onMessage(message);
  };
  const onReady = (): void => {
    if (subscribed) held.deref()?.onListening(true);
  };
  const onGone = (): void => held.deref()?.onListening(false);
  const gone = ['error', 'end', 'reconnecting'];
  subscriber.on('ready', onReady);
  for (const event of gone) subscriber.on(event, onGone);
  subscriber.subscribe(channel, onText).then(() => {
    subscribed = true;
    if (subscriber.isReady !== false) onReady();
  }, onError);
  return () => {
    subscriber.off('ready', onReady);
    for (const event of gone) subscriber.off(event, onGone);
    // A client that is closed already has ended its subscriptions.
    subscriber.unsubscribe(channel, onText).catch(() => {});
  };
}
