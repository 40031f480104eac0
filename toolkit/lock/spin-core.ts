/**
 * A lock in one word that threads share, by Ulrich Drepper ("Futexes Are Tricky", mutex 3): 0 free, 1 held, 2 held and
 * somebody may sleep. Only who finds a 2 when it releases has anybody to wake.
 *
 * test/contract/spin-lock-model.test.ts runs this very text through every interleaving of small cases.
 */
export const stateWord = 0;

/** Takes the lock if it is free. */
export function tryEnter(words: Int32Array): boolean {
  const before = Atomics.compareExchange(words, stateWord, 0, 1);
  return before === 0;
}

/** Takes the lock if it is free, and else notes that somebody sleeps. */
export function enterOrAnnounce(words: Int32Array): boolean {
  const before = Atomics.exchange(words, stateWord, 2);
  return before === 0;
}

/** Sleeps until the lock may be free. Who has slept must take it by {@link enterOrAnnounce}: others may sleep too. */
export function sleepForLock(words: Int32Array, ms: number): void {
  Atomics.wait(words, stateWord, 2, ms);
}

/** Frees the lock and wakes one who sleeps. */
export function leave(words: Int32Array): void {
  const before = Atomics.exchange(words, stateWord, 0);
  if (before === 2) Atomics.notify(words, stateWord, 1);
}
