import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { EventLoopUtilization } from 'node:perf_hooks';
import type { Worker } from 'node:worker_threads';
import { isMakingInternal } from '../internal';
import { freeSlot, readSlots, slotCount, threadNameOf } from './thread-slots';
import { windowed } from './window';

/** What is known of one worker thread. */
export interface ThreadFigures {
  /** Share of the last 10 to 20 s in which its event loop was active; `undefined` until it has one. */
  readonly utilization: number | undefined;
  /** Bytes; `undefined` until it reports, which it does where it runs the preload. */
  readonly heapUsed: number | undefined;
}

export interface ThreadList {
  read(): { count: number; named: ReadonlyMap<string, ThreadFigures> };
  tick(): void;
  stop(): void;
}

/** A worker that this thread started. */
interface Child {
  readonly name: string;
  readonly window: ReturnType<typeof windowed<EventLoopUtilization>>;
  readonly utilization: Worker['performance']['eventLoopUtilization'];
}

/** Characters of a thread's name that are shown. */
const longestName = 64;

/** Node.js publishes each worker that this thread starts. */
const channel = 'worker_threads';

/** Frees the slots of the workers that this thread starts when they end, however they do. */
export function watchWorkerEnds(
  memory: SharedArrayBuffer,
  onStart: (worker: Worker) => () => void = () => () => {},
): () => void {
  const started = (message: unknown): void => {
    try {
      const { worker } = message as { worker: Worker };
      // Neither the agent's own nor the thread in which Node.js runs hooks into ES modules is the application's.
      if (isMakingInternal() || worker.constructor.name === 'InternalWorker') return;
      // -1 once it has ended.
      const { threadId } = worker;
      const ended = onStart(worker);
      worker.once('exit', () => {
        freeSlot(memory, threadId);
        ended();
      });
    } catch {
      // Another than Node.js published something else; its worker is then not told of.
    }
  };
  subscribe(channel, started);
  return () => unsubscribe(channel, started);
}

/**
 * The worker threads of the process: those that the main thread started, which it can look into while they compute,
 * and those that their workers started, as far as they report themselves.
 */
export function watchThreads(memory: SharedArrayBuffer): ThreadList {
  const children = new Map<number, Child>();
  const stop = watchWorkerEnds(memory, worker => {
    const { threadId } = worker;
    const read = worker.performance.eventLoopUtilization.bind(worker.performance);
    const taken = new Set([...children.values()].map(child => child.name));
    children.set(threadId, {
      name: unused(taken, threadNameOf(worker)),
      utilization: read,
      window: windowed(() => read()),
    });
    return () => children.delete(threadId);
  });

  return {
    read() {
      const named = new Map<string, ThreadFigures>();
      const reports = new Map(readSlots(memory).map(report => [report.threadId, report]));
      const add = (name: string, figures: ThreadFigures): void => {
        if (named.size < slotCount) named.set(name, figures);
      };
      for (const [threadId, { name, window, utilization }] of children) {
        const { from, to } = window.span();
        const share = to.active + to.idle > 0 ? utilization(to, from).utilization : undefined;
        add(name, { utilization: share, heapUsed: reports.get(threadId)?.heapUsed });
        reports.delete(threadId);
      }
      let count = children.size;
      for (const { name, stale, utilization, heapUsed } of reports.values()) {
        if (stale) continue;
        count++;
        const share = Number.isNaN(utilization) ? undefined : utilization;
        add(unused(named, name), { utilization: share, heapUsed });
      }
      return { count, named };
    },
    tick() {
      for (const { window } of children.values()) window.advance();
    },
    stop,
  };
}

/** The name itself, or with the first number behind it that makes it one nobody has. */
function unused(taken: { has(name: string): boolean }, name: string): string {
  const short = name.slice(0, longestName);
  if (short !== '' && !taken.has(short)) return short;
  for (let n = short === '' ? 0 : 2; ; n++) {
    const numbered = `${short || 'worker'}-${n}`;
    if (!taken.has(numbered)) return numbered;
  }
}
