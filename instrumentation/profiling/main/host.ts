import { findSourceMap } from 'node:module';
import { collectGarbage } from '../../collect-garbage';
import type { MeterContext } from '../../meters/context';
import type { HostMethods, StallEnd } from '../contract';
import { readActiveResources, type TrackedResources } from './active-resources';
import type { ContentionLog } from './contention';
import { readFigures } from './figures';
import type { HeapSampler } from './heap-sampler';
import type { CaptureMetrics } from './metrics';
import type { Routes } from './routes';

export interface HostParts {
  readonly context: MeterContext;
  readonly heap: HeapSampler;
  readonly tracker: TrackedResources | undefined;
  readonly contention: ContentionLog;
  readonly metrics: CaptureMetrics;
  readonly routes: Routes;
  readonly onStall: (stall: StallEnd) => void;
  readonly onKeeping: HostMethods['keeping'];
  readonly onServing: HostMethods['serving'];
}

/** What the main thread answers its worker. */
export function hostMethods(parts: HostParts): HostMethods {
  const { context, heap, metrics } = parts;
  return {
    figures: () => readFigures(context.registry),
    readHeap({ gc }) {
      if (gc) collectGarbage();
      return heap.read();
    },
    startHeapSampling: () => heap.start(),
    stopHeapSampling: () => heap.suspend(),
    readResources: () => readActiveResources(parts.tracker),
    readContention: () => parts.contention.read(),
    loadedSourceMap: file => findSourceMap(file)?.payload,
    route: request => parts.routes.answer(request),
    log: ({ level, message }) => context.log[level](message),
    captureEnded: end => metrics.ended(end),
    captureUploaded: taken => metrics.uploaded(taken),
    keeping: keeps => parts.onKeeping(keeps),
    stored: usage => metrics.stored(usage),
    stallEnded: stall => parts.onStall(stall),
    serving: where => parts.onServing(where),
  };
}
