import type { Log } from '../../instrumentation/log';
import type { ExportReport } from './exporter';
import type { Signal } from './settings';

interface Receiver {
  readonly failing: Set<Signal>;
  lost: number;
  saidRejected: boolean;
}

/** Characters of a receiver's own words that a message shows. */
const maxWords = 200;

/**
 * Says once that a receiver is down, once that it is back, and once that it refuses a part of what it is sent.
 *
 * A receiver is down while the newest export of any signal did not arrive, so that one which is gone is one warning
 * and not one per signal, and one which takes metrics but no traces is one warning and not one per export.
 */
export function watchReceivers(log: Pick<Log, 'warn' | 'debug'>): (report: ExportReport) => void {
  const receivers = new Map<string, Receiver>();
  return ({ signal, receiver: address, error, rejection, items }) => {
    const receiver = receivers.get(address) ?? { failing: new Set(), lost: 0, saidRejected: false };
    receivers.set(address, receiver);
    const { failing } = receiver;
    if (error !== undefined) {
      const text = `OTLP: ${address} did not get ${signal}: ${error.message}`;
      if (failing.size > 0) log.debug(text);
      else if (error.type === 'aborted') log.warn(text);
      else log.warn(`${text}; the application runs on, and telemetry is lost until it does`);
      failing.add(signal);
      receiver.lost++;
      return;
    }
    if (failing.delete(signal) && failing.size === 0) {
      log.warn(`OTLP: ${address} takes telemetry again; exports lost meanwhile: ${receiver.lost}`);
      receiver.lost = 0;
    }
    const { count, message } = rejection;
    if (count === 0 && message === '') return;
    const words = message.slice(0, maxWords);
    const text =
      count === 0
        ? `OTLP: ${address} says of ${signal}: ${words}`
        : `OTLP: ${address} refused ${count} of ${items} ${itemNames[signal]}: ${words}`;
    if (receiver.saidRejected) log.debug(text);
    else log.warn(`${text}; said once, and counted in otel.sdk.exporter.*.exported`);
    receiver.saidRejected = true;
  };
}

const itemNames: Record<Signal, string> = {
  traces: 'spans',
  metrics: 'data points',
  logs: 'log records',
};
