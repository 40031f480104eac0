import type { Config } from '../config/options';
import type { Log } from '../log';
import type { Exemplar } from '../metrics/exemplar';
import type { MetricRegistry } from '../metrics/registry';

/** What a meter is given. */
export interface MeterContext {
  readonly registry: MetricRegistry;
  readonly config: Config;
  readonly log: Log;
  /** Calls `tick` about every 10 s for as long as the agent runs, without keeping the process alive. */
  readonly onTick: (tick: () => void) => () => void;
  /** The trace to note beside a measurement made now; `undefined` while tracing is off. */
  readonly exemplar: () => Omit<Exemplar, 'value'> | undefined;
}

/** Binds entries of the catalogue to a source; the result undoes it. */
export type Meter = (context: MeterContext) => () => void;
