import { ruleNames } from '../../names';
import { option } from '../option';
import * as as from '../parsers';

const group = 'Auto-profiler';

/** A level that is compared with the usual one. */
const level = (env: string, min: number, rise: number, max: number, what: string) => {
  const defaults = { min, rise, max };
  return option(
    group,
    env,
    as.numbers(defaults),
    defaults,
    `${what} The rule fires at \`rise\` percent over the usual but never below \`min\`, and at \`max\` whatever is usual; a \`max\` of 0 is none.`,
    { defaultText: `\`min=${min},rise=${rise},max=${max}\`` },
  );
};

export const autoprofileOptions = {
  autoprofile: option(
    group,
    'VITALS_AUTOPROFILE',
    as.boolean,
    false,
    'Takes profiles by itself when a vital sign changes for the worse. See docs/profiling.md.',
  ),
  autoprofileRules: option(
    group,
    'VITALS_AUTOPROFILE_RULES',
    as.listOf(...ruleNames),
    ruleNames,
    'The rules that are watched.',
  ),
  autoprofileIntervalMs: option(
    group,
    'VITALS_AUTOPROFILE_INTERVAL_MS',
    as.integer(100, 600_000),
    5000,
    'Milliseconds between two readings. A rule fires at the second reading in a row that is over its threshold.',
  ),
  autoprofileWarmupMs: option(
    group,
    'VITALS_AUTOPROFILE_WARMUP_MS',
    as.integer(0, 86_400_000),
    60_000,
    'Milliseconds from the start in which nothing fires.',
  ),
  autoprofileCooldownMs: option(
    group,
    'VITALS_AUTOPROFILE_COOLDOWN_MS',
    as.integer(0, 86_400_000),
    600_000,
    'Milliseconds in which a rule that fired takes no other capture.',
  ),
  autoprofileBudget: option(
    group,
    'VITALS_AUTOPROFILE_BUDGET',
    as.integer(1, 1000),
    6,
    'Captures in any hour, over all rules. A CPU profile of a large heap counts as several.',
  ),
  autoprofileDurationMs: option(
    group,
    'VITALS_AUTOPROFILE_DURATION_MS',
    as.integer(100, 300_000),
    10_000,
    'Milliseconds that a capture runs, where its kind has a duration.',
  ),
  autoprofileHeap: level(
    'VITALS_AUTOPROFILE_HEAP',
    64,
    50,
    0,
    'MiB that the last major garbage collection left.',
  ),
  autoprofileGc: level(
    'VITALS_AUTOPROFILE_GC',
    10,
    100,
    30,
    'Percent of time that garbage collection held up the main thread.',
  ),
  autoprofileDelay: level(
    'VITALS_AUTOPROFILE_DELAY',
    50,
    100,
    250,
    'Delay of the event loop in milliseconds, 90th percentile.',
  ),
  autoprofileCpu: level(
    'VITALS_AUTOPROFILE_CPU',
    50,
    50,
    0,
    'CPU in percent of one core: of the main thread where Node.js tells (23.9 and later), else of the process.',
  ),
  autoprofileResponse: level(
    'VITALS_AUTOPROFILE_RESPONSE',
    250,
    100,
    0,
    'Response time in milliseconds, 99th percentile, where at least 20 requests were answered between two readings.',
  ),
  autoprofileResources: level(
    'VITALS_AUTOPROFILE_RESOURCES',
    500,
    100,
    0,
    'Active resources: timers, sockets, requests.',
  ),
  autoprofileStall: option(
    group,
    'VITALS_AUTOPROFILE_STALL',
    as.numbers({ max: 500 }),
    { max: 500 },
    'One block of the event loop, in milliseconds. Blocks under VITALS_STALL_MS are not seen.',
    { defaultText: '`max=500`' },
  ),
} as const;
