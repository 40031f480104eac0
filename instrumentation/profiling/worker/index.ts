import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { capturePublisher } from '../../../exporters/pyroscope/captures';
import { startAdmin } from '../../admin';
import { createHistoryRing } from '../../history/ring';
import { errorText } from '../../log';
import type { Capture, CaptureKind } from '../capture';
import type { HostMethods, WorkerMethods, WorkerSettings } from '../contract';
import { ProfilingError } from '../errors';
import { beatIntervalMs, readHeartbeat } from '../heartbeat';
import { countSessions } from '../open-sessions';
import { connectPeer, type Port } from '../rpc';
import { allocsCapturer } from './allocs';
import type { Capturer } from './capturer';
import { cpuCapturer } from './cpu';
import { heapCapturer } from './heap';
import { instantCapturer } from './instant';
import { createSessions, type MainSession } from './main-session';
import { takeMainStack } from './main-stack';
import { goroutineCapturer, mutexCapturer } from './resources';
import { watchRunQueue } from './run-queue';
import { type CaptureResult, createCaptureService } from './service';
import { createFrameMapper } from './source-maps';
import { createStallStacks } from './stall-stacks';
import { createStore } from './store';
import { traceCapturer } from './trace';
import { createWatchdog } from './watchdog';

/** Milliseconds to wait for a source map that only the main thread has; files are looked at without it. */
const loadedMapMs = 1000;

if (!isMainThread && parentPort !== null) run(workerData as WorkerSettings, parentPort as unknown as Port);

/** The worker: captures of the main thread, the watch over its event loop, and the admin server. */
function run(settings: WorkerSettings, port: Port): void {
  const host = connectPeer<HostMethods>(port, workerMethods());
  const log = (level: 'warn' | 'info' | 'debug') => (message: string) =>
    host.notify('log', { level, message });

  const sessions = createSessions(countSessions(settings.sessions));
  const stacks = createStallStacks(settings.processStartedAt, settings.stallMs);
  let session: MainSession | undefined;
  const intervalMs = beatIntervalMs(settings.stallMs);
  const watchdog = createWatchdog({
    heartbeat: readHeartbeat(settings.heartbeat),
    intervalMs,
    thresholdMs: settings.stallMs,
    stacks,
    async takeStack() {
      session ??= sessions.open();
      return takeMainStack(session);
    },
    waitedMs: watchRunQueue(),
    onStall: stall => host.notify('stallEnded', stall),
  });
  setInterval(watchdog.tick, intervalMs);

  const heapAccess = { host, intervalBytes: settings.heapIntervalBytes, open: sessions.open };
  const capturers: Readonly<Record<CaptureKind, Capturer>> = {
    cpu: cpuCapturer(sessions.open),
    heap: heapCapturer(heapAccess),
    allocs: allocsCapturer(heapAccess),
    trace: traceCapturer(sessions.open),
    goroutine: goroutineCapturer(host),
    block: instantCapturer(0, () => stacks.profile()),
    mutex: mutexCapturer(host, settings.processStartedAt),
  };
  const store = createStore(settings.folder, settings.maxBytes);
  const tellStored = (): void => {
    store.usage().then(
      usage => host.notify('stored', usage),
      error => log('debug')(`captures: ${errorText(error)}`),
    );
  };
  const service = createCaptureService({
    capturers,
    store,
    mapper: settings.sourceMaps
      ? createFrameMapper(file => host.call('loadedSourceMap', file, loadedMapMs).catch(() => undefined))
      : undefined,
    encode: { cwd: process.cwd(), program: settings.program },
    facts: {
      service: settings.service,
      ...(settings.serviceVersion === undefined ? {} : { serviceVersion: settings.serviceVersion }),
      nodeVersion: process.versions.node,
      pid: process.pid,
    },
    publishers:
      settings.pyroscope === undefined
        ? []
        : [capturePublisher(settings.pyroscope.to, settings.pyroscope.timeoutMs)],
    onEnd(end) {
      host.notify('captureEnded', end);
      if (end.bytes > 0) tellStored();
    },
    onPublished: () => host.notify('captureUploaded', true),
    onPublishError(error) {
      host.notify('captureUploaded', false);
      log('warn')(`a capture was not handed on: ${errorText(error)}`);
    },
    onKeeping: keeps => host.notify('keeping', keeps),
  });
  tellStored();

  const history = createHistoryRing();
  const started = new Map<string, Capture<CaptureResult>>();
  const admin =
    settings.admin === undefined
      ? undefined
      : startAdmin({
          listen: settings.admin,
          token: settings.admin.token,
          settings,
          host,
          service,
          capturers,
          store,
          watchdog,
          history,
        });
  admin?.ready.then(
    where => host.notify('serving', where),
    error => host.notify('serving', { error: errorText(error) }),
  );

  function workerMethods(): WorkerMethods {
    return {
      async start({ kind, options, trigger }) {
        const capture = await service.start(kind, options, trigger);
        started.set(capture.id, capture);
        return { id: capture.id, startedAt: capture.startedAt };
      },
      async result(id) {
        const capture = started.get(id);
        if (capture === undefined)
          throw new ProfilingError('CAPTURE_UNKNOWN', 404, `there is no capture ${id}`);
        try {
          return (await capture.done).record;
        } finally {
          started.delete(id);
        }
      },
      async keep({ profile, trigger }) {
        const record = await service.keep(profile, trigger);
        tellStored();
        return record;
      },
      stop: id => started.get(id)?.stop(),
      cancel: id => started.get(id)?.cancel(),
      endKept: () => service.endKept(),
      sample: sample => history.add(sample),
      exiting: () => sessions.end(),
      async shutdown() {
        service.close();
        sessions.end();
        await admin?.close();
      },
    };
  }
}
