import type { StallEnd } from '../contract';
import type { Heartbeat } from '../heartbeat';
import { type Frame, pseudoFrame } from '../pprof/profile';
import type { StallStacks } from './stall-stacks';

/** Share of the threshold after which the first stack is taken, so that a block that just passes it has one. */
const firstSample = 0.6;
/** Each further stack of one block is taken after half as long again, and at the latest after this, in milliseconds. */
const maxStepMs = 5000;

export interface WatchdogOptions {
  readonly heartbeat: Heartbeat;
  readonly intervalMs: number;
  readonly thresholdMs: number;
  readonly stacks: StallStacks;
  /** The main thread's stack at this moment, innermost call first. May reject. */
  readonly takeStack: () => Promise<readonly Frame[]>;
  readonly onStall?: (stall: StallEnd) => void;
  /** How long the watched thread has waited for a CPU that others had, in milliseconds, ever rising. */
  readonly waitedMs?: () => number;
  readonly now?: () => number;
}

export interface Watchdog {
  /** To be called every `intervalMs`. */
  tick(): void;
  /** How long the loop has been blocked, where that is past the threshold; else 0. */
  blockedMs(): number;
}

/** A block that goes on, or has ended and waits for its last stack. */
interface Stall {
  frames: readonly Frame[] | undefined;
  /** Most of a stack, for whoever asks what blocked. */
  longest: { frames: readonly Frame[]; ms: number };
  attributedMs: number;
  nextMs: number;
  asking: boolean;
  endedMs: number | undefined;
  /** Milliseconds of it in which the watched thread was not given a CPU. */
  unscheduledMs: number;
}

/**
 * Watches another thread's event loop by its heartbeat, and takes its stack while it is blocked. The time of a block
 * goes to the stacks seen in it, each for the time since the one before.
 */
export function createWatchdog(options: WatchdogOptions): Watchdog {
  const { heartbeat, intervalMs, thresholdMs, stacks, takeStack } = options;
  const { waitedMs = () => 0, now = () => performance.now() } = options;
  let lastBeat: number | undefined;
  let seenAt = now();
  let lastTick = now();
  let lastWaitedMs = waitedMs();
  let unscheduledMs = 0;
  let stall: Stall | undefined;

  const give = (to: Stall, untilMs: number, frames: readonly Frame[]): void => {
    const ms = untilMs - to.attributedMs;
    if (ms <= 0) return;
    stacks.add(frames, to.attributedMs === 0 ? 1 : 0, ms);
    if (ms > to.longest.ms) to.longest = { frames, ms };
    to.attributedMs = untilMs;
  };
  const settle = (ended: Stall, endedMs: number): void => {
    if (endedMs < thresholdMs) return;
    const ranMs = endedMs - ended.unscheduledMs;
    if (ended.frames !== undefined) give(ended, ranMs, ended.frames);
    else if (ranMs > ended.unscheduledMs)
      give(ended, ranMs, [pseudoFrame('(ended before its stack was taken)')]);
    const { frames } = ended.longest;
    give(ended, endedMs, [pseudoFrame('(process was not scheduled)')]);
    // What the code did not run for does not hide the code that ran for long enough to be a block by itself.
    const isCodes = frames.length > 0 && ranMs >= thresholdMs;
    options.onStall?.({ durationMs: endedMs, ranMs, frames: isCodes ? frames : ended.longest.frames });
  };
  const sample = (at: Stall, ageMs: number): void => {
    at.asking = true;
    at.nextMs = ageMs + Math.min(maxStepMs, Math.max(thresholdMs / 2, ageMs / 2));
    const answered = (frames: readonly Frame[]): void => {
      at.asking = false;
      at.frames = frames;
      if (at.endedMs !== undefined) settle(at, at.endedMs);
      else if (ageMs >= thresholdMs) give(at, ageMs, frames);
    };
    takeStack().then(
      frames => answered(frames.length > 0 ? frames : [pseudoFrame('(no JavaScript running)')]),
      () => answered([pseudoFrame('(stack not available)')]),
    );
  };
  const begin = (): Stall => ({
    frames: undefined,
    longest: { frames: [], ms: 0 },
    attributedMs: 0,
    nextMs: thresholdMs * firstSample,
    asking: false,
    endedMs: undefined,
    unscheduledMs: 0,
  });

  return {
    tick() {
      const at = now();
      const sinceTick = at - lastTick;
      lastTick = at;
      const waited = waitedMs();
      const sinceWaitedMs = waited - lastWaitedMs;
      lastWaitedMs = waited;
      const beat = heartbeat.beat();
      if (beat === undefined || beat === 0) return;
      // A machine that sleeps, or a container that has used up its share of CPU time, holds up both threads.
      const heldUpMs = Math.max(sinceTick > intervalMs * 3 ? sinceTick - intervalMs : 0, sinceWaitedMs);
      unscheduledMs += heldUpMs;
      seenAt += heldUpMs;
      if (beat !== lastBeat) {
        const ended = lastBeat === undefined ? undefined : (stall ?? begin());
        const blockedMs = heartbeat.blockedMs();
        const slept = Math.min(unscheduledMs, blockedMs);
        lastBeat = beat;
        seenAt = at;
        unscheduledMs = 0;
        stall = undefined;
        if (ended === undefined) return;
        ended.endedMs = blockedMs;
        ended.unscheduledMs = slept;
        if (!ended.asking) settle(ended, blockedMs);
        return;
      }
      const ageMs = at - seenAt;
      stall ??= begin();
      if (!stall.asking && ageMs >= stall.nextMs) sample(stall, ageMs);
    },
    blockedMs() {
      if (lastBeat === undefined || heartbeat.beat() === undefined) return 0;
      const ageMs = now() - seenAt;
      return ageMs >= thresholdMs ? ageMs : 0;
    },
  };
}
