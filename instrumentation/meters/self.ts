import { selfMetrics } from '../catalogue';
import type { Meter } from './context';

/** What the agent says of itself; the numbers that only the composition root knows are handed in. */
export function meterSelf(facts: { version: string; startupSeconds: () => number | undefined }): Meter {
  return ({ registry, log }) => {
    const m = selfMetrics;
    registry
      .instrument(m.buildInfo)
      .with({ version: facts.version, 'nodejs.version': process.version.slice(1) })
      .set(1);
    const series = registry.instrument(m.series).with({});
    const overflow = registry.instrument(m.overflow).with({});
    const warnings = registry.instrument(m.warnings).with({});
    const startup = registry.instrument(m.startupDuration).with({});
    return registry.onCollect(() => {
      series.set(registry.series);
      overflow.set(registry.overflowed);
      warnings.set(log.warnings);
      startup.set(facts.startupSeconds());
    });
  };
}
