import { option } from '../option';
import * as as from '../parsers';

const group = 'Diagnosis';

const targets = { pause: 100, percent: 5, factor: 0.5 };
const growth = { percent: 5, mib: 2, hourly: 1 };

export const diagnosisOptions = {
  leakDetector: option(
    group,
    'VITALS_LEAK_DETECTOR',
    as.oneOf('on', 'off'),
    'on',
    'Looks for memory and resources that grow as leaks do. See docs/leaks.md.',
  ),
  leakIntervalMs: option(
    group,
    'VITALS_LEAK_INTERVAL_MS',
    as.integer(50, 3_600_000),
    30_000,
    'Milliseconds between two snapshots of memory. The first 20 are the warm-up; growth counts once it has lasted for 60, or for 20 where memory would soon run out.',
  ),
  leakHistory: option(group, 'VITALS_LEAK_HISTORY', as.integer(60, 10_000), 100, 'Snapshots that are kept.'),
  leakGrowth: option(
    group,
    'VITALS_LEAK_GROWTH',
    as.numbers(growth),
    growth,
    'How much memory must grow to be said to leak: percent of what was there and MiB, both over the window, and MiB an hour. Native memory must grow by four times as much.',
    { defaultText: '`percent=5,mib=2,hourly=1`' },
  ),
  leakConfirm: option(
    group,
    'VITALS_LEAK_CONFIRM',
    as.boolean,
    false,
    'Whether a leak of heap or buffers must outlast a garbage collection that is forced once, at most every hour. It holds the process up for about as long as a major collection.',
  ),
  gcTuner: option(
    group,
    'VITALS_GC_TUNER',
    as.oneOf('off', 'advise', 'act'),
    'advise',
    'Judges what garbage collection costs and advises options of Node.js; `act` also changes what can be changed while the process runs. See docs/gc.md.',
  ),
  gcTargets: option(
    group,
    'VITALS_GC_TARGETS',
    as.numbers(targets),
    targets,
    'What garbage collection may cost: milliseconds that major collections may pause, 99th percentile, and percent of time that the main thread may be held up. `factor` is the share by which `act` changes its setting at a time.',
    { defaultText: '`pause=100,percent=5,factor=0.5`' },
  ),
  gcIntervalMs: option(
    group,
    'VITALS_GC_INTERVAL_MS',
    as.integer(600, 3_600_000),
    60_000,
    'Milliseconds over which the cost of garbage collection is judged, and between two changes of `act`.',
  ),
} as const;
