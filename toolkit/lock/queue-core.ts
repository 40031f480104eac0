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
/** Who sleeps or is about to, in one word, so that one look tells that nobody does: consumers, and producers above. */
export const sleepersWord = 32;
export const oneConsumer = 1;
export const oneProducer = 0x10000;
/** The event counts that consumers and producers watch. */
export const messagesWord = 33;
export const roomWord = 34;
export const closedWord = 35;
export const refusedWord = 48;
export const headerWords = 64;

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
  // A guess, which the exchange proves: were it old, the place's number would lead it.
  let position = words[tailWord]!;
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
  // Nobody else writes the number of a place that was claimed.
  Atomics.store(words, place, (words[place]! + 1) | 0);
}

/** Claims the oldest message; the index of its place's first word, or -1 when there is none. */
export function claimMessage(words: Int32Array, ring: Ring): number {
  let position = words[headWord]!;
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
  Atomics.store(words, place, (words[place]! + ring.mask) | 0);
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

/**
 * Moves an event count and wakes one of those who watch it, who is announced no more: it may be long until it runs, and
 * nobody should try to wake it again meanwhile.
 */
export function wakeOne(words: Int32Array, events: number, sleeper: number): void {
  Atomics.add(words, events, 1);
  const woken = Atomics.notify(words, events, 1);
  if (woken === 1) Atomics.sub(words, sleepersWord, sleeper);
}

/** To be called after a message was published or a place recycled: wakes who sleeps and need not. */
export function wakeSleepers(words: Int32Array, ring: Ring): void {
  const sleepers = Atomics.load(words, sleepersWord);
  if (sleepers === 0) return;
  // One of each at most. Whoever is woken comes here as well once it has what it came for, and so wakes the next: two
  // messages, or two places, may come about in such an order that the first to tell of it tells of the second.
  if ((sleepers & (oneProducer - 1)) !== 0) {
    const message = hasMessage(words, ring);
    if (message) wakeOne(words, messagesWord, oneConsumer);
  }
  if (sleepers >= oneProducer) {
    const room = hasRoom(words, ring);
    if (room) wakeOne(words, roomWord, oneProducer);
  }
}

/**
 * Sleeps until there may be a message. Returns at once where one came meanwhile, or the queue was closed.
 *
 * @param ms how long at most
 */
export function sleepForMessage(words: Int32Array, ring: Ring, ms: number): void {
  Atomics.add(words, sleepersWord, oneConsumer);
  const events = Atomics.load(words, messagesWord);
  const closed = Atomics.load(words, closedWord);
  const there = hasMessage(words, ring);
  let outcome = 'not-equal';
  if (!there && closed === 0) outcome = Atomics.wait(words, messagesWord, events, ms);
  // Whoever wakes one ends its announcement.
  if (outcome !== 'ok') Atomics.sub(words, sleepersWord, oneConsumer);
}

/** As {@link sleepForMessage}, for room. */
export function sleepForRoom(words: Int32Array, ring: Ring, ms: number): void {
  Atomics.add(words, sleepersWord, oneProducer);
  const events = Atomics.load(words, roomWord);
  const closed = Atomics.load(words, closedWord);
  const there = hasRoom(words, ring);
  let outcome = 'not-equal';
  if (!there && closed === 0) outcome = Atomics.wait(words, roomWord, events, ms);
  if (outcome !== 'ok') Atomics.sub(words, sleepersWord, oneProducer);
}

/** Closes the queue and wakes everybody who sleeps. */
export function closeQueue(words: Int32Array): void {
  Atomics.store(words, closedWord, 1);
  Atomics.add(words, messagesWord, 1);
  const consumers = Atomics.notify(words, messagesWord);
  Atomics.add(words, roomWord, 1);
  const producers = Atomics.notify(words, roomWord);
  Atomics.sub(words, sleepersWord, consumers * oneConsumer + producers * oneProducer);
}
