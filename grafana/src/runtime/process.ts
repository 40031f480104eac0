import { processMetrics, threadMetrics } from '../../../instrumentation/catalogue';
import type { Section } from '../board';
import { timeseries } from '../panels';
import { label, max, perInstance, rate, series, sum } from '../promql';
import { thresholds } from '../thresholds';
import { cpuShare, fileDescriptorShare, memoryShare } from './ratios';

const m = processMetrics;
const mode = label(m.cpuTime, 'cpu.mode');
const resourceType = label(threadMetrics.active, 'v8js.resource.type');

/** What the process takes from its machine. */
export const processSection: Section = {
  title: 'Process',
  panels: [
    timeseries({
      title: 'CPU time by mode',
      description:
        'CPU seconds a second, all processes chosen together: 100 % is one CPU, as in top. Normal: user leads. Much system time: many small reads and writes, many processes started, or memory taken and given back. More than one CPU for one process is worker threads, GC helpers or libuv’s thread pool.',
      unit: 'percentunit',
      width: 12,
      stacked: true,
      queries: [{ expr: sum(rate(series(m.cpuTime)), [mode]), legend: `{{${mode}}}` }],
    }),
    timeseries({
      title: 'CPU of what is allowed',
      description:
        'CPU time as a share of the CPUs that the process may use. Normal: under 80 %, and no more than one CPU’s share for a process without threads. Near 100 %: the container is throttled or its neighbours suffer; take a CPU profile or add CPUs.',
      unit: 'percentunit',
      width: 12,
      max: 1,
      thresholds: thresholds.cpuShare,
      queries: [{ expr: cpuShare, legend: '{{instance}}' }],
    }),
    timeseries({
      title: 'Resident memory',
      description:
        'Resident set size: what the process takes of the machine’s memory. Normal: level after warm-up. Growing with the heap: look there. Growing while the heap does not: memory outside of the heap, see the graph beside.',
      unit: 'bytes',
      width: 8,
      queries: [{ expr: max(series(m.memoryUsage), perInstance), legend: '{{instance}}' }],
    }),
    timeseries({
      title: 'Resident memory of its limit',
      description:
        'Resident set size as a share of the container’s limit, or of the machine’s memory where there is none. Normal: level and under 80 %. At 100 % the kernel kills the process without a word in its log.',
      unit: 'percentunit',
      width: 8,
      max: 1,
      thresholds: thresholds.memoryShare,
      queries: [{ expr: memoryShare, legend: '{{instance}}' }],
    }),
    timeseries({
      title: 'Memory outside of the heap',
      description:
        'Memory of C++ objects bound to JavaScript, and the array buffers and Buffers in it. Normal: moves with bodies and streams under way. Growing: buffers are kept (a slice keeps its whole buffer), or a native module leaks; a heap profile does not show it.',
      unit: 'bytes',
      width: 8,
      queries: [
        { expr: max(series(m.external), perInstance), legend: '{{instance}} external' },
        { expr: max(series(m.arrayBuffers), perInstance), legend: '{{instance}} array buffers' },
      ],
    }),
    timeseries({
      title: 'File descriptors against their limit',
      description:
        'Open files and sockets, and dashed the soft limit; the axis is logarithmic. Normal: follows the connections. Climbing without falling back: sockets or files are not closed. At the limit accept and open fail with EMFILE: raise it with ulimit -n only after looking.',
      unit: 'short',
      width: 8,
      decimals: 0,
      logarithmic: true,
      queries: [
        { expr: max(series(m.fileDescriptorLimit), perInstance), legend: '{{instance}} limit', limit: true },
        { expr: max(series(m.fileDescriptors), perInstance), legend: '{{instance}} open' },
      ],
    }),
    timeseries({
      title: 'File descriptors of their limit',
      description:
        'Open files and sockets as a share of the soft limit. Normal: under a few percent. Above 70 % a burst of connections can use them up.',
      unit: 'percentunit',
      width: 8,
      max: 1,
      thresholds: thresholds.fileDescriptorShare,
      queries: [{ expr: fileDescriptorShare, legend: '{{instance}}' }],
    }),
    timeseries({
      title: 'Active resources',
      description:
        'What keeps event loops alive, by Node.js’s type, all processes chosen together. Normal: sockets follow the traffic, timers are level. A type that only climbs names the leak: Timeout for timers never cleared, TCPSocketWrap for connections never closed.',
      unit: 'short',
      width: 8,
      decimals: 0,
      stacked: true,
      queries: [{ expr: sum(series(threadMetrics.active), [resourceType]), legend: `{{${resourceType}}}` }],
    }),
  ],
};
