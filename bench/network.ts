import { Agent, interceptors, Pool, request } from 'undici';
import { pairRows, repeated } from './pairs';
import { repository, startServer } from './spawned';
import { built } from './toolkit/built';
import type { BenchResult } from './types';

const callers = 8;
const connections = 8;

/** Calls of a server in another process, beside undici's own `request` over as many connections. */
export async function run(): Promise<BenchResult[]> {
  const server = await startServer(`${repository}/bench/setups/answers-server.cjs`, []);
  const url = (path: string): string => `http://127.0.0.1:${server.port}/${path}`;
  const { HttpClient } = built.network;
  const client = new HttpClient({ name: 'bench', connections: { perOrigin: connections } });
  const caching = new HttpClient({
    name: 'bench cached',
    connections: { perOrigin: connections },
    cache: true,
  });
  const agent = new Agent({ connections });
  const pool = new Pool(url(''), { connections });
  const decoding = agent.compose(interceptors.decompress());
  const remembering = agent.compose(interceptors.cache());
  const bare = (path: string, dispatcher: typeof decoding) =>
    repeated(async () => (await request(url(path), { dispatcher })).body.json(), callers);
  const ours = (path: string, by = client) => repeated(async () => (await by.get(url(path))).json(), callers);
  const post = {
    method: 'POST',
    body: '{"hello":"world"}',
    headers: { 'content-type': 'application/json' },
  } as const;
  try {
    return [
      ...(await pairRows(
        'HttpClient, GET of a small JSON',
        ours('json'),
        bare('json', agent),
        'undici',
        0.95,
        0.95,
      )),
      ...(await pairRows(
        'HttpClient, the same',
        ours('json'),
        repeated(async () => (await pool.request({ path: '/json', method: 'GET' })).body.json(), callers),
        "a Pool's request",
        0.95,
        0.95,
      )),
      ...(await pairRows(
        'HttpClient, GET of 50 kB of JSON',
        ours('large'),
        bare('large', agent),
        'undici',
        0.95,
        0.95,
      )),
      ...(await pairRows(
        'HttpClient, POST of a small JSON',
        repeated(async () => (await client.request(url('json'), post)).json(), callers),
        repeated(
          async () => (await request(url('json'), { dispatcher: agent, ...post })).body.json(),
          callers,
        ),
        'undici',
        0.95,
        0.95,
      )),
      ...(await pairRows('HttpClient, gzip', ours('gzip'), bare('gzip', decoding), 'undici decompress')),
      ...(await pairRows(
        'HttpClient, hit of the cache',
        ours('fresh', caching),
        bare('fresh', remembering),
        'undici cache',
      )),
    ];
  } finally {
    await client.close();
    await caching.close();
    await agent.close();
    await pool.close();
    await server.close();
  }
}
