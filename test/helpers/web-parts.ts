import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  type ClientRequest,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
} from 'node:http';
import {
  type ClientHttp2Session,
  connect,
  createServer as createHttp2,
  type IncomingHttpHeaders,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import zlib from 'node:zlib';
import express from 'express';
import fastify from 'fastify';
import type { HttpPart } from '../../toolkit/network';

/** What a handler is given: the response of whatever framework it is, as that of `node:http`. */
export type RawHandler = (request: IncomingMessage, response: import('node:http').ServerResponse) => void;

/** A server that is up, with parts laid over it. */
export interface Running {
  readonly port: number;
  readonly http2: boolean;
  close(): Promise<void>;
}

const listening = async (server: Server): Promise<number> => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
};
const closing = (server: Server): Promise<void> =>
  new Promise(resolve => {
    server.close(() => resolve());
    server.closeAllConnections?.();
  });

/** How parts are laid over a handler, by each framework. */
export const frameworks: Readonly<
  Record<string, (parts: readonly HttpPart[], handler: RawHandler) => Promise<Running>>
> = {
  async 'node:http'(parts, handler) {
    const server = createServer(
      parts.reduceRight<RawHandler>((inner, part) => part.wrap(inner) as RawHandler, handler),
    );
    return { port: await listening(server), http2: false, close: () => closing(server) };
  },
  async 'node:http2'(parts, handler) {
    const sessions = new Set<{ destroy(): void }>();
    const wrapped = parts.reduceRight<RawHandler>((inner, part) => part.wrap(inner) as RawHandler, handler);
    const server = createHttp2(wrapped as never);
    server.on('session', session => sessions.add(session));
    const port = await listening(server as unknown as Server);
    return {
      port,
      http2: true,
      async close() {
        for (const session of sessions) session.destroy();
        await closing(server as unknown as Server);
      },
    };
  },
  async express(parts, handler) {
    const app = express();
    app.disable('etag');
    for (const part of parts) app.use(part.middleware());
    app.all('/{*path}', handler as never);
    const server = createServer(app);
    return { port: await listening(server), http2: false, close: () => closing(server) };
  },
  async fastify(parts, handler) {
    const app = fastify();
    for (const part of parts) await app.register(part.plugin());
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, _payload, done) => done(null));
    app.all('/*', (request, reply) => {
      reply.hijack();
      handler(request.raw, reply.raw);
    });
    await app.listen({ port: 0, host: '127.0.0.1' });
    return {
      port: (app.server.address() as AddressInfo).port,
      http2: false,
      async close() {
        app.server.closeAllConnections();
        await app.close();
      },
    };
  },
};

/** An answer as it came. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** Asks a server of either protocol, and reads to the end. */
export async function ask(
  { port, http2 }: Pick<Running, 'port' | 'http2'>,
  {
    method = 'GET',
    path = '/',
    headers = {},
  }: { method?: string; path?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  if (!http2) {
    const request: ClientRequest = httpRequest({
      host: '127.0.0.1',
      port,
      method,
      path,
      headers,
      agent: false,
    });
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const body = Buffer.concat(await response.toArray());
    return { status: response.statusCode!, headers: response.headers, body };
  }
  const session: ClientHttp2Session = connect(`http://127.0.0.1:${port}`);
  const stream = session.request({ ':method': method, ':path': path, ...headers });
  stream.end();
  const [head] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status': number }];
  const body = Buffer.concat(await stream.toArray());
  session.close();
  return { status: head[':status'], headers: head, body };
}

/** The content of an answer, whatever it is coded with. */
export function decoded({ headers, body }: Answer): Buffer {
  switch (headers['content-encoding']) {
    case undefined:
      return body;
    case 'br':
      return zlib.brotliDecompressSync(body);
    case 'gzip':
      return zlib.gunzipSync(body);
    case 'deflate':
      return zlib.inflateSync(body);
    case 'zstd':
      return (zlib as unknown as { zstdDecompressSync(bytes: Buffer): Buffer }).zstdDecompressSync(body);
    default:
      return assert.fail(`coded with ${String(headers['content-encoding'])}`);
  }
}

/** Waits until something holds, and fails when it does not for long. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!holds()) {
    assert.ok(Date.now() < deadline, `waited for ${what}`);
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}
