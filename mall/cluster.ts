import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import type { Config } from './config';
import { presetBehaviour } from './payment/behaviour';
import { buildGateway } from './payment/gateway';
import { onShutdown } from './shutdown';

/** A worker that ends by itself is replaced after this long. */
const restartMs = 1000;

/**
 * Several processes of the shop on one port: this one starts them, replaces those that die, and ends them in order.
 * Each serves its own metrics, on the port of OTEL_EXPORTER_PROMETHEUS_PORT and those after it.
 */
export async function runCluster(config: Config): Promise<void> {
  let closing = false;
  // One for all: it must know of every charge.
  const gateway = config.paymentUrl === undefined ? buildGateway(presetBehaviour) : undefined;
  const paymentUrl = config.paymentUrl ?? (await gateway!.listen({ host: '127.0.0.1', port: 0 }));
  const urls = new Map<number, string>();

  const fork = (place: number): Worker => {
    const worker = cluster.fork({ PAYMENT_URL: paymentUrl, ...metricsPort(place) });
    worker.on('message', (message: { event?: string; url?: string }) => {
      if (message.event !== 'listening' || urls.has(place)) return;
      urls.set(place, message.url!);
      if (urls.size < config.workers) return;
      console.log(JSON.stringify({ event: 'listening', url: message.url, pid: process.pid }));
    });
    worker.once('exit', (code, signal) => {
      if (closing) return;
      console.error(`mall: worker ${worker.process.pid} ended: ${signal ?? `exit code ${code}`}`);
      if (!urls.has(place)) {
        // It never got to listen, and the next would fare no better.
        process.exitCode = 1;
        void close();
      } else setTimeout(() => closing || fork(place), restartMs);
    });
    return worker;
  };
  const close = async (): Promise<void> => {
    closing = true;
    const workers = Object.values(cluster.workers ?? {}) as Worker[];
    await Promise.all(
      workers.map(worker => {
        const exited = once(worker, 'exit');
        // With `kill` of the worker it would be disconnected first, and its requests with it.
        worker.process.kill('SIGTERM');
        return exited;
      }),
    );
    await gateway?.close();
  };
  // The workers have their own deadline; ours is for one that does not keep it.
  onShutdown(config.shutdownTimeoutMs + 1000, close);
  for (let place = 0; place < config.workers; place++) fork(place);
}

function metricsPort(place: number): NodeJS.ProcessEnv {
  const name = 'OTEL_EXPORTER_PROMETHEUS_PORT';
  const first = Number(process.env[name] || 9464);
  // The primary has the first where it runs under the preload too.
  return first > 0 ? { [name]: String(first + 1 + place) } : {};
}
