import { diagnosisMetrics } from '../catalogue';
import type { MeterContext } from '../meters/context';
import type { GcSource } from '../meters/gc-source';
import type { Findings } from './findings';
import type { KindState } from './leak/detector';
import { kindFacts, type LeakKind, leakKinds } from './leak/kinds';
import { type LeakWatch, watchLeaks } from './leak/watch';

/** Reports leaks as findings, and what the detector sees as metrics. */
export function diagnoseLeaks(
  { registry, config, log }: Pick<MeterContext, 'registry' | 'config' | 'log'>,
  gc: GcSource,
  findings: Findings,
): LeakWatch {
  return watchLeaks(
    registry,
    gc,
    log,
    {
      intervalMs: config.leakIntervalMs,
      history: config.leakHistory,
      thresholds: config.leakGrowth,
      confirm: config.leakConfirm,
    },
    {
      say({ kind, evidence, suggestions }) {
        const { code, subject } = kindFacts[kind];
        findings.report(code, subject, evidence, suggestions.join(' '));
      },
      judged: showLeaks(registry),
    },
  );
}

function showLeaks(
  registry: MeterContext['registry'],
): (state: Readonly<Record<LeakKind, KindState>>) => void {
  const m = diagnosisMetrics;
  const suspected = registry.instrument(m.leakSuspected);
  const growth = registry.instrument(m.leakGrowth);
  const confidence = registry.instrument(m.leakConfidence);
  const left = registry.instrument(m.timeToExhaustion).with({});
  return state => {
    for (const kind of leakKinds) {
      const { verdict, suspected: seen, leaks } = state[kind];
      const attributes = { 'vitals.leak.kind': kind };
      suspected.with(attributes).set(leaks ? 1 : seen ? 0.5 : 0);
      confidence.with(attributes).set(verdict.confidence);
      if (kind !== 'resources') growth.with(attributes).set(verdict.perHour / 3600);
    }
    const { verdict, leaks } = state.heap;
    left.set(leaks && verdict.hoursLeft !== undefined ? verdict.hoursLeft * 3600 : undefined);
  };
}
