import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { LockContention } from '../../../toolkit/lock';
import type { ContentionGroup } from '../contract';
import type { Frame } from '../pprof/profile';
import { stackKey } from '../pprof/profile';
import { parseStack } from './stack-text';

/** By the name that `toolkit/lock/contention.ts` gives it: the application's copy of the toolkit is another one. */
const channelName = 'otel-vitals:lock.contended';
/** Stacks kept apart; what comes past them counts without its place. */
const maxPlaces = 1000;
/** Stacks read in a second; with more waits than that, each one read stands for several. */
const maxReadsPerSecond = 200;

export interface ContentionLog {
  read(): ContentionGroup[];
  /** As {@link read}, and forgets it. */
  take(): ContentionGroup[];
  /** Adds what another thread has logged. */
  add(groups: readonly ContentionGroup[]): void;
  stop(): void;
}

/** Adds up waits for locks by the place that waited. */
export function logContention(now: () => number = () => performance.now()): ContentionLog {
  const groups = new Map<string, { lock: string; frames: readonly Frame[]; count: number; waitMs: number }>();
  const add = (lock: string, frames: readonly Frame[], count: number, waitMs: number): void => {
    let key = `${lock}\0${stackKey({ frames })}`;
    let place = frames;
    if (!groups.has(key) && groups.size >= maxPlaces) {
      key = `${lock}\0`;
      place = [];
    }
    const group = groups.get(key) ?? { lock, frames: place, count: 0, waitMs: 0 };
    group.count += count;
    group.waitMs += waitMs;
    groups.set(key, group);
  };

  // Every stride-th wait has its stack read, and stands for as many.
  let stride = 1;
  let skipped = 0;
  let second = now();
  let reads = 0;
  const onContention = (message: unknown): void => {
    if (++skipped < stride) return;
    skipped = 0;
    const { name, waitMs, stack } = message as LockContention;
    add(name, parseStack(stack), stride, waitMs * stride);
    reads++;
    const at = now();
    if (reads >= maxReadsPerSecond) {
      if (at - second < 1000) stride *= 2;
      second = at;
      reads = 0;
    } else if (at - second >= 1000) {
      if (reads < maxReadsPerSecond / 4) stride = Math.max(1, stride / 2);
      second = at;
      reads = 0;
    }
  };
  subscribe(channelName, onContention);
  return {
    read: () => [...groups.values()],
    take() {
      const taken = [...groups.values()];
      groups.clear();
      return taken;
    },
    add(more) {
      for (const { lock, frames, count, waitMs } of more) add(lock, frames, count, waitMs);
    },
    stop() {
      unsubscribe(channelName, onContention);
    },
  };
}
