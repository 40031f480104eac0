import { basename, dirname, join, sep } from 'node:path';
import { eventLoopMetrics } from '../catalogue';
import type { Log } from '../log';
import type { MetricRegistry } from '../metrics/registry';
import type { StallEnd } from '../profiling/contract';
import type { Frame } from '../profiling/pprof/profile';
import type { Findings } from './findings';
import { readScheduling, type Scheduling } from './scheduling';

/** A place that blocked the event loop. */
export interface StallPlace {
  /** Function and file, or what stands for them where no JavaScript ran. */
  readonly place: string;
  readonly count: number;
  readonly totalMs: number;
  readonly longestMs: number;
  /** Milliseconds since 1970. */
  readonly lastAt: number;
  /** Of the longest, innermost call first. */
  readonly stack: readonly string[];
}

/** Blocks of the event loop since the start. */
export interface StallReport {
  readonly thresholdMs: number;
  readonly count: number;
  readonly totalMs: number;
  /** Whether stacks are taken: they need the admin server or the auto-profiler. */
  readonly stacks: boolean;
  /** Longest in total first. */
  readonly places: readonly StallPlace[];
}

export interface StallDiagnosis {
  /** Takes a block whose stack is known. */
  stall(stall: StallEnd): void;
  /** To be called once there are stacks. */
  stacksTaken(): void;
  look(): void;
  report(): StallReport;
}

/** Blocks from one place within ten minutes that are a finding, and times the threshold of one that is by itself. */
const repeated = 3;
const repeatedMs = 600_000;
const severe = 10;
const mostPlaces = 50;
const mostFrames = 20;
/** Frames of the stack on a line of the log. */
const loggedFrames = 4;
/**
 * Looks, ten seconds apart, over which blocks without a stack are counted, and the share of them in which the thread ran,
 * and did not wait for a CPU.
 */
const looks = 60;
const computed = 0.5;

/** Finds what blocks the event loop: by stack where stacks are taken, else by the stalls that are measured. */
export function diagnoseStalls(
  registry: MetricRegistry,
  findings: Findings,
  log: Pick<Log, 'info' | 'notice'>,
  thresholdMs: number,
  now: () => number = Date.now,
  scheduling: () => Scheduling = readScheduling,
  agentFolders: readonly string[] = ownFolders,
): StallDiagnosis {
  const measured = registry.instrument(eventLoopMetrics.stall).with({});
  const places = new Map<string, StallPlace & { recent: number[]; saidAt: number }>();
  let stacks = false;
  const isAgents = ({ file }: Frame): boolean => agentFolders.some(folder => file.startsWith(folder));
  const isApplications = (frame: Frame): boolean =>
    frame.file !== '' && !frame.file.startsWith('node:') && !isAgents(frame);
  const window: Blocks[] = [{ count: 0, ms: 0, ...scheduling() }];
  /** When blocks without stacks were last a line that is not only for those who ask for all. */
  let saidAt = -Infinity;

  return {
    stacksTaken() {
      stacks = true;
    },
    stall({ durationMs, ranMs, frames }) {
      const ms = Math.round(ranMs);
      const own = frames.find(isApplications);
      const place = own === undefined && frames.some(isAgents) ? agent : placeOf(own ?? frames[0]);
      const waitedMs = Math.round(durationMs - ranMs);
      const scheduled = place === unscheduled || waitedMs < durationMs * told;
      const waiting = scheduled ? '' : `, for ${waitedMs} ms of which it was not scheduled`;
      const line = `the event loop was blocked for ${Math.round(durationMs)} ms by ${place}${waiting}`;
      const at = now();
      const known = places.get(place);
      // A machine that sleeps or is overloaded is not the application's doing.
      const isOthers = place === unscheduled || ranMs < thresholdMs;
      if (isOthers || (known === undefined && places.size >= mostPlaces)) {
        log.info(line);
        return;
      }
      // Of each place seldom, so that a place that blocks all the time does not fill the log.
      const isDue = known === undefined || at - known.saidAt >= repeatedMs;
      // From the place outwards: what it called is seldom the one to blame.
      const first = own === undefined ? -1 : frames.indexOf(own);
      const from = first < 0 ? [] : frames.slice(first, first + loggedFrames).map(written);
      if (isDue) log.notice(from.length === 0 ? line : [`${line}, at`, ...from].join('\n'));
      else log.info(line);
      const recent = [...(known?.recent ?? []), at].filter(time => at - time < repeatedMs).slice(-repeated);
      const isLongest = ms > (known?.longestMs ?? 0);
      const entry = {
        place,
        count: (known?.count ?? 0) + 1,
        totalMs: (known?.totalMs ?? 0) + ms,
        longestMs: Math.max(ms, known?.longestMs ?? 0),
        lastAt: at,
        stack: known === undefined || isLongest ? frames.slice(0, mostFrames).map(written) : known.stack,
        recent,
        saidAt: isDue ? at : known.saidAt,
      };
      places.set(place, entry);
      // What ran in no code of the application's is in the report, and nothing that it could mend.
      if (own === undefined || (recent.length < repeated && ms < thresholdMs * severe)) return;
      const { count, totalMs, longestMs, stack } = entry;
      findings.report('event_loop_stall', place, {
        last_ms: ms,
        longest_ms: longestMs,
        total_ms: totalMs,
        stalls: count,
        stack: stack.join('\n'),
      });
    },
    look() {
      const current = { count: measured.count, ms: measured.sum * 1000, ...scheduling() };
      window.push(current);
      if (window.length > looks) window.shift();
      const lately = since(window[window.length - 2]!, current);
      // Where stacks are taken they say more.
      if (stacks || lately.count === 0) return;
      if (isOwnDoing(lately)) {
        const times = lately.count === 1 ? 'once' : `${lately.count} times`;
        const line = `the event loop was blocked ${times} in ten seconds, for ${Math.round(lately.ms)} ms in all`;
        if (now() - saidAt >= repeatedMs) {
          saidAt = now();
          log.notice(`${line}; set VITALS_ADMIN=true to have the stacks`);
        } else log.info(line);
      }
      const all = since(window[0]!, current);
      if (all.count < repeated || !isOwnDoing(all)) return;
      findings.report('event_loop_stall', 'the event loop', {
        stalls: all.count,
        total_ms: Math.round(all.ms),
        over_seconds: (window.length - 1) * 10,
        stack: 'not taken: set VITALS_ADMIN=true to have it',
      });
    },
    report: () => ({
      thresholdMs,
      count: measured.count,
      totalMs: Math.round(measured.sum * 1000),
      stacks,
      places: [...places.values()]
        .map(({ recent: _, saidAt: __, ...place }) => place)
        .sort((a, b) => b.totalMs - a.totalMs),
    }),
  };
}

/** Blocks that were measured up to a moment, and how the thread was scheduled up to it. */
interface Blocks extends Scheduling {
  readonly count: number;
  readonly ms: number;
}

function since(before: Blocks, now: Blocks): Blocks {
  return {
    count: now.count - before.count,
    ms: now.ms - before.ms,
    ranMs: now.ranMs - before.ranMs,
    waitedMs: now.waitedMs - before.waitedMs,
  };
}

/** A process that is not given the CPU does not block itself. */
function isOwnDoing({ ms, ranMs, waitedMs }: Blocks): boolean {
  return ranMs >= ms * computed && ms - waitedMs >= ms * computed;
}

/** What the watchdog has for time in which the process did not run. */
const unscheduled = '(process was not scheduled)';

/** Where nothing but this agent's own code ran: for us to mend. */
const agent = '(otel-vitals)';

/**
 * The folders of the built agent and of the toolkit, and not of what else is built beside them, such as the demo's shop;
 * none where this code was bundled into an application's.
 */
const ownFolders: readonly string[] =
  basename(__dirname) === 'instrumentation' && basename(dirname(__dirname)) === 'dist'
    ? ['instrumentation', 'toolkit'].map(name => join(dirname(__dirname), name) + sep)
    : [];

/** Share of a block from which on it is said that the process was not scheduled. */
const told = 0.1;

/** A function by which blocks are told apart; its line would move. */
function placeOf(frame: Frame | undefined): string {
  if (frame === undefined) return '(unknown)';
  return frame.file === '' ? frame.name : `${frame.name || '(anonymous)'} (${frame.file})`;
}

const written = ({ name, file, line }: Frame): string =>
  `${name || '(anonymous)'} ${file}${line > 0 ? `:${line}` : ''}`.trimEnd();
