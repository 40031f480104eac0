import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { removeFolder, temporaryFolder } from '../../mall/demo/servers/lifetime';
import { startServerProcess } from '../../mall/demo/servers/server-process';

/** What an instant query answers, a sample a series; a scalar counts as one without labels. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface StackPrometheus {
  readonly url: string;
  /** @throws with Prometheus's words where the expression is not PromQL. */
  query(expr: string): Promise<Sample[]>;
  /** The `data` of a path of the HTTP API, such as `rules`. */
  api(path: string): Promise<unknown>;
  close(): Promise<void>;
}

/** Addresses of applications, by job. */
export type Targets = Readonly<Record<string, readonly string[]>>;

const grafanaFolder = join(__dirname, '..', '..', 'grafana');

/**
 * Copies the configuration that the compose stack mounts, rules included, and puts other addresses into its targets.
 *
 * @returns the path of prometheus.yml
 */
export function stackConfiguration(folder: string, targets: Targets): string {
  for (const name of ['prometheus', 'rules']) {
    cpSync(join(grafanaFolder, name), join(folder, name), { recursive: true });
  }
  const write = (name: string, content: unknown) =>
    writeFileSync(join(folder, 'prometheus', 'targets', name), stringify(content));
  write(
    'applications.yml',
    Object.entries(targets).map(([job, addresses]) => ({ targets: addresses, labels: { job } })),
  );
  write('stack.yml', []);
  write('alertmanager.yml', []);
  return join(folder, 'prometheus', 'prometheus.yml');
}

/** Starts a real Prometheus with the compose stack's configuration; it ends with this process. */
export async function startStackPrometheus(targets: Targets): Promise<StackPrometheus> {
  const folder = temporaryFolder('vitals-prometheus-');
  return startPrometheus(folder, stackConfiguration(folder, targets));
}

/** Starts a real Prometheus with a configuration of its own; it ends with this process, and its folder goes with it. */
export async function startPrometheus(
  folder: string,
  config: string,
  args: readonly string[] = [],
): Promise<StackPrometheus> {
  const { port, close } = await startServerProcess({
    name: 'prometheus (run `node scripts/setup.mjs prometheus` as root)',
    command: 'prometheus',
    args: free => [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${free}`,
      ...args,
    ],
    ready: /Server is ready to receive web requests/,
  }).catch(error => {
    removeFolder(folder);
    throw error;
  });
  const url = `http://127.0.0.1:${port}`;
  const api = async (path: string): Promise<unknown> => {
    const answer = (await (await fetch(`${url}/api/v1/${path}`)).json()) as { error?: string; data: unknown };
    if (answer.error !== undefined) throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  };
  return {
    url,
    api,
    async query(expr) {
      const data = await api(`query?${new URLSearchParams({ query: expr })}`);
      return samplesOf(data as QueryResult);
    },
    close: () => close().then(() => removeFolder(folder)),
  };
}

type Point = readonly [time: number, value: string];
type QueryResult =
  | { resultType: 'vector'; result: { metric: Record<string, string>; value: Point }[] }
  | { resultType: 'scalar'; result: Point };

function samplesOf(data: QueryResult): Sample[] {
  if (data.resultType === 'scalar') return [{ metric: {}, value: Number(data.result[1]) }];
  return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
}
