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
    await tier.command(channel, false, ['PUBLISH', channel, written(origin, message)]);
    return true;
  } catch (error) {
    tier.context.onError(error);
    return false;
  }
}

/** Versions are bytes, which JSON would take for text. */
function written(origin: string, message: CacheMessage): string {
  if (message.kind !== 'key') return JSON.stringify({ origin, ...message });
  return JSON.stringify({
    origin,
    ...message,
    version: Buffer.from(message.version, 'latin1').toString('hex'),
  });
}

/** @throws TypeError when it is no message of a cache: anybody may publish on the channel. */
function read(text: string): { origin: unknown; message: CacheMessage } {
  const { origin, kind, key, version, name, position } = JSON.parse(text) ?? {};
  const isText = (...values: unknown[]): boolean => values.every(value => typeof value === 'string');
  if (kind === 'key' && isText(key, version)) {
    return { origin, message: { kind, key, version: Buffer.from(version, 'hex').toString('latin1') } };
  }
  const isPosition = Number.isFinite(position?.ms) && Number.isFinite(position?.seq);
  if ((kind === 'tag' || kind === 'prefix') && isText(name) && isPosition) {
    return { origin, message: { kind, name, position } };
  }
  throw new TypeError(`Expected a message of a cache, got ${text.slice(0, 100)}`);
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
    // What it throws would be thrown into the client, which is the application's.
    try {
      const heard = read(text);
      if (heard.origin !== origin) held.deref()?.onMessage(heard.message);
    } catch (error) {
      onError(error);
    }
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
