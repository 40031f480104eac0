import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { BadRequestError } from '../profiling/errors';
import { readFlame } from '../profiling/pprof/flame';
import { type Exchange, send, sendError } from './exchange';
import { liveOf } from './live';
import type { AdminParts } from './parts';
import { reportPage } from './report-page';
import { type Routes, reading } from './router';

const compress = promisify(gzip);

/** Only what this server serves is loaded, run, drawn or asked. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** The page's own files, made by the build. */
const files = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.js': ['main.js', 'text/javascript; charset=utf-8'],
  '/page.css': ['main.css', 'text/css; charset=utf-8'],
} as const;

/** The status page, what it draws, and the report that can be sent on. */
export function pageRoutes(parts: AdminParts): Routes {
  const { history, store } = parts;
  const route = (handle: (exchange: Exchange) => Promise<void>) => ({
    methods: reading,
    effect: false,
    handle,
  });

  const pages = Object.entries(files).map(([path, [name, type]]) => [
    path,
    route(async exchange => {
      const text = await readFile(join(__dirname, 'page', name));
      await sendCompressed(exchange, text, { 'content-type': type, 'content-security-policy': policy });
    }),
  ]);

  const flame = async (exchange: Exchange): Promise<void> => {
    const id = exchange.path.slice(exchange.path.lastIndexOf('/') + 1);
    const found = await store.open(id);
    if (found === undefined) {
      sendError(exchange, 404, 'CAPTURE_UNKNOWN', 'there is no such capture; /profiling/captures lists them');
      return;
    }
    try {
      if (found.record.format !== 'pprof') {
        throw new BadRequestError(`a ${found.record.kind} capture has no stacks to draw: download it`);
      }
      await sendData(exchange, { record: found.record, flame: await readFlame(await found.file.readFile()) });
    } finally {
      await found.file.close();
    }
  };

  return {
    ...Object.fromEntries(pages),
    '/vitals/history': route(exchange => sendData(exchange, history.read(afterParam(exchange)))),
    '/vitals/live': route(async exchange => sendData(exchange, await liveOf(parts, afterParam(exchange)))),
    '/profiling/flame/*': route(flame),
    '/vitals.html': route(async exchange => {
      const { name, html } = await reportPage(parts);
      const download = exchange.query.has('download')
        ? { 'content-disposition': `attachment; filename="${name}"` }
        : {};
      await sendCompressed(exchange, Buffer.from(html), {
        'content-type': 'text/html; charset=utf-8',
        ...download,
      });
    }),
  };
}

function afterParam({ query }: Exchange): number {
  const value = query.get('after') ?? '0';
  if (!/^\d{1,15}$/.test(value)) {
    throw new BadRequestError(`after: expected the number of a sample, got "${value.slice(0, 40)}"`);
  }
  return Number(value);
}

async function sendData(exchange: Exchange, data: unknown): Promise<void> {
  await sendCompressed(exchange, Buffer.from(JSON.stringify(data)), {
    'content-type': 'application/json; charset=utf-8',
  });
}

async function sendCompressed(
  exchange: Exchange,
  body: Buffer,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  if (!/\bgzip\b/.test(String(exchange.request.headers['accept-encoding'] ?? ''))) {
    send(exchange, 200, headers, body);
    return;
  }
  const packed = await compress(body);
  send(exchange, 200, { ...headers, 'content-encoding': 'gzip', vary: 'accept-encoding' }, packed);
}
