import { queuedInUndici } from '../libraries/undici';
import type { MeterContext } from './context';
import { subscribeAll } from './http/channels';
import { createClientConnections } from './http/client-connections';
import type { ClientHost } from './http/client-host';
import { createClientHosts } from './http/client-hosts';
import { nodeClient } from './http/client-node';
import { undiciSubscriptions } from './http/client-undici';

/**
 * Measures the HTTP requests that the process makes through `node:http`, `node:https`, `fetch` and undici, from
 * diagnostics channels; only the requests that wait in a pool are asked of the pool. What the agent itself sends is
 * left out.
 */
export function meterHttpClient(context: MeterContext): () => void {
  const { registry, log } = context;
  const hosts = createClientHosts(registry);
  const connections = createClientConnections();
  const node = nodeClient(context, hosts, connections);

  const stops = [
    subscribeAll(log, { ...node.subscriptions, ...undiciSubscriptions(context, hosts, connections) }),
    registry.onCollect(() => {
      for (const host of hosts.all()) host.queue.set(host.waiting);
      const add = (host: ClientHost, requests: number): void =>
        host.queue.set((host.queue.value ?? 0) + requests);
      node.queued(add);
      queuedInUndici((origin, requests) => add(hosts.ofOrigin(origin), requests));
    }),
    context.onTick(() => hosts.retire(performance.now())),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
