import cluster from 'node:cluster';
import { runCluster } from './cluster';
import { readConfig } from './config';
import { onShutdown } from './shutdown';
import { startShop } from './start';

async function main(): Promise<void> {
  const config = readConfig(process.env);
  if (config.workers > 1 && cluster.isPrimary) return runCluster(config);
  const shop = await startShop(config);
  onShutdown(config.shutdownTimeoutMs, () => shop.close());
  const listening = { event: 'listening', url: shop.url, pid: process.pid };
  // One line that a program can read: the port may have been any.
  if (cluster.isPrimary) console.log(JSON.stringify(listening));
  else process.send!(listening);
}

main().catch(error => {
  console.error(`mall: ${error instanceof Error ? error.message || String(error) : String(error)}`);
  // Not the code alone: a worker of a cluster is kept alive by its channel to the primary.
  process.exit(1);
});
