/**
 * The bounded queue of many producers and many consumers by Dmitry Vyukov
 * (https://www.1024cores.net/home/lock-free-algorithms/queues/bounded-mpmc-queue), over words that threads share.
 *
 * Each place of the ring has a number. A place is free for the producer that comes to position p when its number is p,
 * and holds a message for the consumer that comes to p when it is p + 1. All numbers are compared by difference, so
 * that they may run over. Claiming a position is one compare-and-exchange; nobody holds a lock. A thread that stops
 * between claiming and publishing holds up those who come to its place.
 *
 * Threads that find no message, or no room, sleep: they announce themselves, look once more, and wait for an event
 * count to move. Whoever publishes moves it if somebody is announced.
 *
 * test/contract/queue-model.test.ts runs this very text through every interleaving of small cases. It takes each
 * `Atomics.` as a step, and asks that functions of this file be called in statements, assignments and returns only.
 */

/** Words before the ring. Words that different threads write stand in different cache lines. */
export const tailWord = 0;
export const headWord = 16;
/** Consumers that sleep or are about to, and the event count that they watch. */
export const consumersWord = 32;
export const messagesWord = 33;
/** Producers that sleep or are about to, and the event count that they watch. */
export const producersWord = 48;
export const roomWord = 49;
export const closedWord = 64;
export const refusedWord = 65;
export const headerWords = 80;

/** Where the places are. */
export interface Ring {
  /** Words of one place. The first is its number; the rest is for the message. */
  readonly stride: number;
  /** Places less one; places are a power of two. */
  readonly mask: number;
}

/** Numbers the places, for a queue whose first position is `start`. */
export function initialize(words: Int32Array, ring: Ring, start: number): void {
  words[tailWord] = words[headWord] = start;
  for (let i = 0; i <= ring.mask; i++)
    words[headerWords + ((start + i) & ring.mask) * ring.stride] = start + i;
}

/** Claims a place for a message; the index of its first word, or -1 when there is no room. */
export function claimRoom(words: Int32Array, ring: Ring): number {
  let position = Atomics.load(words, tailWord);
  for (;;) {
    const place = headerWords + (position & ring.mask) * ring.stride;
    const lead = (Atomics.load(words, place) - position) | 0;
    if (lead < 0) return -1;
    if (lead > 0) {
      position = Atomics.load(words, tailWord);
      continue;
    }
    const seen = Atomics.compareExchange(words, tailWord, position, (position + 1) | 0);
    if (seen === position) return place;
    position = seen;
  }
}

/** Lets consumers have the message that was written into a claimed place. */
export function publish(words: Int32Array, place: number): void {
  const number = Atomics.load(words, place);
  Atomics.store(words, place, (number + 1) | 0);
}

/** Claims the oldest message; the index of its place's first word, or -1 when there is none. */
export function claimMessage(words: Int32Array, ring: Ring): number {
  let position = Atomics.load(words, headWord);
  for (;;) {
    const place = headerWords + (position & ring.mask) * ring.stride;
    const lead = (Atomics.load(words, place) - (position + 1)) | 0;
    if (lead < 0) return -1;
    if (lead > 0) {
      position = Atomics.load(words, headWord);
      continue;
    }
    const seen = Atomics.compareExchange(words, headWord, position, (position + 1) | 0);
    if (seen === position) return place;
    position = seen;
  }
}

/** Lets producers have a place whose message was read. */
export function recycle(words: Int32Array, ring: Ring, place: number): void {
  const number = Atomics.load(words, place);
  Atomics.store(words, place, (number + ring.mask) | 0);
}

/** Whether a message is there to be claimed. */
export function hasMessage(words: Int32Array, ring: Ring): boolean {
  const position = Atomics.load(words, headWord);
  const number = Atomics.load(words, headerWords + (position & ring.mask) * ring.stride);
  return ((number - (position + 1)) | 0) >= 0;
}

/** Whether room is there to be claimed. */
export function hasRoom(words: Int32Array, ring: Ring): boolean {
  const position = Atomics.load(words, tailWord);
  const number = Atomics.load(words, headerWords + (position & ring.mask) * ring.stride);
  return ((number - position) | 0) >= 0;
}

/** Wakes one of those who watch an event count, if there are any. */
export function wakeOne(words: Int32Array, sleepers: number, events: number): void {
  const announced = Atomics.load(words, sleepers);
  if (announced === 0) return;
  Atomics.add(words, events, 1);
  Atomics.notify(words, events, 1);
}

/**
 * To be called after a message was published: wakes a consumer, and a producer if room is left. That last is for one
 * who was woken by room that another took, while the room behind it, freed before, woke nobody.
 */
export function afterPublish(words: Int32Array, ring: Ring): void {
  wakeOne(words, consumersWord, messagesWord);
  const sleeping = Atomics.load(words, producersWord);
  if (sleeping === 0) return;
  const more = hasRoom(words, ring);
  if (more) wakeOne(words, producersWord, roomWord);
}

/** To be called after a place was recycled: wakes a producer, and a consumer if messages are left. */
export function afterRecycle(words: Int32Array, ring: Ring): void {
  wakeOne(words, producersWord, roomWord);
  const sleeping = Atomics.load(words, consumersWord);
  if (sleeping === 0) return;
  const more = hasMessage(words, ring);
  if (more) wakeOne(words, consumersWord, messagesWord);
}

/**
 * Sleeps until there may be a message. Returns at once where one came meanwhile, or the queue was closed.
 *
 * @param ms how long at most
 */
export function sleepForMessage(words: Int32Array, ring: Ring, ms: number): void {
  Atomics.add(words, consumersWord, 1);
  const events = Atomics.load(words, messagesWord);
  const closed = Atomics.load(words, closedWord);
  const there = hasMessage(words, ring);
  if (!there && closed === 0) Atomics.wait(words, messagesWord, events, ms);
  Atomics.sub(words, consumersWord, 1);
}

/** As {@link sleepForMessage}, for room. */
export function sleepForRoom(words: Int32Array, ring: Ring, ms: number): void {
  Atomics.add(words, producersWord, 1);
  const events = Atomics.load(words, roomWord);
  const closed = Atomics.load(words, closedWord);
  const there = hasRoom(words, ring);
  if (!there && closed === 0) Atomics.wait(words, roomWord, events, ms);
  Atomics.sub(words, producersWord, 1);
}

/** Closes the queue and wakes everybody who sleeps. */
export function closeQueue(words: Int32Array): void {
  Atomics.store(words, closedWord, 1);
  Atomics.add(words, messagesWord, 1);
  Atomics.notify(words, messagesWord);
  Atomics.add(words, roomWord, 1);
  Atomics.notify(words, roomWord);
}
