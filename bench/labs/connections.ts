import { Agent, request } from 'node:https';
import { selfSigned } from '../../test/helpers/certificate';
import { median } from '../spawned';
import { built } from '../toolkit/built';
import type { BenchResult } from '../types';
import { againstBefore } from './rows';

const { createHttp2Server, HttpClient } = built.network;
const rounds = 5;
const requests = 200;
const callers = 20;

/** The same requests over TLS: a connection for each, kept connections, and streams of one connection of HTTP/2. */
export async function run(): Promise<BenchResult[]> {
  const tls = selfSigned();
  const server = createHttp2Server({ name: 'lab', tls }, (_request, response) => response.end('hello'));
  const address = await server.listen({ port: 0, host: '127.0.0.1' });
  const url = `https://localhost:${address.port}/`;
  const client = (http2: boolean, perOrigin: number) =>
    new HttpClient({
      name: `lab ${http2 ? 2 : 1}`,
      connections: { http2, perOrigin, tls: { ca: tls.cert } },
    });
  const kept = client(false, callers);
  const streams = client(true, 1);
  const agent = new Agent({ keepAlive: false, ca: tls.cert });
  const fresh = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      request(url, { agent }, response => response.resume().on('end', resolve))
        .on('error', reject)
        .end();
    });
  try {
    const each = await took(fresh);
    const reused = await took(async () => (await kept.get(url)).text());
    const multiplexed = await took(async () => (await streams.get(url)).text());
    const open = (of: typeof kept): number => of.stats().connections.opened;
    const peer = 'a connection each';
    return [
      againstBefore(`${open(kept)} kept connections of HTTP/1.1`, reused, each, 'ms per request', 1.5, peer),
      againstBefore(`${open(streams)} connection of HTTP/2`, multiplexed, each, 'ms per request', 1.5, peer),
    ];
  } finally {
    await Promise.all([kept.close(), streams.close()]);
    await server.close({ timeoutMs: 1000 });
  }
}

async function took(call: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = -1; round < rounds; round++) {
    let left = requests;
    const began = performance.now();
    await Promise.all(
      Array.from({ length: callers }, async () => {
        while (left-- > 0) await call();
      }),
    );
    if (round >= 0) times.push((performance.now() - began) / requests);
  }
  return median(times);
}
