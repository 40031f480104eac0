import { dbOperationMetrics } from '../catalogue/database';
import { errorType } from '../libraries/error-type';
import { blockingCommands, redisCommands, redisModuleCommand } from '../libraries/redis-commands';
import { summarize } from '../libraries/sql/summary';
import type { CounterCell, HistogramCell } from '../metrics/cells';
import type { MeterContext } from './context';

/** Measures operations of one database system. */
export interface OperationRecorder {
  /**
   * Records an operation that ends now.
   *
   * @param text the SQL text, or the name of the Redis command
   * @param startMs `performance.now()` when it began
   * @param error what it failed with, if it did
   */
  end(text: string, startMs: number, error?: unknown): void;
}

export interface Operations {
  /** @param system `db.system.name` */
  sql(system: string): OperationRecorder;
  readonly redis: OperationRecorder;
}

/** Query texts that are remembered with their series; the oldest make room for new ones. */
const maxTexts = 1000;
/** Longer texts are summarised each time: they are rare, and as keys they would hold memory. */
const maxTextLength = 2000;
/** Summaries over all systems, as the catalogue promises. */
const maxSummaries = 200;
const maxModuleCommands = 100;

/** What is known of a text, with the series of its successes. */
interface Known {
  readonly operation: string;
  readonly summary: string | undefined;
  /** Whether it may be slow without meaning anything. */
  readonly waits: boolean;
  succeeded: HistogramCell | undefined;
  slow: CounterCell | undefined;
}

/** Binds the operation metrics to whoever runs operations; see the hooks in `libraries/`. */
export function createOperations(context: MeterContext): Operations {
  const duration = context.registry.instrument(dbOperationMetrics.duration);
  const slow = context.registry.instrument(dbOperationMetrics.slow);
  const slowSeconds = context.config.slowQueryMs / 1000;
  const summaries = new Set<string>();

  const bounded = (summary: string): string => {
    if (summaries.has(summary)) return summary;
    if (summaries.size >= maxSummaries - 1) return '_OTHER';
    summaries.add(summary);
    return summary;
  };

  const recorder = (system: string, describe: (text: string) => Known): OperationRecorder => {
    const known = new Map<string, Known>();
    const lookUp = (text: string): Known => {
      const found = known.get(text);
      if (found !== undefined) return found;
      const made = describe(text);
      if (text.length > maxTextLength) return made;
      if (known.size >= maxTexts) known.delete(known.keys().next().value!);
      known.set(text, made);
      return made;
    };
    return {
      end(text, startMs, error) {
        const seconds = (performance.now() - startMs) / 1000;
        const it = lookUp(text);
        const attributes = {
          'db.system.name': system,
          'db.operation.name': it.operation,
          'db.query.summary': it.summary,
        };
        if (error === undefined) {
          it.succeeded ??= duration.with(attributes);
          it.succeeded.record(seconds, context.exemplar());
        } else {
          const failed = duration.with({ ...attributes, 'error.type': errorType(error) });
          failed.record(seconds, context.exemplar());
        }
        if (seconds >= slowSeconds && !it.waits) {
          it.slow ??= slow.with(attributes);
          it.slow.add();
        }
      },
    };
  };

  const recorders = new Map<string, OperationRecorder>();
  return {
    sql(system) {
      let made = recorders.get(system);
      if (made === undefined) {
        made = recorder(system, text => {
          const { operation, summary } = summarize(text, system);
          return known(operation, bounded(summary), false);
        });
        recorders.set(system, made);
      }
      return made;
    },
    redis: recorder('redis', createCommandNames()),
  };
}

function createCommandNames(): (text: string) => Known {
  const ofModules = new Set<string>();
  return text => {
    const name = text.length > 32 ? '_OTHER' : text.toUpperCase();
    if (redisModuleCommand.test(name) && ofModules.size < maxModuleCommands) ofModules.add(name);
    const operation = redisCommands.has(name) || ofModules.has(name) ? name : '_OTHER';
    return known(operation, undefined, blockingCommands.has(operation));
  };
}

function known(operation: string, summary: string | undefined, waits: boolean): Known {
  return { operation, summary, waits, succeeded: undefined, slow: undefined };
}
