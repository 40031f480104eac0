import { gcMetrics } from '../catalogue';
import type { Meter } from './context';
import type { GcSource } from './gc-source';

/** Pauses by garbage collection, those that code asked for apart. */
export function meterGc(gc: GcSource): Meter {
  return ({ registry }) => {
    const duration = registry.instrument(gcMetrics.duration);
    return gc.subscribe(collections => {
      for (const { type, seconds, forced } of collections) {
        duration
          .with({ 'v8js.gc.type': type, 'vitals.gc.forced': forced ? 'true' : undefined })
          .record(seconds);
      }
    });
  };
}
