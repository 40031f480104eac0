/**
 * What a tier needs of a client of node-redis 4, 5 or 6, of one Redis or of a cluster. Its parameters differ between
 * the two; which one it is shows in other properties.
 */
export interface RedisClient {
  /** False while disconnected: commands then fail at once instead of queueing up in the client. */
  readonly isReady?: boolean;
  readonly isOpen?: boolean;
  sendCommand(...args: never[]): Promise<unknown>;
}

/** What Redis answers a command. Strings come as bytes. */
export type Reply = Buffer | string | number | null | undefined | readonly Reply[];

/** Sends commands in the one way to a Redis and in the other to a cluster. */
export interface Commands {
  /** Whether it makes sense to send one now. */
  ready(): boolean;
  /** @param key decides the node of a cluster */
  send(key: string, isReadOnly: boolean, args: readonly (string | Buffer)[]): Promise<Reply>;
}

/** Strings as bytes: the first for node-redis 4, the second, by the type's sign in the protocol, for 5 and later. */
const asBytes = { returnBuffers: true, typeMapping: { 36: Buffer } };
/** Without node-redis 6's own time limit, whose AbortSignal costs as much as the rest of a command; the tier has one. */
const untimed = { ...asBytes, timeout: undefined };

/** @throws TypeError when `client` is none */
export function commandsOf(name: string, client: RedisClient): Commands {
  if (typeof (client as Partial<RedisClient> | undefined)?.sendCommand !== 'function') {
    throw new TypeError(`Expected ${name}.client to be a client of node-redis, got ${String(client)}`);
  }
  if ('slots' in client || 'masters' in client) {
    const cluster = client as unknown as {
      isOpen?: boolean;
      sendCommand(
        key: string,
        isReadOnly: boolean,
        args: readonly unknown[],
        options: object,
      ): Promise<Reply>;
    };
    return {
      ready: () => cluster.isOpen !== false,
      send: (key, isReadOnly, args) => cluster.sendCommand(key, isReadOnly, args, asBytes),
    };
  }
  const single = client as unknown as {
    isReady?: boolean;
    sendCommand(args: readonly unknown[], options: object): Promise<Reply>;
  };
  return {
    ready: () => single.isReady !== false,
    send: (_key, _isReadOnly, args) => single.sendCommand(args, untimed),
  };
}
