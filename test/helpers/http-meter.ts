import { type Config, options } from '../../instrumentation/config/options';
import { createLog } from '../../instrumentation/log';
import type { Meter } from '../../instrumentation/meters/context';
import { type Cell, HistogramCell } from '../../instrumentation/metrics/cells';
import { MetricRegistry } from '../../instrumentation/metrics/registry';

/** One series as a test compares it: its attributes, and its value or its count of measurements. */
export interface Series {
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly value: number;
  readonly sum: number;
}

/** A meter that runs in the test's own process, and what it measured. */
export interface MeterUnderTest {
  /** All series of a metric, after its readers ran; those at 0 too. */
  series(name: string): Series[];
  /** Sum of values (or of measurements) over the series that have all these attributes. */
  total(name: string, attributes?: Readonly<Record<string, unknown>>): number;
  tick(): void;
  readonly problems: string[];
  stop(): void;
}

export function runMeter(
  meter: Meter,
  given: { config?: Partial<Config>; cardinalityLimit?: number } = {},
): MeterUnderTest {
  const problems: string[] = [];
  const defaults = Object.fromEntries(Object.entries(options).map(([key, option]) => [key, option.default]));
  const registry = new MetricRegistry(given.cardinalityLimit ?? 2000, error => problems.push(String(error)));
  const ticks = new Set<() => void>();
  const stop = meter({
    registry,
    config: { ...defaults, ...given.config } as Config,
    log: createLog('warn', line => problems.push(line)),
    onTick: tick => {
      ticks.add(tick);
      return () => ticks.delete(tick);
    },
    exemplar: () => undefined,
  });
  const series = (name: string): Series[] => {
    for (const instrument of registry.read()) {
      if (instrument.metric.name === name) return [...instrument.cells()].map(seriesOf);
    }
    return [];
  };
  return {
    series,
    total: (name, attributes = {}) =>
      series(name)
        .filter(one => Object.entries(attributes).every(([key, value]) => one.attributes[key] === value))
        .reduce((sum, { value }) => sum + value, 0),
    tick: () => {
      for (const tick of ticks) tick();
    },
    problems,
    stop,
  };
}

function seriesOf(cell: Cell): Series {
  const { attributes } = cell;
  return cell instanceof HistogramCell
    ? { attributes, value: cell.count, sum: cell.sum }
    : { attributes, value: cell.value ?? 0, sum: cell.value ?? 0 };
}

/** Waits until `ready` holds; fails with `what` after ten seconds. */
export async function until(ready: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!ready()) {
    if (Date.now() > deadline) throw new Error(`Expected ${what} within 10 s`);
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}
