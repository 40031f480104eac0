import { createClient, createCluster } from 'redis';
import { freePort } from '../../mall/demo/servers/port';
import { type RedisServer, startRedis } from './redis';
import { until } from './until';

/** A Redis Cluster of our own: three masters, and a replica of the first that takes over when it is gone. */
export interface RedisClusterServers {
  readonly masters: readonly RedisServer[];
  readonly replica: RedisServer;
  readonly rootNodes: readonly { url: string }[];
  close(): Promise<void>;
}

const slots = 16_384;
/** For how long a node may be silent before others take it for gone, in milliseconds. */
const nodeTimeoutMs = 1000;

/** Starts one on ephemeral ports of the loopback interface. */
export async function startRedisCluster(): Promise<RedisClusterServers> {
  const nodes: { server: RedisServer; bus: number }[] = [];
  for (let i = 0; i < 4; i++) {
    const bus = await freePort();
    const settings = {
      'cluster-enabled': 'yes',
      'cluster-port': bus,
      'cluster-node-timeout': nodeTimeoutMs,
      'cluster-require-full-coverage': 'no',
      'cluster-replica-validity-factor': 0,
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    nodes.push({ server: await startRedis(args), bus });
  }
  const admins = nodes.map(({ server }) => createClient({ url: server.url }));
  for (const admin of admins) {
    admin.on('error', () => {});
    await admin.connect();
  }
  const [first, ...others] = admins;
  for (const [i, { server, bus }] of nodes.entries()) {
    if (i > 0) await first!.sendCommand(['CLUSTER', 'MEET', '127.0.0.1', String(server.port), String(bus)]);
    if (i === 3) break;
    const [from, to] = [Math.floor((slots * i) / 3), Math.floor((slots * (i + 1)) / 3) - 1];
    await admins[i]!.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', String(from), String(to)]);
  }
  const firstId = String(await first!.sendCommand(['CLUSTER', 'MYID']));
  const replica = others.at(-1)!;
  await until(async () => String(await replica.sendCommand(['CLUSTER', 'NODES'])).includes(firstId));
  await replica.sendCommand(['CLUSTER', 'REPLICATE', firstId]);
  await until(async () => {
    const infos = await Promise.all(admins.map(admin => admin.sendCommand(['CLUSTER', 'INFO'])));
    const info = String(await replica.sendCommand(['INFO', 'replication']));
    return (
      infos.every(info =>
        /cluster_state:ok[\s\S]*cluster_known_nodes:4[\s\S]*cluster_size:3/.test(String(info)),
      ) && info.includes('master_link_status:up')
    );
  });
  for (const admin of admins) admin.destroy();
  const servers = nodes.map(({ server }) => server);
  return {
    masters: servers.slice(0, 3),
    replica: servers[3]!,
    rootNodes: servers.map(({ url }) => ({ url })),
    close: () => Promise.all(servers.map(server => server.close())).then(() => {}),
  };
}

/** A connected client of it. */
export async function connectCluster({ rootNodes }: Pick<RedisClusterServers, 'rootNodes'>) {
  const cluster = createCluster({
    rootNodes: [...rootNodes],
    defaults: { disableOfflineQueue: true, socket: { connectTimeout: 500, reconnectStrategy: () => 20 } },
  });
  cluster.on('error', () => {});
  await cluster.connect();
  return cluster;
}
