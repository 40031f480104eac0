import type { KindState } from './detector';
import type { LeakKind } from './kinds';
import type { GrowingSite } from './sites';
import type { MemorySnapshot } from './snapshot';

/** What is known when a leak is to be advised on. */
export interface LeakFacts {
  readonly sites: readonly GrowingSite[] | undefined;
  /** The first and the last snapshot that are remembered. */
  readonly from: MemorySnapshot | undefined;
  readonly to: MemorySnapshot | undefined;
}

const mib = 2 ** 20;

/** What each type of resource is called by those who make it, and how it ends. */
const resourceAdvice: Readonly<Record<string, string>> = {
  Timeout:
    'timers: end each setInterval with clearInterval, and clear setTimeout where its promise is settled',
  Immediate: 'setImmediate calls: something queues itself faster than it is done',
  TCPSocketWrap:
    'sockets: destroy them on errors and time-outs, read or cancel the bodies of responses, and bound keep-alive',
  TLSWrap: 'TLS sockets: destroy them on errors and time-outs, and bound keep-alive',
  TCPServerWrap: 'listening servers: close each that is made',
  PipeWrap: 'pipes: end the child processes and streams that they belong to',
  ProcessWrap: 'child processes: wait for the exit of each, and kill those that take too long',
  FSEventWrap: 'file watchers: close each fs.watch',
  FSReqCallback: 'file operations: more are begun than the thread pool completes',
  FSReqPromise: 'file operations: more are begun than the thread pool completes',
  GetAddrInfoReqWrap:
    'DNS lookups: more are begun than the thread pool completes; cache them or keep connections',
  MessagePort: 'message ports: close each, and terminate workers',
  Worker: 'worker threads: terminate each, or use a pool',
  TCPConnectWrap: 'connections being made: set a time-out for connecting',
};

/** What to do about a kind of leak, the most specific first; empty where it is none. */
export function suggestionsFor(kind: LeakKind, { sites = [], from, to }: LeakFacts): string[] {
  const grown = grownTypes(from, to);
  const [top] = sites;
  switch (kind) {
    case 'heap':
      return [
        ...(top === undefined
          ? [
              'Take a heap profile twice (/debug/pprof/heap?seconds=60) to see which functions allocate what stays.',
            ]
          : [
              `Look at what keeps what ${place(top)} allocates: it is ${share(top, sites)} of the growth that was sampled.`,
            ]),
        ...(sites.some(({ addsListeners }) => addsListeners)
          ? ['Listeners are added and stay: remove each, use once(), or pass { signal }.']
          : []),
        ...grown.map(
          ({ type, added }) =>
            `${added} more ${type} than at first, which keep what they refer to: ${advise(type)}.`,
        ),
        'Bound the caches, maps and arrays that only grow: a size limit and an age, such as lru-cache has.',
      ];
    case 'buffers':
      return [
        ...(top === undefined ? [] : [`Look at who keeps the buffers that ${place(top)} makes.`]),
        'See that buffers are not kept by queues, caches and unfinished streams; a small slice keeps the whole buffer.',
        'Respect backpressure: wait for drain when write() gives false, or use pipeline().',
      ];
    case 'native':
      return [
        ...workersAdvice(from, to),
        'It is neither the heap of the main thread nor buffers: look at native add-ons, at SharedArrayBuffers, at zlib, TLS and image objects that are not closed, and at the allocator.',
        'Try MALLOC_ARENA_MAX=2, or jemalloc: glibc keeps memory in arenas of each thread, which looks the same.',
      ];
    case 'resources':
      return [
        ...grown.map(({ type, added }) => `${added} more ${type} than at first: ${advise(type)}.`),
        'With VITALS_TRACK_RESOURCES=true, /debug/pprof/goroutine says where each was made.',
      ];
  }
}

/** Everything to be done now. */
export function recommendationsOf(states: Readonly<Record<LeakKind, KindState>>, facts: LeakFacts): string[] {
  const kinds = (Object.keys(states) as LeakKind[]).filter(kind => states[kind].leaks);
  return [...new Set(kinds.flatMap(kind => suggestionsFor(kind, facts)))];
}

/** Heaps of worker threads are native memory to the main thread. */
function workersAdvice(from: MemorySnapshot | undefined, to: MemorySnapshot | undefined): string[] {
  if (from === undefined || to === undefined) return [];
  const added = to.workerHeapBytes - from.workerHeapBytes;
  // What came and went in them is no growth.
  if (added < mib || added < (to.nativeBytes - from.nativeBytes) / 4) return [];
  return [
    `The heaps of worker threads grew by ${Math.round(added / mib)} MiB meanwhile: vitals.worker_thread.heap.used tells of which; look at what that thread keeps between its tasks.`,
  ];
}

/** Resources of which there are many more, most first. */
function grownTypes(from: MemorySnapshot | undefined, to: MemorySnapshot | undefined) {
  if (from === undefined || to === undefined) return [];
  return Object.entries(to.resources)
    .map(([type, count]) => ({ type, added: count - (from.resources[type] ?? 0), count }))
    .filter(({ added, count }) => added >= 20 && added >= count / 5)
    .sort((a, b) => b.added - a.added)
    .slice(0, 3);
}

const advise = (type: string): string => resourceAdvice[type] ?? 'see that each is closed';

/** A place as it is written in advice and evidence. */
export const place = ({ name, file, line }: GrowingSite): string => `${name} (${file}:${line})`;

function share({ addedBytes }: GrowingSite, sites: readonly GrowingSite[]): string {
  const all = sites.reduce((sum, site) => sum + site.addedBytes, 0);
  return `${Math.round((100 * addedBytes) / all)} %`;
}
