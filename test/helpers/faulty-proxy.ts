import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type AddressInfo, connect, createServer } from 'node:net';

/**
 * What the proxy does to what passes: nothing; has answers come late; holds all of it back for good; ends connections,
 * also new ones, with a reset; takes requests and loses the answers.
 */
export type Fault = 'none' | 'slow' | 'hang' | 'reset' | 'lose answers';

/** How late, in milliseconds. */
const slowMs = 15;

/** A proxy before a real server, whose network can be broken and mended. */
export interface FaultyProxy {
  readonly port: number;
  /** From now on; mending also ends connections that a fault left halfway. */
  set(fault: Fault): void;
  close(): Promise<void>;
}

/** Starts a TCP proxy before `127.0.0.1:port`. */
export async function startFaultyProxy(port: number): Promise<FaultyProxy> {
  let fault: Fault = 'none';
  const pairs = new Set<readonly [Socket, Socket]>();
  const server = createServer(client => {
    if (fault === 'reset') {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(port, '127.0.0.1');
    const pair = [client, upstream] as const;
    pairs.add(pair);
    client.on('data', chunk => {
      if (fault !== 'hang') upstream.write(chunk);
    });
    upstream.on('data', chunk => {
      if (fault === 'none') client.write(chunk);
      if (fault === 'slow') setTimeout(() => client.write(chunk), slowMs);
    });
    for (const socket of pair) {
      // A broken connection is what this proxy is for.
      socket.on('error', () => {});
      socket.on('close', () => {
        pairs.delete(pair);
        client.destroy();
        upstream.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const [client, upstream] of pairs) {
      client.resetAndDestroy();
      upstream.destroy();
    }
  };
  return {
    port: (server.address() as AddressInfo).port,
    set(next) {
      // A stream from which bytes are missing makes no sense to either side any more.
      if (next === 'reset' || (next === 'none' && fault !== 'none')) cut();
      fault = next;
    },
    async close() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
