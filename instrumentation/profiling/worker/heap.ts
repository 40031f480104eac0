import type { AllocationNode, CarriedHeap, HeapReading, HostMethods } from '../contract';
import type { Frame, StackProfile, StackSample } from '../pprof/profile';
import { mergeSamples, pseudoFrame } from '../pprof/profile';
import { NoAnswerError, type Peer } from '../rpc';
import type { Capturer } from './capturer';
import { instantCapturer } from './instant';
import type { MainSession } from './main-session';
import { type CallFrame, scriptFile, toFrame } from './v8-frames';

/** `HeapProfiler.SamplingHeapProfileNode` of the inspector protocol. */
export interface SamplingNode {
  readonly callFrame: CallFrame;
  readonly selfSize: number;
  readonly children: readonly SamplingNode[];
}

/** Milliseconds to wait for the main thread before the inspector reads the heap for it. */
const patienceMs = 2000;

export interface HeapAccess {
  readonly host: Peer<HostMethods>;
  readonly intervalBytes: number;
  /** Opens a session. */
  readonly open: () => MainSession;
}

/** Memory in use by the place that allocated it, from V8's sampling heap profiler. */
export function heapCapturer({ host, intervalBytes, open }: HeapAccess): Capturer {
  const byInspector = inspectorReader(intervalBytes, open);
  return instantCapturer(0, async ({ gc }) => {
    let reading: HeapReading;
    try {
      reading = await host.call('readHeap', { gc }, patienceMs + (gc ? 10_000 : 0));
    } catch (error) {
      if (!(error instanceof NoAnswerError)) throw error;
      const profile = await byInspector();
      return {
        ...profile,
        comments: [...profile.comments, 'read by the inspector: the event loop is blocked'],
      };
    }
    if (reading.root === undefined) return byInspector();
    const comments = [
      reading.since === undefined
        ? 'sampled by continuous profiling or by the application'
        : `sampled since ${new Date(reading.since).toISOString()}`,
    ];
    const { carried, externalBytes } = reading;
    if (carried !== undefined) comments.push(carriedComment(carried));
    const profile = allocationProfile(reading.root, 'inuse', intervalBytes, comments);
    const samples = [...profile.samples];
    if (carried !== undefined) samples.push(...carriedSamples(carried, intervalBytes));
    if (externalBytes > 0)
      samples.push({ frames: [pseudoFrame('(external memory)')], values: [1, externalBytes] });
    return { ...profile, samples };
  });
}

const beforeAllocs = '(in use before allocs)';

/** What was in use when `allocs` took the sampler: by itself below a frame of its own, as far as it can be there still. */
function carriedSamples({ root, share }: CarriedHeap, intervalBytes: number): StackSample[] {
  return allocationProfile(root, 'inuse', intervalBytes, []).samples.map(({ frames, values }) => ({
    frames: [...frames, pseudoFrame(beforeAllocs)],
    values: values.map(value => Math.round(value * share)),
  }));
}

const carriedComment = ({ until, share }: CarriedHeap): string =>
  `an allocs capture began the sampling anew: below "${beforeAllocs}" is what was in use at ` +
  `${new Date(until).toISOString()}, not known to be so still${
    share < 1 ? `, scaled to the ${Math.round(share * 100)} % that the heap has room for` : ''
  }`;

/** @param what `inuse` for memory that is alive, `alloc` for all that was allocated */
export function allocationProfile(
  root: AllocationNode,
  what: 'inuse' | 'alloc',
  intervalBytes: number,
  comments: readonly string[],
): StackProfile {
  const samples: StackSample[] = [];
  const visit = (node: AllocationNode, callers: readonly Frame[]): void => {
    const frames = [allocationFrame(node), ...callers];
    let count = 0;
    let bytes = 0;
    for (const allocation of node.allocations) {
      count += allocation.count;
      bytes += allocation.count * allocation.sizeBytes;
    }
    if (count > 0) samples.push({ frames, values: [count, bytes] });
    for (const child of node.children) visit(child, frames);
  };
  for (const child of root.children) visit(child, []);
  return heapProfile(
    [
      { type: `${what}_objects`, unit: 'count' },
      { type: `${what}_space`, unit: 'bytes' },
    ],
    samples,
    intervalBytes,
    comments,
  );
}

function allocationFrame({ name = '', scriptName, lineNumber = 0, columnNumber = 0 }: AllocationNode): Frame {
  const file = scriptFile(scriptName);
  if (file === '') return pseudoFrame(name || '(native)');
  return { name, file, line: 0, column: 0, functionLine: lineNumber, functionColumn: columnNumber };
}

/** The inspector gives bytes alone: it multiplies sizes and counts before anybody sees them. */
export function samplingProfile(
  head: SamplingNode,
  type: 'inuse_space' | 'alloc_space',
  intervalBytes: number,
  comments: readonly string[],
): StackProfile {
  const samples: StackSample[] = [];
  const visit = (node: SamplingNode, callers: readonly Frame[]): void => {
    const frames = [toFrame(node.callFrame), ...callers];
    if (node.selfSize > 0) samples.push({ frames, values: [node.selfSize] });
    for (const child of node.children) visit(child, frames);
  };
  for (const child of head.children) visit(child, []);
  return heapProfile([{ type, unit: 'bytes' }], samples, intervalBytes, [
    ...comments,
    'the number of objects is not known',
  ]);
}

function heapProfile(
  types: StackProfile['types'],
  samples: StackSample[],
  intervalBytes: number,
  comments: readonly string[],
): StackProfile {
  return {
    types,
    defaultType: types[types.length - 1]!.type,
    period: { type: 'space', unit: 'bytes', value: intervalBytes },
    startedAt: Date.now(),
    durationMs: 0,
    samples: mergeSamples(samples),
    comments,
  };
}

/**
 * Reads the sampler through the inspector, beginning to sample where nobody does. The session that begins stays open,
 * because its end would end the sampling.
 */
function inspectorReader(intervalBytes: number, open: () => MainSession): () => Promise<StackProfile> {
  let session: MainSession | undefined;
  return async () => {
    session ??= open();
    const read = () => session!.post<{ profile: { head: SamplingNode } }>('HeapProfiler.getSamplingProfile');
    let note = 'sampled by the inspector';
    const { profile } = await read().catch(async () => {
      await session!.post('HeapProfiler.startSampling', { samplingInterval: intervalBytes });
      note = 'nobody had sampled the heap: sampling begins with this reading';
      return read();
    });
    return samplingProfile(profile.head, 'inuse_space', intervalBytes, [note]);
  };
}
