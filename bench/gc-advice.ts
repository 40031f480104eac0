import { join } from 'node:path';
import type { VitalsReport } from '../instrumentation/diagnosis';
import { freePort, load, measuredEnv, median, repository, type Server, setups, startServer } from './spawned';
import type { BenchResult } from './types';

const script = join(repository, 'bench/setups/allocating-server.cjs');
const windowMs = 1000;
const connections = 64;
/** Rounds after which the young generation is as large as it gets, and from which advice is taken. */
const warmUp = 8;
const rounds = 12;

/** A service that allocates much, with what Node.js comes with and with what the gc tuner then advises, in turns. */
export async function run(): Promise<BenchResult[]> {
  const plain = await start([]);
  let advised: Started | undefined;
  try {
    await load([plain.target], { rounds: warmUp, windowMs, connections, rate: 0 });
    const { gc } = await plain.vitals();
    const flags = gc!.recommendations.flatMap(recommendation => recommendation.flags);
    if (flags.length === 0) throw new Error(`Expected advice, got none: ${JSON.stringify(gc!.stats)}`);
    for (const { advice } of gc!.recommendations) console.error(`  ${advice}`);

    advised = await start(flags);
    await load([advised.target], { rounds: warmUp, windowMs, connections, rate: 0 });
    const turns: (readonly [plain: Turn, advised: Turn])[] = [];
    for (let i = 0; i < rounds; i++) turns.push([await turn(plain), await turn(advised)]);
    const figures = (of: 0 | 1, figure: keyof Turn): number[] => turns.map(pair => pair[of][figure]);
    // Medians of neighbours, because what else the machine does makes a pause several times as long.
    const ratio = (figure: keyof Turn): number =>
      median(turns.map(([one, other]) => other[figure] / one[figure]));
    const faster = ratio('requestsPerSecond');
    const cheaper = ratio('gcMicroseconds');
    const peerName = 'defaults';
    return [
      {
        name: `GC time with ${flags.join(' ')}`,
        ours: median(figures(1, 'gcMicroseconds')),
        peer: median(figures(0, 'gcMicroseconds')),
        peerName,
        unit: 'us per request',
        ratio: cheaper,
        goal: '<= 0.7, or throughput >= 1.1',
        met: cheaper <= 0.7 || faster >= 1.1,
      },
      {
        name: 'throughput with them',
        ours: median(figures(1, 'requestsPerSecond')),
        peer: median(figures(0, 'requestsPerSecond')),
        peerName,
        unit: 'requests/s',
        ratio: faster,
        goal: '',
        met: undefined,
      },
      {
        name: 'CPU time with them',
        ours: median(figures(1, 'cpuMicroseconds')),
        peer: median(figures(0, 'cpuMicroseconds')),
        peerName,
        unit: 'us per request',
        ratio: ratio('cpuMicroseconds'),
        goal: '',
        met: undefined,
      },
    ];
  } finally {
    await plain.server.close();
    await advised?.server.close();
  }
}

/** One window of load on one server. */
interface Turn {
  readonly gcMicroseconds: number;
  readonly cpuMicroseconds: number;
  readonly requestsPerSecond: number;
}

async function turn(server: Started): Promise<Turn> {
  const before = await gcMs(server);
  const [windows] = await load([server.target], { rounds: 1, windowMs, connections, rate: 0 });
  const { requestsPerSecond, cpuMicroseconds } = windows![0]!;
  const answered = requestsPerSecond * (windowMs / 1000);
  return {
    gcMicroseconds: (((await gcMs(server)) - before) * 1000) / answered,
    cpuMicroseconds,
    requestsPerSecond,
  };
}

interface Started {
  readonly server: Server;
  readonly target: { readonly port: number; readonly pid: number; readonly metricsPort: 0 };
  vitals(): Promise<VitalsReport>;
}

async function start(flags: readonly string[]): Promise<Started> {
  const adminPort = await freePort();
  const env = measuredEnv({
    OTEL_METRICS_EXPORTER: 'none',
    VITALS_ADMIN: 'true',
    VITALS_ADMIN_PORT: String(adminPort),
    VITALS_GC_INTERVAL_MS: '6000',
    NODE_OPTIONS: flags.join(' '),
  });
  const server = await startServer(script, setups.vitals, env);
  return {
    server,
    target: { port: server.port, pid: server.pid, metricsPort: 0 },
    vitals: async () => (await (await fetch(`http://127.0.0.1:${adminPort}/vitals`)).json()) as VitalsReport,
  };
}

/** Milliseconds that collections have held the server up so far. */
async function gcMs({ vitals }: Started): Promise<number> {
  const { gc } = await vitals();
  return Object.values(gc!.stats.kinds).reduce((sum, { totalMs }) => sum + totalMs, 0);
}
