import type { FindingReport } from '../diagnosis';
import type { History } from '../history/contract';
import type { AdminParts } from './parts';

/** Milliseconds to wait for the main thread, which has the findings; it is blocked if they don't come. */
const patienceMs = 1000;

/** What the status page asks for every few seconds, in one answer: a page left open must cost next to nothing. */
export interface Live {
  readonly service: string;
  readonly serviceVersion: string | undefined;
  readonly nodeVersion: string;
  readonly pid: number;
  readonly uptimeSeconds: number;
  readonly mainThread: {
    readonly answers: boolean;
    /** Milliseconds for which it has not answered; 0 where it does. */
    readonly blockedMs: number;
  };
  /** `undefined` while the main thread does not answer. */
  readonly findings: FindingReport | undefined;
  /** Another one whenever the list of captures is. */
  readonly capturesTag: string;
  readonly history: History;
}

/** @param after number of the last sample that the asker has */
export async function liveOf(parts: AdminParts, after: number): Promise<Live> {
  const { settings, store, watchdog, history } = parts;
  // Known without asking, and so without waiting.
  const blocked = watchdog.blockedMs() > 0;
  const [findings, capturesTag] = await Promise.all([
    blocked ? undefined : findingsOf(parts, patienceMs),
    store.tag(),
  ]);
  const answers = findings !== undefined;
  return {
    service: settings.service,
    serviceVersion: settings.serviceVersion,
    nodeVersion: process.versions.node,
    pid: process.pid,
    uptimeSeconds: (Date.now() - settings.processStartedAt) / 1000,
    mainThread: { answers, blockedMs: answers ? 0 : Math.round(watchdog.blockedMs()) || patienceMs },
    findings,
    capturesTag,
    history: history.read(after),
  };
}

/** What is found to be wrong; `undefined` where the main thread does not say so in time. */
export async function findingsOf(
  { host }: Pick<AdminParts, 'host'>,
  timeoutMs: number,
): Promise<FindingReport | undefined> {
  const request = { method: 'GET', path: '/vitals/findings', query: '', headers: {} };
  try {
    const page = await host.call('route', request, timeoutMs);
    return page && (JSON.parse(String(page.body)) as FindingReport);
  } catch {
    // It is blocked, or ends.
    return undefined;
  }
}
