import type { FindingCode } from '../codes';
import type { Demands } from './judge';

/** What can leak; each is judged by itself. */
export const leakKinds = ['heap', 'buffers', 'native', 'resources'] as const;
export type LeakKind = (typeof leakKinds)[number];

export interface KindFacts {
  readonly code: FindingCode;
  /** What the finding is about. */
  readonly subject: string;
  /** Ends the names of the evidence. */
  readonly unit: 'bytes' | 'resources';
}

export const kindFacts: Readonly<Record<LeakKind, KindFacts>> = {
  heap: { code: 'heap_leak', subject: 'the JavaScript heap', unit: 'bytes' },
  buffers: { code: 'buffer_leak', subject: 'memory of buffers', unit: 'bytes' },
  native: { code: 'native_leak', subject: 'native memory', unit: 'bytes' },
  resources: { code: 'resource_leak', subject: 'the event loop', unit: 'resources' },
};

/** How a detector is set. */
export interface LeakThresholds {
  /** Growth over the window, in percent of what was there. */
  readonly percent: number;
  /** Growth over the window and in an hour, in MiB. */
  readonly mib: number;
  readonly hourly: number;
}

const mib = 2 ** 20;
/** Intervals of the first readings, while the application warms up. */
export const warmUpIntervals = 20;
/** Intervals that growth must have lasted, and where it would run out soon. */
const spanIntervals = 60;
const urgentIntervals = 20;

/** What each kind takes to be a leak: native memory is fragmented and pooled, so more of it. */
export function demandsOf(
  { percent, mib: amount, hourly }: LeakThresholds,
  intervalMs: number,
): Readonly<Record<LeakKind, Demands>> {
  const memory = (times: number): Demands => ({
    significance: 0.01,
    share: (percent / 100) * times,
    amount: amount * mib * times,
    perHour: hourly * mib * times,
    spanMs: spanIntervals * intervalMs,
    urgentSpanMs: urgentIntervals * intervalMs,
    readings: 6,
  });
  const heap = memory(1);
  return {
    heap,
    buffers: heap,
    native: memory(4),
    resources: { ...heap, share: 0.2, amount: 50, perHour: 50 },
  };
}
