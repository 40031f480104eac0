import type { StackProfile, StackSample } from '../pprof/profile';
import { mergeSamples } from '../pprof/profile';
import type { Capturer } from './capturer';
import type { MainSession } from './main-session';
import { type CallFrame, toFrame } from './v8-frames';

interface CpuNode {
  readonly id: number;
  readonly callFrame: CallFrame;
  readonly children?: readonly number[];
  /** Lines are those of the file, from 1. */
  readonly positionTicks?: readonly { readonly line: number; readonly ticks: number }[];
}

/** `Profiler.Profile` of the inspector protocol; times in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly CpuNode[];
  readonly startTime: number;
  readonly endTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/**
 * Microseconds between two samples: fine for a short look, and never so many that handing them over is felt. V8 gives
 * all samples at once as text, made by the main thread: 30,000 take it a few milliseconds.
 */
export function samplingInterval(durationMs: number): number {
  return Math.min(10_000, Math.max(1000, Math.round(durationMs / 30)));
}

/**
 * What the main thread computes, by V8's sampling profiler. It can run beside others: an attached debugger's, the
 * application's own, Pyroscope's.
 *
 * Starting it takes V8 a walk over the heap, which the main thread waits for: the profile says for how long.
 */
export function cpuCapturer(open: () => MainSession, now: () => number = Date.now): Capturer {
  return {
    instant: false,
    defaultMs: 30_000,
    async begin({ durationMs }) {
      const session = open();
      const interval = samplingInterval(durationMs);
      let startedAt: number;
      let startMs: number;
      try {
        await session.post('Profiler.enable');
        await session.post('Profiler.setSamplingInterval', { interval });
        const asked = performance.now();
        await session.post('Profiler.start');
        startMs = Math.ceil(performance.now() - asked);
        startedAt = now();
      } catch (error) {
        session.close();
        throw error;
      }
      return {
        async finish() {
          try {
            const { profile } = await session.post<{ profile: CpuProfile }>('Profiler.stop');
            const comments = [`V8 took ${startMs} ms of the main thread to begin`];
            return { format: 'pprof', profile: { ...toStacks(profile, startedAt, interval), comments } };
          } finally {
            session.close();
          }
        },
        async abort() {
          session.close();
        },
      };
    },
  };
}

/** Time in which nothing ran, which is nobody's. */
const idle = new Set(['(idle)', '(root)']);

/** @param intervalMicros what was asked for; what V8 managed is in the samples' times */
export function toStacks(profile: CpuProfile, startedAt: number, intervalMicros: number): StackProfile {
  const nodes = new Map(profile.nodes.map(node => [node.id, node]));
  const parents = new Map<number, number>();
  for (const { id, children = [] } of profile.nodes) for (const child of children) parents.set(child, id);

  const totals = new Map<number, { count: number; micros: number }>();
  let time = profile.startTime;
  profile.samples.forEach((id, i) => {
    time += profile.timeDeltas[i] ?? 0;
    const until = i + 1 < profile.samples.length ? time + (profile.timeDeltas[i + 1] ?? 0) : profile.endTime;
    const total = totals.get(id) ?? { count: 0, micros: 0 };
    total.count++;
    // Samples of several threads may be a little out of order.
    total.micros += Math.max(0, until - time);
    totals.set(id, total);
  });

  const samples: StackSample[] = [];
  for (const [id, { count, micros }] of totals) {
    const node = nodes.get(id);
    if (node === undefined || idle.has(node.callFrame.functionName)) continue;
    const callers: StackSample['frames'][number][] = [];
    for (let at = parents.get(id); at !== undefined; at = parents.get(at)) {
      const { callFrame } = nodes.get(at)!;
      if (callFrame.functionName !== '(root)') callers.push(toFrame(callFrame));
    }
    for (const { line, share } of lines(node)) {
      const ticks = Math.round(count * share);
      samples.push({
        frames: [toFrame(node.callFrame, line), ...callers],
        values: [ticks, micros * share * 1000],
      });
    }
  }
  return {
    types: [
      { type: 'samples', unit: 'count' },
      { type: 'cpu', unit: 'nanoseconds' },
    ],
    defaultType: 'cpu',
    period: { type: 'cpu', unit: 'nanoseconds', value: intervalMicros * 1000 },
    startedAt,
    durationMs: (profile.endTime - profile.startTime) / 1000,
    samples: mergeSamples(samples),
    comments: [],
  };
}

/** The lines at which a function's own samples were taken. */
function lines({ positionTicks = [] }: CpuNode): { line: number; share: number }[] {
  const all = positionTicks.reduce((total, { ticks }) => total + ticks, 0);
  if (all === 0) return [{ line: 0, share: 1 }];
  return positionTicks.map(({ line, ticks }) => ({ line, share: ticks / all }));
}
