import type { Job } from './job';
import { mostPriority } from './options';

/**
 * The tasks that wait: by priority, and each the sooner the longer it has waited.
 *
 * All gain priority at the same rate, so who goes before whom never changes: it is the time of arrival, made earlier by
 * the priority times the ageing time. A task is overtaken only by those that come within the ageing time of it for each
 * level they are above it; none starves. Within a priority that order is the one of arrival, so a list for each is
 * enough, and taking, adding and removing cost the same whatever the length.
 */
export class JobQueue {
  readonly #heads: (Job | undefined)[] = new Array<Job | undefined>(2 * mostPriority + 1).fill(undefined);
  readonly #tails: (Job | undefined)[] = new Array<Job | undefined>(2 * mostPriority + 1).fill(undefined);
  /** A bit for each priority that somebody waits with. */
  #used = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(job: Job): void {
    const level = job.priority + mostPriority;
    const tail = this.#tails[level];
    job.previous = tail;
    if (tail === undefined) this.#heads[level] = job;
    else tail.next = job;
    this.#tails[level] = job;
    this.#used |= 1 << level;
    this.#length++;
  }

  /** Takes the next out. */
  shift(): Job | undefined {
    let first: Job | undefined;
    // From the highest priority, which wins among equals.
    for (let left = this.#used; left !== 0; ) {
      const level = 31 - Math.clz32(left);
      left ^= 1 << level;
      const head = this.#heads[level]!;
      if (first === undefined || head.rank < first.rank) first = head;
    }
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Takes one out that is in. */
  remove(job: Job): void {
    const level = job.priority + mostPriority;
    const { previous, next } = job;
    if (previous === undefined) this.#heads[level] = next;
    else previous.next = next;
    if (next === undefined) this.#tails[level] = previous;
    else next.previous = previous;
    job.previous = undefined;
    job.next = undefined;
    if (this.#heads[level] === undefined) this.#used &= ~(1 << level);
    this.#length--;
  }
}
