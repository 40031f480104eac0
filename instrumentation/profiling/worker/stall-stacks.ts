import type { Frame, StackProfile } from '../pprof/profile';
import { pseudoFrame, stackKey } from '../pprof/profile';

/** Stacks kept apart; what comes past them is added up in one. */
const maxStacks = 1000;

/** Blocks of the event loop by stack, since the process began. */
export interface StallStacks {
  /** @param contentions 1 with the first share of a block, 0 with its further ones */
  add(frames: readonly Frame[], contentions: number, ms: number): void;
  profile(): StackProfile;
}

export function createStallStacks(
  since: number,
  thresholdMs: number,
  now: () => number = Date.now,
): StallStacks {
  const stacks = new Map<string, { frames: readonly Frame[]; contentions: number; ms: number }>();
  return {
    add(frames, contentions, ms) {
      let key = stackKey({ frames });
      let kept = frames;
      if (!stacks.has(key) && stacks.size >= maxStacks) {
        kept = [pseudoFrame('(other stacks)')];
        key = '';
      }
      const stack = stacks.get(key) ?? { frames: kept, contentions: 0, ms: 0 };
      stack.contentions += contentions;
      stack.ms += ms;
      stacks.set(key, stack);
    },
    profile() {
      const at = now();
      return {
        types: [
          { type: 'contentions', unit: 'count' },
          { type: 'delay', unit: 'nanoseconds' },
        ],
        defaultType: 'delay',
        period: { type: 'contentions', unit: 'count', value: 1 },
        startedAt: at,
        durationMs: at - since,
        samples: [...stacks.values()].map(({ frames, contentions, ms }) => ({
          frames,
          values: [contentions, Math.round(ms * 1e6)],
        })),
        comments: [`blocks of the event loop of ${thresholdMs} ms (VITALS_STALL_MS) and more`],
      };
    },
  };
}
