import { getHeapStatistics } from 'node:v8';
import { eventLoopMetrics, gcMetrics } from '../../catalogue';
import { memoryUse } from '../../meters/memory-use';
import type { GaugeCell, HistogramCell } from '../../metrics/cells';
import type { MetricRegistry } from '../../metrics/registry';
import type { MainFigures } from '../contract';

const delays = ['min', 'mean', 'p50', 'p90', 'p99', 'max'] as const;

/** The numbers of the status page, as the meters have them; those of a meter that is left out are missing. */
export function readFigures(registry: MetricRegistry): MainFigures {
  const instruments = new Map([...registry.read()].map(instrument => [instrument.metric.name, instrument]));
  const cells = <T>(name: string): T[] => [...(instruments.get(name)?.cells() ?? [])] as T[];
  const gauge = (name: string): number | undefined => cells<GaugeCell>(name)[0]?.value;

  const gc: Record<string, { count: number; seconds: number }> = {};
  for (const { attributes, count, sum } of cells<HistogramCell>(gcMetrics.duration.name)) {
    const type = String(attributes['v8js.gc.type']);
    const total = gc[type] ?? { count: 0, seconds: 0 };
    gc[type] = total;
    total.count += count;
    total.seconds += sum;
  }
  const delaySeconds: Record<string, number> = {};
  for (const name of delays) {
    const value = gauge(eventLoopMetrics[name].name);
    if (value !== undefined) delaySeconds[name] = value;
  }
  return {
    memory: { ...memoryUse() },
    heapLimitBytes: getHeapStatistics().heap_size_limit,
    gc,
    eventLoop: { utilization: gauge(eventLoopMetrics.utilization.name) ?? 0, delaySeconds },
    activeResources: process.getActiveResourcesInfo().length,
  };
}
