import { errorText } from '../log';
import type { Capture, CaptureRecord } from '../profiling/capture';
import { BadRequestError, ProfilingError } from '../profiling/errors';
import type { CaptureResult } from '../profiling/worker/service';
import { type Exchange, send, sendError, sendFailure, sendJson } from './exchange';
import { durationParam, gcParam, kindParam } from './params';
import type { AdminParts } from './parts';
import { type Routes, reading } from './router';
import { statusOf } from './status';

/** Captures remembered by how they failed. */
const maxFailures = 50;

/** Captures that run by themselves and are kept: `/profiling/`. */
export function profilingRoutes(parts: AdminParts): Routes {
  const { service, capturers, store } = parts;
  const running = new Map<string, Capture<CaptureResult>>();
  const failures = new Map<string, unknown>();

  const remember = (capture: Capture<CaptureResult>): void => {
    running.set(capture.id, capture);
    capture.done
      .catch((error: unknown) => {
        failures.set(capture.id, error);
        const [oldest] = failures.keys();
        if (failures.size > maxFailures && oldest !== undefined) failures.delete(oldest);
      })
      .finally(() => running.delete(capture.id));
  };

  const start = async (exchange: Exchange): Promise<void> => {
    const kind = kindParam(exchange.query);
    const durationMs = durationParam(exchange.query, capturers[kind].instant) ?? capturers[kind].defaultMs;
    const gc = gcParam(exchange.query);
    if (gc && kind !== 'heap')
      throw new BadRequestError(`gc: expected with type heap only, got type ${kind}`);
    const capture = await service.start(kind, { durationMs, gc, store: true }, { source: 'manual' });
    remember(capture);
    const location = `/profiling/captures/${capture.id}`;
    sendJson(exchange, 202, { ...describe(capture), location }, { location });
  };

  const stop = async (exchange: Exchange): Promise<void> => {
    const kind = exchange.query.has('type') ? kindParam(exchange.query) : undefined;
    const chosen = service.running.filter(capture => kind === undefined || capture.kind === kind);
    if (chosen.length === 0) {
      sendError(
        exchange,
        404,
        'NOTHING_RUNS',
        `no ${kind === undefined ? '' : `${kind} `}capture is running`,
      );
      return;
    }
    for (const capture of chosen) capture.stop();
    const settled = await Promise.allSettled(
      chosen.map(
        ({ id, kind: ofKind }) => running.get(id)?.done.then(({ record }) => record) ?? { id, kind: ofKind },
      ),
    );
    const captures = settled.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []));
    const failed = settled.flatMap(result =>
      result.status === 'rejected' ? [result.reason as unknown] : [],
    );
    if (captures.length === 0) sendFailure(exchange, failed[0]);
    else sendJson(exchange, 200, { captures, errors: failed.map(errorOf) });
  };

  const download = async (exchange: Exchange): Promise<void> => {
    const id = exchange.path.slice(exchange.path.lastIndexOf('/') + 1);
    const present = running.get(id);
    if (present !== undefined) {
      sendJson(exchange, 202, { ...describe(present), state: 'running' }, { 'retry-after': '1' });
      return;
    }
    if (failures.has(id)) {
      sendFailure(exchange, failures.get(id));
      return;
    }
    const found = await store.open(id);
    if (found === undefined) {
      sendError(
        exchange,
        404,
        'CAPTURE_UNKNOWN',
        'there is no such capture; GET /profiling/captures lists them',
      );
      return;
    }
    try {
      const data = await found.file.readFile();
      send(exchange, 200, fileHeaders(found.record, found.name), data);
    } finally {
      await found.file.close();
    }
  };

  return {
    '/profiling/start': { methods: ['POST'], effect: true, handle: start },
    '/profiling/stop': { methods: ['POST'], effect: true, handle: stop },
    '/profiling/status': {
      methods: reading,
      effect: false,
      handle: async exchange => sendJson(exchange, 200, await statusOf(parts)),
    },
    '/profiling/captures': {
      methods: reading,
      effect: false,
      handle: async exchange => {
        // A folder that can't be read leaves the page without captures, and not without an answer.
        const listed = await store
          .list()
          .catch((error: unknown) => ({ captures: [], error: errorText(error) }));
        sendJson(exchange, 200, Array.isArray(listed) ? { captures: listed } : listed);
      },
    },
    '/profiling/captures/*': { methods: reading, effect: false, handle: download },
  };
}

function describe({
  id,
  kind,
  startedAt,
  durationMs,
  trigger,
}: Omit<Capture<CaptureResult>, 'done' | 'stop' | 'cancel'>) {
  return {
    id,
    type: kind,
    startedAt: new Date(startedAt).toISOString(),
    until: new Date(startedAt + durationMs).toISOString(),
    trigger,
  };
}

function errorOf(error: unknown): { code: string; message: string } {
  const message = error instanceof Error ? error.message : String(error);
  return { code: error instanceof ProfilingError ? error.code : 'FAILED', message };
}

function fileHeaders({ format }: CaptureRecord, name: string): Record<string, string> {
  return {
    'content-type': format === 'trace' ? 'application/gzip' : 'application/octet-stream',
    'content-disposition': `attachment; filename="${name}"`,
  };
}
