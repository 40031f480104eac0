import type { ExportResult } from '@opentelemetry/core';
import type { Config } from '../../instrumentation/config/options';
import { withDeadline } from '../../instrumentation/lifecycle';
import { errorText, type Log } from '../../instrumentation/log';
import { createDelivery } from './delivery';
import { createGrpcSender } from './grpc';
import { createHttpSender } from './http';
import { type Answer, SendError } from './sender';
import { otlpSettings, type Protocol, type Signal } from './settings';
import { type Batches, signalParts } from './signals';

export type { Signal } from './settings';

/** How one export ended, for the agent's own metrics and log. */
export interface ExportReport {
  readonly signal: Signal;
  readonly protocol: Protocol;
  /** Scheme, host and port. */
  readonly receiver: string;
  /** Spans, data points or log records. */
  readonly items: number;
  /** Of these the receiver refused so many, and says why, while it took the rest. */
  readonly rejection: { readonly count: number; readonly message: string };
  /** What failed; `undefined` for an export that arrived. */
  readonly error: SendError | undefined;
  readonly seconds: number;
}

/** Told what becomes of telemetry. */
export interface ExportWatch {
  exported(report: ExportReport): void;
  /** Spans or log records came faster than they could be handed over. */
  dropped(signal: Signal, protocol: Protocol, items: number): void;
}

/** An exporter of one signal that can do no harm; see {@link createOtlpExporter}. */
export interface OtlpExporter<S extends Signal> {
  export(items: Batches[S], done: (result: ExportResult) => void): void;
  /** Waits for all that is under way. Never rejects. */
  forceFlush(): Promise<void>;
  /** Ends all that is under way: it is lost. */
  giveUp(): void;
  /** Flushes up to VITALS_SHUTDOWN_TIMEOUT_MS, then lets go. Never rejects. */
  shutdown(): Promise<void>;
}

/** `ExportResultCode.SUCCESS`; the enum would bring the whole package along. */
const success = 0;
/** Exports under way at once. A receiver that is slow or gone costs so many batches of memory and no more ... */
const maxUnderWay = 30;
/** ... and at most so much. */
const maxBytesUnderWay = 32 * 1024 * 1024;

/**
 * An exporter of one signal over OTLP, set up by the OTEL_EXPORTER_OTLP_* variables.
 *
 * - It acknowledges a batch as soon as it is handed over. OpenTelemetry's processors hold the process with a timer
 *   of 30 s until they hear of it, and log each failure that they hear of.
 * - What does not fit its bounds is lost, and counts as failed.
 *
 * @throws Error when a certificate cannot be read
 */
export function createOtlpExporter<S extends Signal>(
  signal: S,
  config: Config,
  log: Pick<Log, 'debug'>,
  watch: ExportWatch,
): OtlpExporter<S> {
  const settings = otlpSettings(config, signal);
  const { protocol } = settings;
  const parts = signalParts[signal];
  const serializer = protocol === 'http/json' ? parts.json : parts.protobuf;
  const sender =
    protocol === 'grpc' ? createGrpcSender(settings, signal) : createHttpSender(settings, protocol);
  const delivery = createDelivery(sender, settings);
  const underWay = new Set<Promise<void>>();
  let bytesUnderWay = 0;

  const deliver = async (items: Batches[S]): Promise<Answer> => {
    if (underWay.size >= maxUnderWay) return tooSlow();
    let body: Uint8Array | undefined;
    try {
      body = serializer.serializeRequest(items);
    } catch (error) {
      return refused('serialization', `it could not be encoded: ${errorText(error)}`, error);
    }
    if (body === undefined) return refused('serialization', 'it could not be encoded');
    if (bytesUnderWay + body.length > maxBytesUnderWay) return tooSlow();
    bytesUnderWay += body.length;
    try {
      return await delivery.deliver(body);
    } finally {
      bytesUnderWay -= body.length;
    }
  };

  const run = async (items: Batches[S]): Promise<void> => {
    const begin = performance.now();
    const answer = await deliver(items);
    const taken = answer.status === 'taken';
    watch.exported({
      signal,
      protocol,
      receiver: settings.url.origin,
      items: parts.count(items),
      rejection: taken ? rejectionOf(parts.rejectedKey, serializer, answer.body) : none,
      error: taken ? undefined : answer.error,
      seconds: (performance.now() - begin) / 1000,
    });
  };

  const settled = async (): Promise<void> => {
    delivery.hurry();
    await Promise.all(underWay);
  };
  return {
    export(items, done) {
      const work = run(items).catch(error => log.debug(`OTLP ${signal}: ${errorText(error)}`));
      underWay.add(work);
      void work.then(() => underWay.delete(work));
      done({ code: success });
    },
    forceFlush: settled,
    giveUp: () => delivery.abort(),
    async shutdown() {
      await withDeadline(settled(), config.shutdownTimeoutMs, false);
      delivery.abort();
      delivery.close();
    },
  };
}

type Rejection = ExportReport['rejection'];

const none: Rejection = { count: 0, message: '' };

/** What the answer says of a partial success. An answer that is none says nothing. */
function rejectionOf(
  key: string,
  serializer: { deserializeResponse(body: Uint8Array): unknown },
  body: Uint8Array,
): Rejection {
  try {
    const answer = serializer.deserializeResponse(body) as {
      partialSuccess?: Record<string, unknown>;
    } | null;
    const { [key]: count, errorMessage } = answer?.partialSuccess ?? {};
    return { count: Number(count ?? 0) || 0, message: typeof errorMessage === 'string' ? errorMessage : '' };
  } catch {
    // A status of success is what counts; proxies answer with pages of their own.
    return none;
  }
}

function refused(type: string, message: string, cause?: unknown): Answer {
  return { status: 'refused', error: new SendError(type, message, { cause }) };
}

function tooSlow(): Answer {
  return refused('queue_full', 'those before it are still under way');
}
