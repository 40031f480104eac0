import { BroadcastChannel, getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import { guarded } from '../guard';
import type { Log } from '../log';
import type { ContentionGroup } from './contract';
import { type ContentionLog, logContention } from './main/contention';

/** Names the environment data that asks for it, and the channel that carries it. */
const key = 'otel-vitals.contention';

/**
 * Adds what worker threads started from now on wait for to the log of the main thread. They send it every few seconds,
 * once their event loops turn.
 */
export function collectFromThreads(contention: ContentionLog, log: Log): () => void {
  setEnvironmentData(key, true);
  const channel = new BroadcastChannel(key);
  channel.onmessage = guarded(log, 'waits of a thread', ({ data }: { readonly data: unknown }) =>
    contention.add(data as readonly ContentionGroup[]),
  );
  channel.unref();
  return () => {
    setEnvironmentData(key, undefined);
    channel.close();
  };
}

/** In a worker thread, sends what it has waited for since the last call; `undefined` where nobody wants to know. */
export function contentionOfThread(): (() => void) | undefined {
  if (getEnvironmentData(key) !== true) return undefined;
  const log = logContention();
  return () => {
    const groups = log.take();
    if (groups.length === 0) return;
    // Open no longer than it takes: it would also receive what other threads send, and keep that while this one sleeps.
    const channel = new BroadcastChannel(key);
    channel.postMessage(groups);
    channel.close();
  };
}
