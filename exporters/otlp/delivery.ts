import { setMaxListeners } from 'node:events';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type Answer, SendError, type Sender } from './sender';

/** Tries and waits, as OpenTelemetry's own exporters have them. */
const maxRetries = 5;
const firstBackoffMs = 1000;
const maxBackoffMs = 5000;

/** Brings batches to a receiver with the retries of the specification, and lets the process go meanwhile. */
export interface Delivery {
  /** Never rejects; settled after `timeoutMs` at the latest. */
  deliver(body: Uint8Array): Promise<Answer>;
  /**
   * What waits for its next try gets it now, and no further one: for a flush, which somebody waits for. Where the
   * receiver asked for patience there is none.
   */
  hurry(): void;
  /** Ends what is under way. */
  abort(): void;
  close(): void;
}

export interface DeliveryOptions {
  readonly gzip: boolean;
  /** For all tries of one batch together. */
  readonly timeoutMs: number;
  readonly random?: () => number;
}

export function createDelivery(sender: Sender, options: DeliveryOptions): Delivery {
  const { timeoutMs, random = Math.random } = options;
  let hurried = stopper();
  let aborted = stopper();

  const hurry = (): void => {
    hurried.abort();
    hurried = stopper();
  };
  return {
    async deliver(data) {
      const deadline = performance.now() + timeoutMs;
      const { signal: hurrySignal } = hurried;
      const { signal: abortSignal } = aborted;
      let body = data;
      if (options.gzip) {
        try {
          body = await promisify(gzip)(data);
        } catch (error) {
          return { status: 'refused', error: new SendError('gzip', String(error), { cause: error }) };
        }
      }
      for (let tries = 0; ; tries++) {
        const answer = await sender.send(body, deadline - performance.now(), abortSignal);
        if (answer.status !== 'busy' || tries === maxRetries || hurrySignal.aborted) return answer;
        const backoff = Math.min(firstBackoffMs * 1.5 ** tries, maxBackoffMs) * (0.8 + 0.4 * random());
        const wait = answer.afterMs ?? backoff;
        if (performance.now() + wait > deadline) return answer;
        await sleep(wait, hurrySignal);
        if (abortSignal.aborted || (hurrySignal.aborted && answer.afterMs !== undefined)) return answer;
      }
    },
    hurry,
    abort() {
      aborted.abort();
      aborted = stopper();
      hurry();
    },
    close: () => sender.close(),
  };
}

/** Every batch under way listens to it; Node.js would take more than ten for a leak, and tell the application. */
function stopper(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

/** Ends early when `signal` is aborted. Does not hold the process. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms).unref();
    signal.addEventListener('abort', end);
  });
}
