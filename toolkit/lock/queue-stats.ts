import { headWord, refusedWord, tailWord } from './queue-core';
import { waitersAt } from './waiter-count';
import { WordTotals } from './word-totals';

/** The registered kind of a queue between threads and the layout of {@link QueueStats}. */
export const queueSource = { kind: 'shared_queue', layout: 1 } as const;

/** Where threads count themselves while they wait: beside what nobody reads in passing. */
export const waitingConsumersWord = 50;
export const waitingProducersWord = 52;

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
  /** Threads that wait for a message. */
  readonly waitingConsumers: number;
  /** Threads that wait for room. */
  readonly waitingProducers: number;
  readonly closed: boolean;
}

/** Reads {@link QueueStats} off the queue's words, holding nothing else. */
export function queueStats(words: Int32Array, capacity: number, start: number): () => QueueStats {
  const totals = new WordTotals(words);
  return () => {
    // In this order, so that messages on their way between the readings never make the length negative.
    const received = messages(totals.of(headWord, start << 1));
    const sent = messages(totals.of(tailWord, start << 1));
    return {
      sent,
      received,
      refused: totals.of(refusedWord),
      length: Math.min(capacity, sent - received),
      capacity,
      waitingConsumers: waitersAt(words, waitingConsumersWord),
      waitingProducers: waitersAt(words, waitingProducersWord),
      closed: (Atomics.load(words, tailWord) & 1) !== 0,
    };
  };
}

/** Positions go up in twos, and the lowest bit of the tail is none. */
function messages(positions: number): number {
  return Math.floor(positions / 2);
}
