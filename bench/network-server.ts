import fastifyCompress from '@fastify/compress';
import fastifyEtag from '@fastify/etag';
import fastify, { type FastifyInstance } from 'fastify';
import { request } from 'undici';
import { median } from './spawned';
import { built } from './toolkit/built';
import type { BenchResult } from './types';

const { Compression, EntityTags } = built.network;

const rounds = 7;
const requestsPerRound = 300;
const callers = 8;
const items = Array.from({ length: 400 }, (_, id) => ({
  id,
  name: `product ${id}`,
  price: (id * 37) % 1000,
  stock: id % 7,
}));
const body = JSON.stringify({ items });

/** Compression and entity tags beside fastify's own plugins, in one process over loopback. */
export async function run(): Promise<BenchResult[]> {
  const rows: BenchResult[] = [];
  for (const encoding of ['br', 'gzip'] as const) {
    const headers = { 'accept-encoding': encoding };
    rows.push(
      await beside(
        `compression, ${encoding}, ${Math.round(body.length / 1000)} kB of JSON`,
        '@fastify/compress',
        app => app.register(new Compression({ name: 'bench' }).plugin()),
        // The same work: brotli at its level of 4, which is that plugin's too.
        app => app.register(fastifyCompress, { global: true, encodings: [encoding] }),
        headers,
      ),
    );
  }
  rows.push(
    await beside(
      'entity tags',
      '@fastify/etag',
      app => app.register(new EntityTags().plugin()),
      app => app.register(fastifyEtag),
      {},
    ),
  );
  return rows;
}

type Prepare = (app: FastifyInstance) => unknown;

async function beside(
  name: string,
  peerName: string,
  ours: Prepare,
  theirs: Prepare,
  headers: Record<string, string>,
): Promise<BenchResult> {
  const [one, other] = [await serve(ours), await serve(theirs)];
  try {
    for (const { url } of [one, other]) await load(url, headers);
    const rates = { ours: [] as number[], theirs: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      rates.ours.push(await load(one.url, headers));
      rates.theirs.push(await load(other.url, headers));
    }
    const [mine, peer] = [median(rates.ours), median(rates.theirs)];
    return { name, ours: mine, peer, peerName, unit: 'req/s', ratio: mine / peer, goal: '', met: undefined };
  } finally {
    await Promise.all([one.close(), other.close()]);
  }
}

async function serve(prepare: Prepare) {
  const app = fastify();
  await prepare(app);
  app.get('/', (_, reply) => reply.type('application/json').send(body));
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  return { url, close: () => app.close() };
}

/** Requests a second. */
async function load(url: string, headers: Record<string, string>): Promise<number> {
  const began = performance.now();
  await Promise.all(
    Array.from({ length: callers }, async () => {
      for (let i = 0; i < requestsPerRound / callers; i++) {
        const answer = await request(url, { headers });
        await answer.body.dump();
      }
    }),
  );
  return (requestsPerRound / (performance.now() - began)) * 1000;
}
