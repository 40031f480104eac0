import type { Frame, StackProfile } from '../../instrumentation/profiling/pprof/profile';

/** `name file:line`, with the line at which the function begins behind a slash: `add cart.js:12/10`. */
export function frame(text: string): Frame {
  const [, name = '', file = '', line = '0', begin = '0'] =
    /^(\S*) (\S*?):(\d+)(?:\/(\d+))?$/.exec(text) ?? [];
  return { name, file, line: Number(line), column: 0, functionLine: Number(begin), functionColumn: 0 };
}

/** A profile of two types, `count` and `delay`, out of stacks written innermost first. */
export function profileOf(
  samples: readonly (readonly [stack: readonly string[], ...values: number[]])[],
  more: Partial<StackProfile> = {},
): StackProfile {
  return {
    types: [
      { type: 'contentions', unit: 'count' },
      { type: 'delay', unit: 'nanoseconds' },
    ],
    defaultType: 'delay',
    period: { type: 'contentions', unit: 'count', value: 1 },
    startedAt: Date.UTC(2026, 6, 30, 10, 15),
    durationMs: 2500,
    samples: samples.map(([stack, ...values]) => ({ frames: stack.map(frame), values })),
    comments: [],
    ...more,
  };
}
