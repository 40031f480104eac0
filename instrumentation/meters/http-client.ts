import type { MeterContext } from './context';
import { subscribeAll } from './http/channels';
import { createClientConnections } from './http/client-connections';
import { createClientHosts } from './http/client-hosts';
import { nodeClient } from './http/client-node';
import { undiciSubscriptions } from './http/client-undici';

/**
 * Measures the HTTP requests that the process makes through `node:http`, `node:https`, `fetch` and undici, from
 * diagnostics channels alone. What the agent itself sends is left out.
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
      node.queued((host, requests) => {
        host.queue.set((host.queue.value ?? 0) + requests);
      });
    }),
    context.onTick(() => hosts.retire(performance.now())),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
