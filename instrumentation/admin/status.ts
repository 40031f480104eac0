import { errorText } from '../log';
import { residentMemory } from '../meters/memory-use';
import type { MainFigures } from '../profiling/contract';
import type { AdminParts } from './parts';

/** Milliseconds to wait for the main thread's numbers; without them the status says that it is blocked. */
const patienceMs = 1000;

/** What `/profiling/status` answers. */
export interface Status {
  readonly service: string;
  readonly serviceVersion: string | undefined;
  readonly nodeVersion: string;
  readonly pid: number;
  readonly uptimeSeconds: number;
  readonly running: readonly {
    readonly id: string;
    readonly type: string;
    readonly since: string;
    readonly until: string;
    readonly trigger: { readonly source: string };
  }[];
  readonly captures: {
    readonly folder: string;
    readonly count: number;
    readonly bytes: number;
    readonly limitBytes: number;
    /** What is wrong with the folder, of which nothing more is known then. */
    readonly error?: string;
  };
  readonly mainThread: {
    /** Whether it answered in time. The figures below are missing otherwise. */
    readonly answers: boolean;
    readonly blockedMs: number;
  };
  readonly memory: Partial<MainFigures['memory']> & { readonly rss: number };
  readonly heapLimitBytes: number | undefined;
  readonly gc: MainFigures['gc'] | undefined;
  readonly eventLoop: MainFigures['eventLoop'] | undefined;
  readonly activeResources: number | undefined;
}

export async function statusOf({ settings, host, service, store, watchdog }: AdminParts): Promise<Status> {
  const [figures, usage] = await Promise.all([
    host.call('figures', undefined, patienceMs).catch(() => undefined),
    store.usage().catch((error: unknown) => ({ count: 0, bytes: 0, error: errorText(error) })),
  ]);
  return {
    service: settings.service,
    serviceVersion: settings.serviceVersion,
    nodeVersion: process.versions.node,
    pid: process.pid,
    uptimeSeconds: (Date.now() - settings.processStartedAt) / 1000,
    running: service.running.map(({ id, kind, startedAt, durationMs, trigger }) => ({
      id,
      type: kind,
      since: new Date(startedAt).toISOString(),
      until: new Date(startedAt + durationMs).toISOString(),
      trigger,
    })),
    captures: { folder: store.folder, ...usage, limitBytes: store.maxBytes },
    mainThread: { answers: figures !== undefined, blockedMs: Math.round(watchdog.blockedMs()) },
    memory: { rss: residentMemory(), ...figures?.memory },
    heapLimitBytes: figures?.heapLimitBytes,
    gc: figures?.gc,
    eventLoop: figures?.eventLoop,
    activeResources: figures?.activeResources,
  };
}
