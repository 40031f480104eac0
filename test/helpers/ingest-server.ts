import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { Profile } from 'pprof-format';

/** How the server treats uploads: `hang` takes them and never answers, `refuse` does not listen. */
export type IngestMode = 'ok' | 'hang' | 'refuse' | number;

/** One line of a stack, leaf first in a stack. */
export interface Frame {
  name: string;
  file: string;
  line: number;
}

/** An accepted profile. */
export interface Ingested {
  kind: 'wall' | 'heap';
  query: Record<string, string>;
  headers: IncomingHttpHeaders;
  /** Application name and labels of the `name` parameter. */
  application: string;
  labels: Record<string, string>;
  /** `type/unit` of each value of a sample. */
  types: string[];
  samples: { values: number[]; frames: Frame[]; labels: Record<string, string> }[];
  /** Functions by their own share of `type`, largest first, as Pyroscope's top table shows them. */
  top(type: string): { frame: Frame; value: number }[];
}

/** A Pyroscope of one endpoint, on an ephemeral loopback port, as strict about it as the real one. */
export interface IngestServer {
  readonly address: string;
  readonly profiles: Ingested[];
  /** Uploads that arrived, in whatever mode. */
  readonly requests: number;
  setMode(mode: IngestMode): Promise<void>;
  /** The first profile, of those to come or already here, that fits. */
  profile(fits: (profile: Ingested) => boolean): Promise<Ingested>;
  /** Resolves once `count` uploads have arrived in whatever mode. */
  arrived(count: number): Promise<void>;
  close(): Promise<void>;
}

/** Starts the server. Waiting for a profile fails after `patienceMs`. */
export async function startIngestServer(patienceMs = 20_000): Promise<IngestServer> {
  const profiles: Ingested[] = [];
  const sockets = new Set<Socket>();
  let mode: IngestMode = 'ok';
  let requests = 0;
  let changed = () => {};
  let change = new Promise<void>(resolve => {
    changed = resolve;
  });
  const notify = () => {
    changed();
    change = new Promise(resolve => {
      changed = resolve;
    });
  };

  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('error', () => {});
    request.on('data', chunk => chunks.push(chunk));
    request.on('end', () => {
      requests++;
      if (mode === 'ok') {
        accept(response, () => profiles.push(parse(request.method, request.url, request.headers, chunks)));
      } else if (typeof mode === 'number') response.writeHead(mode).end(`answer ${mode}`);
      notify();
    });
  });
  server.on('connection', socket => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  const end = async () => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  const wait = async <T>(what: string, find: () => T | undefined): Promise<T> => {
    const giveUp = Date.now() + patienceMs;
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      const left = giveUp - Date.now();
      if (left <= 0)
        throw new Error(`no ${what} within ${patienceMs} ms; ${requests} uploads, ${profiles.length} taken`);
      let timer: NodeJS.Timeout | undefined;
      const timeout = new Promise(resolve => {
        timer = setTimeout(resolve, left);
      });
      await Promise.race([change, timeout]);
      clearTimeout(timer);
    }
  };

  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}`,
    profiles,
    get requests() {
      return requests;
    },
    async setMode(next) {
      mode = next;
      if (next === 'refuse') await end();
      else if (!server.listening) await listen(port);
    },
    profile: fits => wait('such profile', () => profiles.find(fits)),
    arrived: count => wait(`${count} uploads`, () => (requests >= count ? true : undefined)).then(() => {}),
    close: end,
  };
}

function accept(response: ServerResponse, parseUpload: () => void): void {
  try {
    parseUpload();
    response.end();
  } catch (error) {
    response.writeHead(400).end(String(error));
  }
}

/** As Pyroscope's `/ingest` reads it: with `format=pprof` the body is the profile itself, not a form. */
function parse(
  method: string | undefined,
  url: string | undefined,
  headers: IncomingHttpHeaders,
  chunks: Buffer[],
): Ingested {
  const { pathname, searchParams } = new URL(url ?? '', 'http://localhost');
  if (method !== 'POST' || !pathname.endsWith('/ingest') || pathname.includes('//')) {
    throw new Error(`no such endpoint: ${method} ${pathname}`);
  }
  const query = Object.fromEntries(searchParams);
  if (query['format'] !== 'pprof') throw new Error(`format ${query['format']}`);
  if (!/^\d{10}$/.test(query['from'] ?? '') || !/^\d{10}$/.test(query['until'] ?? '')) {
    throw new Error('from, until: expected seconds');
  }
  const { application, labels } = parseName(query['name'] ?? '');
  const profile = Profile.decode(gunzipSync(Buffer.concat(chunks)));
  const text = (index: number | bigint) => profile.stringTable.strings[Number(index)] ?? '';
  const types = profile.sampleType.map(type => `${text(type.type)}/${text(type.unit)}`);
  const functions = new Map(profile.function.map(fn => [Number(fn.id), fn]));
  const frames = new Map(
    profile.location.map(location => {
      const line = location.line[0]!;
      const fn = functions.get(Number(line.functionId));
      if (fn === undefined) throw new Error(`location ${location.id} names no function`);
      return [Number(location.id), { name: text(fn.name), file: text(fn.filename), line: Number(line.line) }];
    }),
  );
  const samples = profile.sample.map(sample => ({
    values: sample.value.map(Number),
    frames: sample.locationId.map(id => frames.get(Number(id))!),
    labels: Object.fromEntries(sample.label.map(label => [text(label.key), text(label.str)])),
  }));
  return {
    kind: types.some(type => type.startsWith('inuse_')) ? 'heap' : 'wall',
    query,
    headers,
    application,
    labels,
    types,
    samples,
    top(type) {
      const index = types.indexOf(type);
      const own = new Map<string, { frame: Frame; value: number }>();
      for (const { values, frames: stack } of samples) {
        const frame = stack[0];
        if (frame === undefined) continue;
        const entry = own.get(frame.name) ?? { frame, value: 0 };
        entry.value += values[index] ?? 0;
        own.set(frame.name, entry);
      }
      return [...own.values()].sort((a, b) => b.value - a.value);
    },
  };
}

/** The rules of Pyroscope's `api/model/labelset`. */
function parseName(name: string): { application: string; labels: Record<string, string> } {
  const match = /^([A-Za-z0-9_./-]+)\{(.*)\}$/.exec(name);
  if (match === null) throw new Error(`invalid service name: ${name}`);
  const labels: Record<string, string> = {};
  for (const pair of match[2] === '' ? [] : match[2]!.split(',')) {
    const [key, value, ...more] = pair.split('=');
    if (!/^[A-Za-z0-9_.]+$/.test(key ?? '') || value === undefined || more.length > 0) {
      throw new Error(`invalid label name: ${pair}`);
    }
    labels[key!] = value;
  }
  return { application: match[1]!, labels };
}
