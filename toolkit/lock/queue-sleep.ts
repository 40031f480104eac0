import { sleepAsync } from './async-waits';
import * as core from './queue-core';

/** As the core's {@link core.sleepForMessage}, without blocking the thread. */
export async function sleepForMessage(words: Int32Array, ring: core.Ring, ms: number): Promise<void> {
  const events = Atomics.load(words, core.messagesWord);
  Atomics.or(words, core.sleepersWord, core.consumersSleep);
  if (core.hasMessage(words, ring) || core.isOver(words)) return;
  await sleepAsync(words, core.messagesWord, events, ms);
}

/** As the core's {@link core.sleepForRoom}, without blocking the thread. */
export async function sleepForRoom(words: Int32Array, ring: core.Ring, ms: number): Promise<void> {
  const events = Atomics.load(words, core.roomWord);
  Atomics.or(words, core.sleepersWord, core.producersSleep);
  if (core.hasRoom(words, ring)) return;
  await sleepAsync(words, core.roomWord, events, ms);
}
