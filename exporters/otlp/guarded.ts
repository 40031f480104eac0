import type { ExportResult } from '@opentelemetry/core';
import { errorText, type Log } from '../../instrumentation/log';

/** What the exporters of all signals have in common. */
export interface Exporter<Items> {
  export(items: Items, done: (result: ExportResult) => void): void;
  forceFlush?(): Promise<void>;
  shutdown(): Promise<void>;
}

/** How one signal's exports fare, for the agent's own metrics. */
export interface ExportStats {
  readonly signal: string;
  readonly exports: number;
  readonly failures: number;
  readonly lastError: string | undefined;
}

export interface GuardOptions {
  readonly signal: string;
  /** Where it goes, without credentials. */
  readonly address: string;
  readonly log: Pick<Log, 'warn' | 'debug'>;
  /** Milliseconds that `shutdown` may take. */
  readonly shutdownTimeoutMs: number;
  /** What is under way gets no further try. */
  readonly hurry?: () => void;
  /** Ends what is under way. */
  readonly abort?: () => void;
}

export interface Guarded<Items> extends Required<Exporter<Items>> {
  readonly stats: ExportStats;
}

/** `ExportResultCode.SUCCESS`; the enum would bring the whole package along. */
const success = 0;

/**
 * Puts an exporter where it can do no harm:
 *
 * - it says once that a Collector is down and once that it is back, and counts the failures;
 * - it acknowledges a batch as soon as it is handed over. OpenTelemetry's processors hold the process with a timer
 *   of 30 s until they hear of it, and log each failure that they hear of;
 * - `forceFlush` waits for all that is under way, `shutdown` does so up to its deadline and then lets go.
 */
export function guard<Items>(inner: Exporter<Items>, options: GuardOptions): Guarded<Items> {
  const { signal, address, log } = options;
  const stats = { signal, exports: 0, failures: 0, lastError: undefined as string | undefined };
  const underWay = new Set<Promise<void>>();
  let down = false;
  let lost = 0;

  const note = (result: ExportResult): void => {
    if (result.code === success) {
      stats.exports++;
      if (down) log.warn(`OTLP ${signal}: ${address} takes them again; exports lost meanwhile: ${lost}`);
      down = false;
      lost = 0;
      return;
    }
    stats.failures++;
    lost++;
    stats.lastError = errorText(result.error ?? 'failed for no given reason');
    const message = `OTLP ${signal}: ${address} did not take an export: ${stats.lastError}`;
    if (down) log.debug(message);
    else log.warn(`${message}; the application runs on, and ${signal} are lost until it does`);
    down = true;
  };

  const settled = async (): Promise<void> => {
    options.hurry?.();
    await Promise.all(underWay);
  };

  return {
    stats,
    export(items, done) {
      const work = new Promise<void>(resolve => {
        const end = (result: ExportResult): void => {
          note(result);
          resolve();
        };
        try {
          inner.export(items, end);
        } catch (error) {
          end({ code: 1, error: error as Error });
        }
      });
      underWay.add(work);
      void work.then(() => underWay.delete(work));
      done({ code: success });
    },
    async forceFlush() {
      await settled();
    },
    async shutdown() {
      await atMost(options.shutdownTimeoutMs, settled());
      options.abort?.();
      await atMost(options.shutdownTimeoutMs, inner.shutdown());
    },
  };
}

/** Resolves with `work`, however it ends, and at the latest after `ms`. Does not hold the process. */
function atMost(ms: number, work: Promise<void>): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, ms).unref();
    work
      .catch(() => {})
      .finally(() => {
        clearTimeout(timer);
        resolve();
      });
  });
}
