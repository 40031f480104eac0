import { HttpAbortedError, HttpBodyTooLargeError, type HttpCallFacts, HttpTimeoutError } from '../errors';
import type { Answer } from '../exchange';
import type { Call } from '../request';

/** What those who wait for another call's load get: its answer, if it is for all, or its error. */
export interface Landing {
  readonly answer?: Answer;
  readonly error?: Error;
}

/** A load that others may wait for. */
export class Flight {
  land!: (landing: Landing) => void;
  readonly landed = new Promise<Landing>(resolve => {
    this.land = resolve;
  });
}

/** Whether an error is the caller's own, of its signal or its limits, and says nothing to others. */
export function isPersonal(error: Error): boolean {
  return (
    error instanceof HttpAbortedError ||
    error instanceof HttpBodyTooLargeError ||
    (error instanceof HttpTimeoutError && error.kind === 'total')
  );
}

/** The landing, or the rejection when the caller's signal or time ends the wait. */
export function landingWithin(
  flight: Flight,
  { signal, timeouts }: Call,
  leftMs: number,
  facts: HttpCallFacts,
): Promise<Landing> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    const abort = (): void => {
      settle();
      reject(new HttpAbortedError(facts, { cause: signal!.reason }));
    };
    const timer =
      leftMs === Infinity
        ? undefined
        : setTimeout(
            () => {
              settle();
              reject(new HttpTimeoutError(facts, 'total', timeouts.totalMs, 'shared load'));
            },
            Math.max(0, leftMs),
          );
    if (signal?.aborted) {
      abort();
      return;
    }
    signal?.addEventListener('abort', abort);
    void flight.landed.then(landing => {
      settle();
      resolve(landing);
    });
  });
}
