import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { CaptureKind } from '../profiling/capture';
import { BadRequestError } from '../profiling/errors';
import { profileText, resourcesText, type TextKind } from '../profiling/pprof/text';
import type { CaptureResult } from '../profiling/worker/service';
import { type Exchange, send, sendFile, sendText } from './exchange';
import { indexPage } from './index-page';
import { debugParam, gcParam, secondsParam } from './params';
import type { AdminParts } from './parts';
import { type Route, type Routes, reading } from './router';

const decompress = promisify(gunzip);
/** Milliseconds that the index waits for numbers of the main thread. */
const patienceMs = 500;

/** `net/http/pprof`, for Node.js. @see https://pkg.go.dev/net/http/pprof */
export function pprofRoutes(parts: AdminParts): Routes {
  const page = (handle: Route['handle']): Route => ({ methods: reading, effect: false, handle });
  const capture = (handle: Route['handle']): Route => ({ methods: reading, effect: true, handle });
  const lookup = (kind: TextKind): Route => capture(exchange => sendLookup(parts, exchange, kind));
  return {
    '/debug/pprof': page(exchange => {
      send(exchange, 301, { location: '/debug/pprof/' }, '');
    }),
    '/debug/pprof/': page(async exchange => {
      const groups = await parts.host.call('readResources', undefined, patienceMs).catch(() => undefined);
      const resources = groups?.reduce((total, { count }) => total + count, 0);
      const html = indexPage({
        program: parts.settings.program,
        resources,
        blockedMs: parts.watchdog.blockedMs(),
      });
      send(exchange, 200, { 'content-type': 'text/html; charset=utf-8' }, html);
    }),
    '/debug/pprof/cmdline': page(async exchange => {
      sendText(exchange, 200, parts.settings.commandLine.join('\0'));
    }),
    '/debug/pprof/symbol': page(exchange => {
      // Says that names are in the profiles already.
      sendText(exchange, 200, 'num_symbols: 1\n');
    }),
    '/debug/pprof/profile': capture(async exchange => {
      const durationMs = secondsParam(exchange.query) ?? parts.capturers.cpu.defaultMs;
      const result = await take(parts, exchange, 'cpu', durationMs, false);
      if (result !== undefined) sendFile(exchange, 'application/octet-stream', 'profile', result.data);
    }),
    '/debug/pprof/trace': capture(async exchange => {
      const durationMs = secondsParam(exchange.query, true) ?? parts.capturers.trace.defaultMs;
      const result = await take(parts, exchange, 'trace', durationMs, false);
      if (result !== undefined) await sendTrace(exchange, result.data);
    }),
    '/debug/pprof/heap': lookup('heap'),
    '/debug/pprof/allocs': lookup('allocs'),
    '/debug/pprof/goroutine': lookup('goroutine'),
    '/debug/pprof/block': lookup('block'),
    '/debug/pprof/mutex': lookup('mutex'),
  };
}

async function sendLookup(parts: AdminParts, exchange: Exchange, kind: TextKind): Promise<void> {
  const { query } = exchange;
  const debug = debugParam(query);
  const seconds = secondsParam(query);
  const gc = kind === 'heap' && gcParam(query);
  if (debug > 0 && seconds !== undefined)
    throw new BadRequestError('seconds and debug params are incompatible');
  const result = await take(parts, exchange, kind, seconds ?? parts.capturers[kind].defaultMs, gc);
  if (result?.profile === undefined) return;
  if (debug === 0) {
    sendFile(
      exchange,
      'application/octet-stream',
      seconds === undefined ? kind : `${kind}-delta`,
      result.data,
    );
  } else if (kind === 'goroutine' && debug === 2) {
    sendText(exchange, 200, resourcesText(result.profile));
  } else {
    const figures =
      kind === 'heap'
        ? await parts.host.call('figures', undefined, patienceMs).catch(() => undefined)
        : undefined;
    sendText(exchange, 200, profileText(kind, result.profile, figures?.memory));
  }
}

/** `undefined` where only the headers were asked for; they are sent then. */
async function take(
  { service }: AdminParts,
  exchange: Exchange,
  kind: CaptureKind,
  durationMs: number,
  gc: boolean,
): Promise<CaptureResult | undefined> {
  if (exchange.request.method === 'HEAD') {
    send(exchange, 200, { 'content-type': 'application/octet-stream' }, '');
    return undefined;
  }
  const capture = await service.start(kind, { durationMs, gc, store: false }, { source: 'pprof' });
  if (exchange.gone.aborted) capture.cancel();
  else exchange.gone.addEventListener('abort', () => capture.cancel(), { once: true });
  return capture.done;
}

async function sendTrace(exchange: Exchange, gzipped: Buffer): Promise<void> {
  const headers = {
    'content-type': 'application/json',
    'content-disposition': 'attachment; filename="trace.json"',
  };
  const accepted = exchange.request.headers['accept-encoding'] ?? '';
  if (/\bgzip\b/.test(String(accepted)))
    send(exchange, 200, { ...headers, 'content-encoding': 'gzip' }, gzipped);
  else send(exchange, 200, headers, await decompress(gzipped));
}
