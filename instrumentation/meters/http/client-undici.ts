import type { Socket } from 'node:net';
import type { MeterContext } from '../context';
import type { Subscriptions } from './channels';
import type { ClientConnections } from './client-connections';
import { ClientFlight } from './client-flight';
import type { ClientHosts } from './client-hosts';
import { errorType } from './vocabulary';

/** undici's own request object, of its channels. */
interface Request {
  readonly origin: string | URL;
  readonly method: string;
  readonly upgrade?: string | boolean | null;
}

interface Connected {
  readonly socket: Socket;
  readonly connectParams: {
    readonly protocol: string;
    /** With the port, if it is not the scheme's. */
    readonly host: string;
    readonly version?: string;
  };
}

/**
 * Requests of `fetch` and of undici, which publish on the same channels, whether undici is Node's own or the
 * application's. A request begins when it is given to a client, and so waits for the client's connection within its
 * duration; one that waits for a client of a full pool begins when it gets one.
 * Each redirect and each retry is a request. Upgrades and CONNECT are left out: older undici publishes no end of
 * theirs.
 */
export function undiciSubscriptions(
  context: MeterContext,
  hosts: ClientHosts,
  connections: ClientConnections,
): Subscriptions {
  const key = Symbol('otel-vitals.http-client.request');
  type Known = Request & { [key]?: ClientFlight };

  const take = (flight: ClientFlight): void => {
    if (flight.sent) return;
    flight.sent = true;
    flight.host.waiting--;
  };

  const end = (flight: ClientFlight | undefined, error: string | undefined): void => {
    if (flight === undefined) return;
    take(flight);
    flight.end(connections, { status: flight.status, error, version: connections.version(flight.socket) });
  };

  return {
    'undici:request:create': ({ request }: { request: Known }) => {
      if (request.method === 'CONNECT' || request.upgrade) return;
      const origin = String(request.origin);
      const host = hosts.ofOrigin(origin);
      const secure = origin.startsWith('https');
      request[key] = new ClientFlight(host, request.method, secure, context.exemplar());
      host.waiting++;
    },
    'undici:client:connected': ({ socket, connectParams }: Connected) => {
      const host = hosts.ofOrigin(`${connectParams.protocol}//${connectParams.host}`);
      connections.add(socket, host, connectParams.version === 'h2' ? '2' : '1.1');
    },
    'undici:client:sendHeaders': ({ request, socket }: { request: Known; socket: Socket }) => {
      const flight = request[key];
      if (flight === undefined) return;
      take(flight);
      flight.on(socket, connections);
    },
    'undici:request:headers': ({
      request,
      response,
    }: {
      request: Known;
      response: { statusCode: number };
    }) => {
      const flight = request[key];
      // An interim response comes first; the last one is the answer.
      if (flight !== undefined) flight.status = response.statusCode;
    },
    'undici:request:trailers': ({ request }: { request: Known }) => end(request[key], undefined),
    'undici:request:error': ({ request, error }: { request: Known; error: unknown }) =>
      end(request[key], errorType(error)),
  };
}
