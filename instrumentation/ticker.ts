import type { Log } from './log';
import { errorText } from './log';

const intervalMs = 10_000;

export interface Ticker {
  /** Calls `tick` every 10 s; the result ends that. */
  onTick(tick: () => void): () => void;
  stop(): void;
}

/** One timer for all that is read beside the scrapes. It does not keep the process alive. */
export function createTicker(log: Log): Ticker {
  const ticks = new Set<() => void>();
  const timer = setInterval(() => {
    for (const tick of ticks) {
      try {
        tick();
      } catch (error) {
        log.warnOnce('tick', `a periodic reading failed: ${errorText(error)}`);
      }
    }
  }, intervalMs).unref();
  return {
    onTick(tick) {
      ticks.add(tick);
      return () => ticks.delete(tick);
    },
    stop() {
      clearInterval(timer);
    },
  };
}
