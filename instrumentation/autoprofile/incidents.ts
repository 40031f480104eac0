import { profilingMetrics } from '../catalogue';
import type { TriggerOutcome } from '../catalogue/profiling';
import { isEnabled } from '../config/load';
import { errorText } from '../log';
import type { MeterContext } from '../meters/context';
import { type HeapFill, nearlyFull } from '../meters/heap-use';
import type { CaptureKind } from '../profiling/capture';
import type { Firing } from './detector';
import { cpuCost, type Gate } from './gate';
import type { Rule } from './rules';
import { type Sources, takeCaptures } from './taker';

/** A rule that fired, and what it knows beyond the numbers. */
export interface Fired extends Firing {
  readonly rule: Rule;
  readonly more?: Readonly<Record<string, unknown>>;
}

/**
 * Decides what comes of rules that fire. What fires together, or while a capture runs, or soon after one that shows
 * what it would or is a sign of the same trouble, is one incident and gets one capture.
 *
 * @param fired in the order of the rules, the one that explains the others first
 * @param heap how full the heap is
 */
export function createIncidents(
  context: Pick<MeterContext, 'config' | 'log' | 'registry'>,
  sources: Sources,
  gate: Gate,
  heap: () => Pick<HeapFill, 'bytes' | 'share'>,
  now: () => number = Date.now,
): (fired: readonly Fired[]) => void {
  const { config, log } = context;
  const count = countTriggers(context, now);
  let running = false;

  const take = async (fired: Fired, also: readonly Fired[]): Promise<void> => {
    const { rule } = fired;
    const { errors, records } = await takeCaptures(
      sources,
      rule.captures,
      config.autoprofileDurationMs,
      reasonOf(fired, also, config.autoprofileIntervalMs),
    );
    if (records.length > 0) {
      count(rule, 'captured');
      log.info(`the auto-profiler took ${records.map(({ id }) => id).join(', ')}: ${inWords(fired)}`);
    } else count(rule, 'failed');
    for (const error of errors) log.warn(`the auto-profiler (${inWords(fired)}): ${errorText(error)}`);
  };

  return fired => {
    if (running) {
      for (const { rule } of fired) {
        gate.cool(rule.name);
        count(rule, 'busy');
      }
      return;
    }
    const fill = heap();
    for (const [i, candidate] of fired.entries()) {
      const { rule } = candidate;
      const kinds = rule.captures.flat();
      // A reading of the heap costs next to nothing; all else would hasten the end.
      if (fill.share >= nearlyFull && kinds.some(kind => kind !== 'heap')) {
        count(rule, 'memory');
        continue;
      }
      const cost = kinds.includes('cpu') ? cpuCost(fill.bytes) : 1;
      const refusal = gate.ask(rule.name, cost, mainKind(rule));
      if (refusal !== undefined) {
        count(rule, refusal);
        if (refusal === 'busy') gate.cool(rule.name);
        if (cost > config.autoprofileBudget) {
          log.warnOnce(
            `autoprofile cost ${rule.name}`,
            `the auto-profiler leaves ${rule.name} out: to begin a CPU profile of this heap costs ${cost} of the ` +
              `${config.autoprofileBudget} that VITALS_AUTOPROFILE_BUDGET allows in an hour`,
          );
        }
        continue;
      }
      const also = fired.slice(i + 1);
      gate.spend(
        rule.name,
        cost,
        rule.captures.map(([kind]) => kind!),
      );
      for (const { rule: cooled } of [candidate, ...also]) gate.cool(cooled.name);
      running = true;
      void take(candidate, also).finally(() => {
        running = false;
      });
      return;
    }
  };
}

/** What a rule is after; what it takes before that is by the way. */
const mainKind = ({ captures }: Rule): CaptureKind => captures.at(-1)![0]!;

/** What lies beside a capture: which rule fired, on which values. */
function reasonOf(
  { rule, value, usual, threshold, recent, more }: Fired,
  also: readonly Fired[],
  intervalMs: number,
): Readonly<Record<string, unknown>> {
  return {
    rule: rule.name,
    unit: rule.unit,
    value: round(value),
    ...(usual === undefined ? {} : { usual: round(usual) }),
    threshold: round(threshold),
    thresholds: rule.thresholds,
    recent: recent.map(round),
    intervalMs,
    ...(also.length === 0
      ? {}
      : {
          also: also.map(other => ({
            rule: other.rule.name,
            unit: other.rule.unit,
            value: round(other.value),
          })),
        }),
    ...more,
  };
}

function inWords({ rule, value, usual }: Fired): string {
  const normal = usual === undefined ? '' : `, usually ${round(usual)}`;
  return `${rule.name} at ${round(value)} ${rule.unit}${normal}`;
}

const round = (value: number): number => Number(value.toPrecision(3));

function countTriggers(
  { registry, config }: Pick<MeterContext, 'config' | 'registry'>,
  now: () => number,
): (rule: Rule, outcome: TriggerOutcome) => void {
  if (!isEnabled(config, 'profiling')) return () => {};
  const triggers = registry.instrument(profilingMetrics.triggers);
  const last = registry.instrument(profilingMetrics.lastCapture);
  const cell = (name: Rule['name'], outcome: TriggerOutcome) =>
    triggers.with({ 'vitals.autoprofile.rule': name, 'vitals.autoprofile.outcome': outcome });
  // There from the start, because a counter that appears with its first event shows no increase.
  for (const name of config.autoprofileRules) cell(name, 'captured');
  return ({ name }, outcome) => {
    cell(name, outcome).add();
    if (outcome === 'captured') last.with({ 'vitals.autoprofile.rule': name }).set(now() / 1000);
  };
}
