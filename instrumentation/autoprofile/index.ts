import { heapMetrics } from '../catalogue';
import { guarded } from '../guard';
import type { MeterContext } from '../meters/context';
import { type HeapFill, heapFill, nearlyFull } from '../meters/heap-use';
import type { Profiling } from '../profiling';
import type { StallEnd } from '../profiling/contract';
import { createDetector } from './detector';
import { createGate } from './gate';
import { createIncidents, type Fired } from './incidents';
import { createReadings, type Levels } from './readings';
import { type Rule, rulesOf } from './rules';
import type { Continuous } from './taker';

/** Readings after a capture in which another of its kind, or of a related rule, would show the same. */
const relatedReadings = 12;
/** Blocks of the event loop that a stall's capture tells of. */
const stallsKept = 20;
/** Frames of a stall's stack that lie beside its capture; all of them are in it. */
const framesKept = 40;

/**
 * Takes profiles by itself when a vital sign changes for the worse. Between two readings it does nothing, and it does
 * not keep the process alive.
 *
 * @param continuous continuous profiling, which knows the moments before a trigger
 * @returns a function that ends it; what is being captured is the profiler's to end
 */
export function startAutoprofiler(
  context: MeterContext,
  profiling: Pick<Profiling, 'start' | 'keep' | 'onStall'>,
  continuous: Continuous | undefined,
): () => void {
  const { config, log, registry } = context;
  const rules = rulesOf(config);
  const gate = createGate({
    warmupMs: config.autoprofileWarmupMs,
    cooldownMs: config.autoprofileCooldownMs,
    relatedMs: relatedReadings * config.autoprofileIntervalMs,
    budget: config.autoprofileBudget,
  });
  const live = registry.instrument(heapMetrics.live).with({});
  const fill = () => heapFill(live.value);
  const incidents = createIncidents(context, { profiling, continuous }, gate, fill);
  const readings = createReadings(
    registry,
    rules.map(({ name }) => name),
  );
  const watched = rules.flatMap(rule =>
    rule.name === 'stall'
      ? []
      : [{ rule, name: rule.name, detector: createDetector(rule.thresholds) } as const],
  );
  const heapRule = rules.find(({ name }) => name === 'heap');
  const nearLimit = heapRule === undefined ? () => undefined : watchLimit(heapRule, fill);

  const read = guarded(log, 'the auto-profiler', () => {
    const levels = readings.take();
    const { warm } = gate;
    const fired: Fired[] = [];
    for (const { rule, name, detector } of watched) {
      if (!warm) {
        detector.learn(levels[name]);
        continue;
      }
      const limit = name === 'heap' ? nearLimit() : undefined;
      const firing = sure(name, levels) ? detector.observe(levels[name]) : detector.learn(levels[name]);
      if (firing !== undefined) fired.push({ rule, ...firing });
      else if (limit !== undefined) fired.push(limit);
    }
    if (fired.length > 0) incidents(fired);
  });
  const timer = setInterval(read, config.autoprofileIntervalMs).unref();
  const stallRule = rules.find(({ name }) => name === 'stall');
  const stopStalls = stallRule === undefined ? () => {} : watchStalls(stallRule);
  return () => {
    clearInterval(timer);
    stopStalls();
    readings.stop();
  };

  function watchStalls(rule: Rule): () => void {
    const recent: number[] = [];
    const threshold = rule.thresholds.max;
    return profiling.onStall(
      guarded(log, 'the auto-profiler', ({ ranMs, frames }: StallEnd) => {
        // An overloaded machine is no doing of the code that ran.
        recent.push(ranMs);
        if (recent.length > stallsKept) recent.shift();
        if (ranMs < threshold || !gate.warm) return;
        const stack = frames
          .slice(0, framesKept)
          .map(({ name, file, line }) => `${name} ${file}:${line}`.trimEnd());
        incidents([
          { rule, value: ranMs, usual: undefined, threshold, recent: [...recent], more: { stack } },
        ]);
      }),
    );
  }
}

/** Garbage that lies about until the first major collection is no growth, but shows what was there before it. */
function sure(name: keyof Levels, { heapIsLive }: Levels): boolean {
  return name !== 'heap' || heapIsLive;
}

/** Fires once each time that the heap comes near its limit, however slowly it got there. */
function watchLimit(rule: Rule, fill: () => HeapFill): () => Fired | undefined {
  let near = false;
  return () => {
    const { bytes, limit, share } = fill();
    const was = near;
    near = share >= nearlyFull;
    if (was || !near) return undefined;
    const value = bytes / 2 ** 20;
    return {
      rule,
      value,
      usual: undefined,
      threshold: (limit * nearlyFull) / 2 ** 20,
      recent: [value],
      more: { limit: true },
    };
  };
}
