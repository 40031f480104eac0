import { type IncomingMessage, request } from 'node:http';
import { type App, type AppOptions, preload, register, scrape, startApp } from './app';
import { Samples } from './samples';

/** A request, and under which method, route and status it is to be seen. */
export interface Expectation {
  readonly path: string;
  /** @default 'GET' */
  readonly method?: string;
  readonly body?: string;
  /** `undefined` where there must be none. */
  readonly route: string | undefined;
  /** @default 200 */
  readonly status?: number;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** A spawned application that serves HTTP. */
export interface WebApp {
  readonly app: App;
  readonly port: number;
  ask(path: string, options?: { method?: string; body?: string }): Promise<Answer>;
  metrics(): Promise<Samples>;
  /** Ends it by SIGTERM, which it must take in order. */
  end(): Promise<void>;
}

/** How an application is preloaded; `NODE_OPTIONS` has `--import` in it. */
export type Way = 'bare' | 'require' | 'import' | 'NODE_OPTIONS';

const nodeArgs: Readonly<Record<Way, readonly string[]>> = {
  bare: [],
  require: ['--require', preload],
  import: ['--import', register],
  NODE_OPTIONS: [],
};

export interface WebOptions extends AppOptions {
  /** Arguments of node after those of the preload. */
  readonly extraNodeArgs?: readonly string[];
}

export async function startWeb(
  script: string,
  way: Way,
  { extraNodeArgs = [], ...options }: WebOptions = {},
): Promise<WebApp> {
  const env = way === 'NODE_OPTIONS' ? { ...options.env, NODE_OPTIONS: `--import ${register}` } : options.env;
  const app = startApp(script, {
    ...options,
    nodeArgs: [...nodeArgs[way], ...extraNodeArgs],
    ...(env && { env }),
  });
  const port = Number((await app.printed(/listening on (\d+)/))[1]);
  const url = way === 'bare' ? undefined : await app.metricsUrl();
  return {
    app,
    port,
    ask: (path, given) => ask(port, path, given),
    async metrics() {
      if (url === undefined) throw new Error('Expected an agent, got a bare application');
      return new Samples(await scrape(url));
    },
    async end() {
      app.kill('SIGTERM');
      const { code, signal, stderr } = await app.exit;
      if (code !== 0)
        throw new Error(`Expected the application to end with 0, got ${signal ?? code}\n${stderr}`);
    },
  };
}

/** One request over a connection of its own; the path goes out as it is. */
export function ask(
  port: number,
  path: string,
  { method = 'GET', body }: { method?: string; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = {
      connection: 'close',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    const sent = request(
      { host: '127.0.0.1', port, path, method, headers, agent: false },
      (response: IncomingMessage) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          text += part;
        });
        response.on('end', () => resolve({ status: response.statusCode!, body: text }));
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** How often each method, route and status was asked for, as the expectations have it. */
export function expected(requests: readonly Expectation[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { method = 'GET', route = '(none)', status = 200 } of requests) {
    const key = `${method} ${route} ${status}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

/** The same as the metrics have it; requests that ended without a response have their error for a status. */
export function served(metrics: Samples): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { labels, value } of metrics.of('http_server_request_duration_seconds_count')) {
    const status = labels['http_response_status_code'] ?? labels['error_type'];
    const key = `${labels['http_request_method']} ${labels['http_route'] ?? '(none)'} ${status}`;
    counts[key] = (counts[key] ?? 0) + value;
  }
  return counts;
}

/** Requests in flight, of all methods. */
export const active = (metrics: Samples): number | undefined => metrics.value('http_server_active_requests');

/** Paths of the requests that are found in label values, which must be none. */
export function rawPaths(metrics: Samples, requests: readonly Expectation[]): string[] {
  const values = new Set(
    metrics.all.flatMap(({ name, labels }) =>
      name.startsWith('http_') || name.includes('_http_') ? Object.values(labels) : [],
    ),
  );
  return requests.filter(({ path, route }) => path !== route && values.has(path)).map(({ path }) => path);
}
