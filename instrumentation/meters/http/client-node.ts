import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { isInternal, isMakingInternal } from '../../internal';
import type { MeterContext } from '../context';
import type { Subscriptions } from './channels';
import type { ClientConnections } from './client-connections';
import { ClientFlight } from './client-flight';
import type { ClientHost, Outcome } from './client-host';
import type { ClientHosts } from './client-hosts';
import { nodeRequestTarget } from './node-target';
import { errorType } from './vocabulary';

/** Fields that Node.js has and its types lack. */
type Request = ClientRequest & {
  readonly agent?: Agent;
  readonly res?: (IncomingMessage & { readonly errored?: unknown }) | null;
  /** The connection was handed over to the application: 101, or an answer to CONNECT. */
  readonly upgradeOrConnect?: boolean;
};

/** What is read of `node:http`'s agents when somebody collects. */
export interface NodeClient {
  readonly subscriptions: Subscriptions;
  /** Adds the requests that wait in agents to `add`. */
  queued(add: (host: ClientHost, requests: number) => void): void;
}

/**
 * Requests of `node:http` and `node:https`.
 *
 * A request begins when it is made. Node.js 20 tells of it only when its body has been written, so there the wait
 * for a connection of the agent and the upload are not in the duration. It ends with its `close`: when the response
 * was read to its end, or when there will be none. Its error comes from the channel, because a listener for `error`
 * would keep an unhandled one from reaching the application. Upgrades and CONNECT leave no duration; their
 * connection counts as active until it closes.
 */
export function nodeClient(
  context: MeterContext,
  hosts: ClientHosts,
  connections: ClientConnections,
): NodeClient {
  const key = Symbol('otel-vitals.http-client.request');
  /** `null`: a request that is left out. */
  type Known = Request & { [key]?: ClientFlight | null };
  const agents = new Set<WeakRef<Agent>>();
  const seen = new WeakSet<Agent>();

  const hostOf = (request: Request): ClientHost => {
    const { address, port } = nodeRequestTarget(request);
    return hosts.find(address, port);
  };

  const begin = (request: Known): ClientFlight | undefined => {
    if (isMakingInternal() || isInternal(request)) {
      request[key] = null;
      return undefined;
    }
    const host = hostOf(request);
    const secure = request.protocol === 'https:';
    const flight = new ClientFlight(host, request.method, secure, context.exemplar());
    request[key] = flight;
    const { agent } = request;
    if (agent !== undefined && !seen.has(agent)) {
      seen.add(agent);
      agents.add(new WeakRef(agent));
    }
    return flight;
  };

  const carry = (flight: ClientFlight, socket: Socket): void => {
    connections.add(socket, flight.host);
    flight.on(socket, connections);
  };

  // Shared by all requests and told apart by `this`, so that a request costs no closure.
  function onSocket(this: Known, socket: Socket): void {
    const flight = this[key];
    if (flight == null) return;
    carry(flight, socket);
  }

  function onClose(this: Known): void {
    this[key]?.end(connections, outcomeOf(this));
  }

  return {
    subscriptions: {
      // Not on Node.js 20.
      'http.client.request.created': ({ request }: { request: Known }) => {
        if (begin(request) !== undefined) request.on('socket', onSocket).on('close', onClose);
      },
      'http.client.request.start': ({ request }: { request: Known }) => {
        if (request[key] !== undefined) return;
        const flight = begin(request);
        if (flight === undefined) return;
        request.on('close', onClose);
        if (request.socket !== null) carry(flight, request.socket);
      },
      'http.client.request.error': ({ request, error }: { request: Known; error: unknown }) => {
        // On Node.js 20 a request may fail before it was told of. The failure counts, and took no time that is known.
        const flight = request[key] === undefined ? begin(request) : request[key];
        flight?.end(connections, failure(request, errorType(error)));
      },
    },
    queued(add) {
      for (const reference of agents) {
        const agent = reference.deref();
        if (agent === undefined) {
          agents.delete(reference);
          continue;
        }
        for (const requests of Object.values(agent.requests)) {
          // One list holds the requests of one host.
          const first = requests?.[0] as unknown as Request | undefined;
          if (first !== undefined) add(hostOf(first), requests!.length);
        }
      }
    },
  };
}

function outcomeOf(request: Request): Outcome | undefined {
  if (request.upgradeOrConnect === true) return undefined;
  const { res } = request;
  if (res?.complete === true) {
    return { status: res.statusCode, error: undefined, version: res.httpVersion };
  }
  return failure(request, res?.errored == null ? 'aborted' : errorType(res.errored));
}

function failure({ res }: Request, error: string): Outcome {
  return { status: res?.statusCode, error, version: res?.httpVersion ?? '1.1' };
}
