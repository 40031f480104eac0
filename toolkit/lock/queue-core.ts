/**
 * The bounded queue of many producers and many consumers by Dmitry Vyukov
 * (https://www.1024cores.net/home/lock-free-algorithms/queues/bounded-mpmc-queue), over words that threads share.
 *
 * Positions go up in twos. Each place of the ring has a number. A place is free for the producer that comes to position
 * p when its number is p, and holds a message for the consumer that comes to p when it is p + 1. All numbers are
 * compared by difference, so that they may run over. Claiming a position is one compare-and-exchange; nobody holds a
 * lock. A thread that stops between claiming and publishing holds up those who come to its place.
 *
 * The lowest bit of the tail closes the queue. So closing and claiming are ordered by one word: what was claimed before
 * is a message that will come, nothing is claimed after, and the tail says how many are to be received.
 *
 * Threads that find no message, or no room, sleep: they raise a flag, look once more, and wait for an event count to
 * move. Whoever publishes moves it if the flag is up, and takes it down once it finds nobody asleep. Flags and not
 * counts, because a thread may be terminated while it sleeps. One that is terminated after it was woken takes the wake
 * with it; so nobody sleeps for long without looking.
 *
 * test/contract/queue-model.test.ts runs this very text through every interleaving of small cases. It takes each
 * `Atomics.` as a step, and asks that functions of this file be called in statements, assignments and returns only.
 */

/** Words before the ring. Words that different threads write stand in different cache lines. */
export const tailWord = 0;
export const headWord = 16;
/** Who may sleep, in one word, so that one look tells that nobody does. */
export const sleepersWord = 32;
export const consumersSleep = 1;
export const producersSleep = 2;
/** The event counts that consumers and producers watch. */
export const messagesWord = 33;
export const roomWord = 34;
export const refusedWord = 48;
export const headerWords = 64;

/** What {@link claimRoom} gives where it claims nothing. */
export const noRoom = -1;
export const isClosed = -2;

/** Where the places are. */
export interface Ring {
  /** Words of one place. The first is its number; the rest is for the message. */
  readonly stride: number;
  /** Places less one; places are a power of two. */
  readonly mask: number;
}

/** Numbers the places, for a queue that begins with its message number `start`. */
export function initialize(words: Int32Array, ring: Ring, start: number): void {
  words[tailWord] = words[headWord] = start << 1;
  for (let i = 0; i <= ring.mask; i++)
    words[headerWords + ((start + i) & ring.mask) * ring.stride] = (start + i) << 1;
}

/** Claims a place for a message; the index of its first word, {@link noRoom}, or {@link isClosed}. */
export function claimRoom(words: Int32Array, ring: Ring): number {
  // A guess, which the exchange proves: were it old, the place's number would lead it.
  let position = words[tailWord]!;
  for (;;) {
    if ((position & 1) !== 0) return isClosed;
    const place = headerWords + ((position >>> 1) & ring.mask) * ring.stride;
    const lead = (Atomics.load(words, place) - position) | 0;
    if (lead === 0) {
      const seen = Atomics.compareExchange(words, tailWord, position, (position + 2) | 0);
      if (seen === position) return place;
      position = seen;
      continue;
    }
    const guess = position;
    position = Atomics.load(words, tailWord);
    if (lead < 0 && position === guess) return noRoom;
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
    const place = headerWords + ((position >>> 1) & ring.mask) * ring.stride;
    const lead = (Atomics.load(words, place) - (position + 1)) | 0;
    if (lead < 0) return -1;
    if (lead > 0) {
      position = Atomics.load(words, headWord);
      continue;
    }
    const seen = Atomics.compareExchange(words, headWord, position, (position + 2) | 0);
    if (seen === position) return place;
    position = seen;
  }
}

/** Lets producers have a place whose message was read. */
export function recycle(words: Int32Array, ring: Ring, place: number): void {
  Atomics.store(words, place, (words[place]! + 2 * ring.mask + 1) | 0);
}

/** Whether a message is there to be claimed. */
export function hasMessage(words: Int32Array, ring: Ring): boolean {
  const position = Atomics.load(words, headWord);
  const number = Atomics.load(words, headerWords + ((position >>> 1) & ring.mask) * ring.stride);
  return ((number - (position + 1)) | 0) >= 0;
}

/** Whether there is room to be claimed, or will never be. */
export function hasRoom(words: Int32Array, ring: Ring): boolean {
  const position = Atomics.load(words, tailWord);
  if ((position & 1) !== 0) return true;
  const number = Atomics.load(words, headerWords + ((position >>> 1) & ring.mask) * ring.stride);
  return ((number - position) | 0) >= 0;
}

/** Whether the queue is closed, and all that was ever claimed in it was taken. */
export function isOver(words: Int32Array): boolean {
  const tail = Atomics.load(words, tailWord);
  if ((tail & 1) === 0) return false;
  const head = Atomics.load(words, headWord);
  return head === (tail ^ 1);
}

/** Moves an event count and wakes one of those who watch it. */
export function wakeOne(words: Int32Array, events: number, sleepers: number): void {
  Atomics.add(words, events, 1);
  const woken = Atomics.notify(words, events, 1);
  // The flag stays up: others may sleep.
  if (woken === 0) wakeAll(words, events, sleepers);
}

/**
 * Takes a flag down and wakes all who watch its event count. Where nobody seemed to sleep somebody may have gone to
 * sleep before the flag was down, and another publisher may have passed it since.
 */
export function wakeAll(words: Int32Array, events: number, sleepers: number): void {
  Atomics.and(words, sleepersWord, ~sleepers);
  Atomics.add(words, events, 1);
  Atomics.notify(words, events);
}

/** To be called after a message was published or a place recycled: wakes who sleeps and need not. */
export function wakeSleepers(words: Int32Array, ring: Ring): void {
  const sleepers = Atomics.load(words, sleepersWord);
  if (sleepers === 0) return;
  // One of each at most. Whoever is woken comes here as well once it has what it came for, and so wakes the next: two
  // messages, or two places, may come about in such an order that the first to tell of it tells of the second.
  if ((sleepers & consumersSleep) !== 0) {
    const message = hasMessage(words, ring);
    const over = isOver(words);
    if (message) wakeOne(words, messagesWord, consumersSleep);
    else if (over) wakeAll(words, messagesWord, consumersSleep);
  }
  if ((sleepers & producersSleep) !== 0) {
    const room = hasRoom(words, ring);
    if (room) wakeOne(words, roomWord, producersSleep);
  }
}

/**
 * Sleeps until there may be a message. Returns at once where one came meanwhile, or none will come any more.
 *
 * @param ms how long at most
 */
export function sleepForMessage(words: Int32Array, ring: Ring, ms: number): void {
  const events = Atomics.load(words, messagesWord);
  Atomics.or(words, sleepersWord, consumersSleep);
  const there = hasMessage(words, ring);
  const over = isOver(words);
  if (!there && !over) Atomics.wait(words, messagesWord, events, ms);
}

/** As {@link sleepForMessage}, for room. */
export function sleepForRoom(words: Int32Array, ring: Ring, ms: number): void {
  const events = Atomics.load(words, roomWord);
  Atomics.or(words, sleepersWord, producersSleep);
  const there = hasRoom(words, ring);
  if (!there) Atomics.wait(words, roomWord, events, ms);
}

/** Closes the queue and wakes everybody who sleeps. */
export function closeQueue(words: Int32Array): void {
  Atomics.or(words, tailWord, 1);
  wakeAll(words, messagesWord, consumersSleep);
  wakeAll(words, roomWord, producersSleep);
}
