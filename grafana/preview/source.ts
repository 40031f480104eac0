import { setTimeout as wait } from 'node:timers/promises';
import { startDemo } from '../../test/helpers/demo';
import { type Ingested, startIngestServer } from '../../test/helpers/ingest-server';
import { startStackPrometheus } from '../../test/helpers/stack-prometheus';

/** Where the data comes from. */
export interface DataSource {
  readonly url: string;
  /** Profiles that were pushed; none of a Prometheus that was given. */
  readonly profiles: readonly Ingested[];
  close(): Promise<void>;
}

/** The Prometheus at `url`; without one, the demo, scraped for some minutes, with a stand-in for Pyroscope. */
export async function startSource(url: string | undefined, minutes: number): Promise<DataSource> {
  if (url !== undefined) return { url: url.replace(/\/+$/, ''), profiles: [], close: async () => {} };
  const pyroscope = await startIngestServer();
  const demo = startDemo({
    command: [process.execPath, '--import', 'tsx', 'mall/demo/run.ts'],
    env: {
      PYROSCOPE_SERVER_ADDRESS: pyroscope.address,
      PYROSCOPE_FLUSH_INTERVAL_MS: '10000',
      PYROSCOPE_WALL_SAMPLING_DURATION_MS: '10000',
    },
    timeoutMs: (minutes + 5) * 60_000,
  });
  try {
    const [, host] = await demo.printed(/^metrics +http:\/\/(\S+)\/metrics$/m);
    const prometheus = await startStackPrometheus({ mall: [host!] });
    console.log(`preview: the demo runs for ${minutes} minutes, scraped by ${prometheus.url}`);
    await wait(minutes * 60_000);
    return {
      url: prometheus.url,
      profiles: pyroscope.profiles,
      async close() {
        demo.signalGroup('SIGINT');
        await Promise.all([demo.exit, prometheus.close(), pyroscope.close()]);
      },
    };
  } catch (error) {
    demo.signalGroup('SIGINT');
    await Promise.all([demo.exit, pyroscope.close()]);
    throw error;
  }
}
