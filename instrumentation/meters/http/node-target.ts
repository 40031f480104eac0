import type { Agent, ClientRequest } from 'node:http';

type Request = Pick<ClientRequest, 'host' | 'protocol' | 'getHeader'> & {
  readonly agent?: Agent;
};

/**
 * Host and port that a request of `node:http` goes to.
 *
 * Node.js keeps the host but not the port, which is in the Host header that it makes of both. Where the application
 * sends a Host header of its own, the port is in the name under which the agent keeps the request's connection.
 */
export function nodeRequestTarget(request: Request): { address: string; port: number } {
  const { host } = request;
  const address = host.startsWith('[') ? host.slice(1, -1) : host;
  return { address, port: portOf(request, address) };
}

function portOf(request: Request, address: string): number {
  const { agent } = request;
  const usual =
    (agent as { defaultPort?: number } | undefined)?.defaultPort ??
    (request.protocol === 'https:' ? 443 : 80);
  const header = request.getHeader('host');
  const named = address.includes(':') ? `[${address}]` : address;
  if (typeof header === 'string' && header.startsWith(named)) {
    if (header.length === named.length) return usual;
    if (header[named.length] === ':') return Number(header.slice(named.length + 1)) || usual;
  }
  if (agent === undefined) return usual;
  const prefix = `${request.host}:`;
  for (const lists of [agent.requests, agent.sockets]) {
    for (const name of Object.keys(lists)) {
      if (name.startsWith(prefix)) return Number.parseInt(name.slice(prefix.length), 10) || usual;
    }
  }
  return usual;
}
