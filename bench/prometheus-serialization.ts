import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { loadBundled } from './bundled';
import { makeShopMetrics } from './setups/shop-metrics';
import { median } from './spawned';
import type { BenchResult } from './types';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** What one run took, in milliseconds: altogether, and the longest that nothing else could run. */
interface Run {
  readonly total: number;
  readonly blocked: number;
}

const sizes = [
  { series: 10_000, rounds: 31 },
  { series: 100_000, rounds: 11 },
];

/**
 * From collected metrics to bytes ready to send, beside the stock serializer and what its server does, in one
 * process, on the same metrics, taking turns. A series is a line, as Prometheus counts them.
 *
 * The first scrape of a process stands in a row of its own: it makes the label text that later ones find ready.
 */
export async function run(): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const { series, rounds } of sizes) results.push(...(await compare(series, rounds)));
  return results;
}

async function compare(series: number, rounds: number): Promise<BenchResult[]> {
  // A copy for each size, so that no first scrape finds code that another has warmed up.
  const { createSerializer, writeExposition } = await loadBundled<typeof import('./setups/serialization')>(
    'bench/setups/serialization.ts',
  );
  const shop = makeShopMetrics(series);
  // Without scope labels, which ours leaves out by default: both write the same labels.
  const stock = new PrometheusSerializer('', false, undefined, false, true);
  const serializer = createSerializer();
  let bytes = 0;
  const writeStock = async (metrics: ResourceMetrics): Promise<void> => {
    bytes = Buffer.from(stock.serialize(metrics)).length;
  };
  const write = async (metrics: ResourceMetrics): Promise<void> => {
    bytes = (await writeExposition(serializer, metrics, 'text')).bytes;
  };

  const ours: Run[] = [];
  const peer: Run[] = [];
  for (let round = 0; round <= rounds; round++) {
    // As between two scrapes: new values and points, the same attributes.
    const metrics = shop.collect();
    // Each goes first every other time, and neither pays for what the other left behind.
    for (const stockTurn of round % 2 === 0 ? [true, false] : [false, true]) {
      gc();
      (stockTurn ? peer : ours).push(await measure(() => (stockTurn ? writeStock : write)(metrics)));
      if (bytes < series * 30) throw new Error(`Expected ${series} lines, got ${bytes} bytes`);
    }
  }
  const of = (runs: readonly Run[], key: keyof Run): number => median(runs.slice(1).map(run => run[key]));
  const title = `${series.toLocaleString('en')} series`;
  const row = (name: string, own: number, other: number, goal?: number): BenchResult => {
    const ratio = own / other;
    return {
      name,
      ours: own,
      peer: other,
      peerName: 'exporter-prometheus',
      unit: 'ms',
      ratio,
      goal: goal === undefined ? 'shown' : `<= ${goal}`,
      met: goal === undefined || ratio <= goal,
    };
  };
  return [
    row(`serialise ${title}`, of(ours, 'total'), of(peer, 'total'), 1 / 8),
    row(`longest block, ${title}`, of(ours, 'blocked'), of(peer, 'blocked'), 1 / 10),
    row(`first scrape, ${title}`, ours[0]!.total, peer[0]!.total),
    row(`longest block, first scrape, ${title}`, ours[0]!.blocked, peer[0]!.blocked),
  ];
}

/** Runs `work` beside a task that wants every turn of the event loop, and notes how long it had to wait at most. */
async function measure(work: () => Promise<void>): Promise<Run> {
  let blocked = 0;
  let last = performance.now();
  let running = true;
  const look = (): void => {
    const now = performance.now();
    blocked = Math.max(blocked, now - last);
    last = now;
    if (running) setImmediate(look);
  };
  await new Promise(setImmediate);
  setImmediate(look);
  const begin = performance.now();
  last = begin;
  await work();
  const total = performance.now() - begin;
  running = false;
  await new Promise(setImmediate);
  look();
  return { total, blocked };
}
