import type { ChannelCore } from './core';
import { ChannelClosedError } from './errors';
import type { ChannelMessage } from './options';
import type { Waiter } from './waiters';

const end = { value: undefined, done: true } as const;

/** Iterates over what is received. Not a generator: leaving one that waits would have to wait for a message. */
export class ChannelIterator<T extends ChannelMessage> implements AsyncIterableIterator<T, undefined> {
  readonly #core: ChannelCore<T>;
  /** Calls of `next` that wait, and how each ends. */
  readonly #waiting = new Map<Waiter<T>, () => void>();
  #left = false;

  constructor(core: ChannelCore<T>) {
    this.#core = core;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#left) return Promise.resolve(end);
    const message = this.#core.take();
    if (message !== undefined) return Promise.resolve({ value: message, done: false });
    if (this.#core.closed) return Promise.resolve(end);
    return new Promise((resolve, reject) => {
      const waiter = this.#core.receivers.add(
        undefined,
        value => {
          this.#waiting.delete(waiter);
          resolve({ value: value!, done: false });
        },
        error => {
          this.#waiting.delete(waiter);
          if (error instanceof ChannelClosedError) resolve(end);
          else reject(error);
        },
      );
      this.#waiting.set(waiter, () => resolve(end));
    });
  }

  /** Ends it, and those of its calls that wait. */
  return(): Promise<IteratorResult<T, undefined>> {
    this.#left = true;
    for (const [waiter, leave] of this.#waiting) {
      this.#core.receivers.remove(waiter);
      leave();
    }
    this.#waiting.clear();
    return Promise.resolve(end);
  }
}
