import { heapMetrics } from '../../../instrumentation/catalogue';
import type { Section } from '../board';
import { timeseries } from '../panels';
import { label, max, perInstance, rate, series, sum } from '../promql';
import { thresholds } from '../thresholds';
import { heapShare } from './ratios';

const m = heapMetrics;
const space = label(m.used, 'v8js.heap.space.name');

/** What JavaScript keeps, and how fast it makes more. */
export const heap: Section = {
  title: 'Heap',
  panels: [
    timeseries({
      title: 'Used and live',
      description:
        'Used: with garbage. Live: what survived the last major collection that nobody forced, so what the application really holds. Normal: used is a saw over a level live line. Live rising over hours at equal load is a leak: compare two heap profiles. The graph below sets it against its limit.',
      unit: 'bytes',
      width: 12,
      queries: [
        { expr: sum(series(m.used), perInstance), legend: '{{instance}} used' },
        { expr: max(series(m.live), perInstance), legend: '{{instance}} live' },
      ],
    }),
    timeseries({
      title: 'Used by space',
      description:
        'Heap in use by V8’s spaces, empty ones left out, all processes chosen together. Normal: old_space leads and new_space flickers. large_object_space growing: big arrays, strings or maps are kept. code_space growing: code is generated at run time. Choose one instance to judge a process.',
      unit: 'bytes',
      width: 12,
      stacked: true,
      legendRight: true,
      queries: [{ expr: `${sum(series(m.used), [space])} > 0`, legend: `{{${space}}}` }],
    }),
    timeseries({
      title: 'Old generation of its limit',
      description:
        'Used old generation, garbage included, as a share of what it may grow to. Normal: rises and falls back well under 80 %. Stays high after collections: the process will run out of memory; the nearer to 100 %, the more time goes into collecting.',
      unit: 'percentunit',
      width: 8,
      max: 1,
      thresholds: thresholds.heapShare,
      queries: [{ expr: heapShare, legend: '{{instance}}' }],
    }),
    timeseries({
      title: 'Allocation rate',
      description:
        'Bytes of JavaScript objects made each second. Normal: follows the traffic; hundreds of MB/s make collections frequent. If it rises without traffic, take a heap profile by allocation: parsing, copying and string building lead most lists.',
      unit: 'binBps',
      width: 8,
      queries: [{ expr: sum(rate(series(m.allocated)), perInstance), legend: '{{instance}}' }],
    }),
    timeseries({
      title: 'Promotion rate',
      description:
        'Bytes each second that survived the young generation and moved to the old one. Normal: a few percent of the allocation rate. Higher: objects live just too long, as with slow requests or a cache; a larger young generation (--max-semi-space-size) helps.',
      unit: 'binBps',
      width: 8,
      queries: [{ expr: sum(rate(series(m.promoted)), perInstance), legend: '{{instance}}' }],
    }),
    timeseries({
      title: 'Committed and physical',
      description:
        'What V8 reserved for the heap, what of it takes physical memory, and what V8 took beside it through malloc. Normal: committed falls back some time after a peak. It stays far above used: the heap is fragmented, or was just under load.',
      unit: 'bytes',
      width: 12,
      queries: [
        { expr: sum(series(m.spaceSize), perInstance), legend: '{{instance}} committed' },
        { expr: sum(series(m.spacePhysical), perInstance), legend: '{{instance}} physical' },
        { expr: max(series(m.malloced), perInstance), legend: '{{instance}} malloc' },
      ],
    }),
    timeseries({
      title: 'Contexts',
      description:
        'JavaScript contexts: one, and one for each vm context of the application. Detached ones wait to be collected. Normal: a level line and no detached ones for long. Rising: vm contexts are kept by something, and with them everything in them.',
      unit: 'short',
      width: 12,
      decimals: 0,
      queries: [
        { expr: max(series(m.nativeContexts), perInstance), legend: '{{instance}} alive' },
        { expr: max(series(m.detachedContexts), perInstance), legend: '{{instance}} detached' },
      ],
    }),
  ],
};
