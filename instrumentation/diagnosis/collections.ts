import { diagnosisMetrics } from '../catalogue';
import type { MeterContext } from '../meters/context';
import type { GcSource } from '../meters/gc-source';
import type { Findings } from './findings';
import { type Adjustment, createGcActor } from './gc/act';
import { adviseOnGc, type GcAdvice, type GcTargets } from './gc/advice';
import { type GcStats, gcStatsSource } from './gc/stats';

/** One change that the tuner made. */
export interface GcAdjustment {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly adjustment: Adjustment;
  /** What `--heap-growing-percent` then was; 0 is V8's own choice. */
  readonly heapGrowingPercent: number;
  readonly why: string;
}

/** What the garbage collection tuner knows. */
export interface GcReport {
  readonly mode: 'advise' | 'act';
  readonly targets: GcTargets;
  readonly stats: GcStats;
  /** Empty where there is nothing to gain. */
  readonly recommendations: readonly GcAdvice[];
  readonly heapGrowingPercent: number;
  /** The last twenty, oldest first. */
  readonly adjustments: readonly GcAdjustment[];
}

export interface GcDiagnosis {
  report(): GcReport;
  look(): void;
  stop(): void;
}

const ticksPerWindow = 6;
/** Share of a window that must have passed before anything is advised. */
const enough = 0.5;
const mostAdjustments = 20;

/**
 * Judges what garbage collection costs, advises options of Node.js, and in `act` mode changes what can be changed.
 *
 * @param flags options of Node.js that are in force
 */
export function diagnoseGc(
  { registry, config, log }: Pick<MeterContext, 'registry' | 'config' | 'log'>,
  gc: GcSource,
  findings: Findings,
  flags: readonly string[],
): GcDiagnosis {
  const { pause: pauseMs, percent, factor } = config.gcTargets;
  const targets = { pauseMs, fraction: percent / 100 };
  const mode = config.gcTuner === 'act' ? 'act' : 'advise';
  const source = gcStatsSource(registry, gc, { flags, longMs: pauseMs });
  const adjustments: GcAdjustment[] = [];
  const counter = registry.instrument(diagnosisMetrics.gcAdjustments);
  const actor = createGcActor({
    ...targets,
    factor,
    onAdjusted(adjustment, heapGrowingPercent, why) {
      adjustments.push({ at: Date.now(), adjustment, heapGrowingPercent, why });
      if (adjustments.length > mostAdjustments) adjustments.shift();
      counter.with({ 'vitals.gc.tuner.adjustment': adjustment }).add();
      log.info(`gc tuner: heap-growing-percent ${heapGrowingPercent} ${adjustment}, because ${why}`);
    },
  });
  const advise = (stats: GcStats): GcAdvice[] =>
    stats.windowSeconds * 1000 < config.gcIntervalMs * enough ? [] : adviseOnGc(stats, targets);

  let ticks = 0;
  const timer = setInterval(() => {
    try {
      source.tick();
      if (mode === 'act' && ++ticks % ticksPerWindow === 0) actor.step(source.read());
    } catch (error) {
      log.warnOnce('gc tuner', `the gc tuner failed: ${String(error)}`);
    }
  }, config.gcIntervalMs / ticksPerWindow).unref();

  return {
    report() {
      const stats = source.read();
      return {
        mode,
        targets,
        stats,
        recommendations: advise(stats),
        heapGrowingPercent: actor.percent,
        adjustments: [...adjustments],
      };
    },
    look() {
      for (const { code, subject, evidence, advice } of advise(source.read())) {
        findings.report(code, subject, evidence, advice);
      }
    },
    stop() {
      clearInterval(timer);
      source.stop();
      actor.restore();
    },
  };
}
