import type { Shop } from '../shop';
import type { RedisOutage } from './redis-outage';

/** What faults are made of. */
export interface FaultContext {
  readonly shop: Shop;
  readonly databaseUrl: string;
  readonly paymentUrl: string;
  /** Between the shop and its Redis; absent where the shop has none that could be cut off. */
  readonly redis: RedisOutage | undefined;
  /** Has a share of the requests fail, from 0 to 1. */
  failRequests(share: number): void;
  /** Told of what a fault itself fails with. */
  readonly complain: (error: unknown) => void;
}

/** Ends a fault and takes back what it did. Called once. */
export type Heal = () => void | Promise<void>;

/** Begins a fault. Parameters are complete and within their bounds. */
export type StartFault = (
  context: FaultContext,
  parameters: Readonly<Record<string, number>>,
) => Heal | Promise<Heal>;

/** Runs `work` again and again; the returned function ends that. */
export function every(ms: number, work: () => void): () => void {
  const timer = setInterval(work, ms);
  return () => clearInterval(timer);
}

/** Runs `work` `perSecond` times a second, in small groups where that is often; the returned function ends that. */
export function times(perSecond: number, work: () => void): () => void {
  const tickMs = Math.max(50, 1000 / perSecond);
  const start = performance.now();
  let done = 0;
  return every(tickMs, () => {
    const due = ((performance.now() - start) / 1000) * perSecond;
    // A blocked event loop is not made up for.
    if (due - done > perSecond) done = due - perSecond;
    for (; done < due; done++) work();
  });
}

/** What is expected to fail while a fault is on, and concerns nobody. */
export const ignore = (): void => {};
