import { closedWord, headWord, oneProducer, refusedWord, sleepersWord, tailWord } from './queue-core';
import { WordTotals } from './word-totals';

/** The registered kind of a queue between threads and the layout of {@link QueueStats}. */
export const queueSource = { kind: 'shared_queue', layout: 1 } as const;

/** A queue's counters, of all threads, since it was made: `sent = received + length` at any moment that nobody moves. */
export interface QueueStats {
  /** Messages put in. */
  readonly sent: number;
  /** Messages taken out. */
  readonly received: number;
  /** Messages that `tryEnqueue` did not take because there was no room. */
  readonly refused: number;
  /** Messages there are. */
  readonly length: number;
  readonly capacity: number;
  /** Threads that sleep for want of a message. */
  readonly waitingConsumers: number;
  /** Threads that sleep for want of room. */
  readonly waitingProducers: number;
  readonly closed: boolean;
}

/** Reads {@link QueueStats} off the queue's words, holding nothing else. */
export function queueStats(words: Int32Array, capacity: number, start: number): () => QueueStats {
  const totals = new WordTotals(words);
  return () => {
    // In this order, so that messages on their way between the readings never make the length negative.
    const received = totals.of(headWord, start);
    const sent = totals.of(tailWord, start);
    const sleepers = Atomics.load(words, sleepersWord);
    return {
      sent,
      received,
      refused: totals.of(refusedWord),
      length: Math.min(capacity, sent - received),
      capacity,
      waitingConsumers: sleepers % oneProducer,
      waitingProducers: Math.floor(sleepers / oneProducer),
      closed: Atomics.load(words, closedWord) !== 0,
    };
  };
}
