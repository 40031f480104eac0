import assert from 'node:assert/strict';
import { join } from 'node:path';
import type * as queueCore from '../../toolkit/lock/queue-core';
import { type AtomicsModel, type Forget, loadAsSteps, type Thread } from './interleavings';

/** The core of the queue between threads, whose functions pause before each operation of `Atomics`. */
export const q = loadAsSteps<typeof queueCore>(join(__dirname, '../../toolkit/lock/queue-core.ts'));

/** What the threads of a case came to. */
export interface Shared {
  /** By the thread that received. */
  readonly got: Record<number, number[]>;
  refused: number;
  /** Threads that were told that the queue is closed. */
  closed: number[];
}

export const nothing = (): Shared => ({ got: {}, refused: 0, closed: [] });

export const ring = { stride: 2, mask: 1 };

export function setUp(start: number): Int32Array {
  const words = new Int32Array(q.headerWords + ring.stride * (ring.mask + 1));
  // It has no operation of Atomics, so it runs to its end.
  q.initialize(words, ring, start).next();
  return words;
}

/** What the threads of a case are made of. `waits` is how long they sleep; 0 where they do not. */
export function programs(words: Int32Array, shared: Shared, waits: number, forget: Forget) {
  const all = {
    *send(thread: number, message: number): Thread {
      for (;;) {
        forget(thread, `send ${message}`);
        const place = yield* q.claimRoom(words, ring);
        if (place >= 0) {
          words[place + 1] = message;
          yield* q.publish(words, place);
          if (waits > 0) yield* q.wakeSleepers(words, ring);
          return;
        }
        if (waits === 0 || place === q.isClosed) {
          shared.refused++;
          return;
        }
        yield* q.sleepForRoom(words, ring, waits);
      }
    },
    *receive(thread: number, task = 0): Thread {
      shared.got[thread] ??= [];
      for (;;) {
        forget(thread, `receive ${task}`);
        const place = yield* q.claimMessage(words, ring);
        if (place >= 0) {
          shared.got[thread].push(words[place + 1]!);
          words[place + 1] = -1;
          yield* q.recycle(words, ring, place);
          if (waits > 0) yield* q.wakeSleepers(words, ring);
          return;
        }
        if (waits === 0) return;
        const over = yield* q.isOver(words);
        if (over) {
          shared.closed.push(thread);
          return;
        }
        yield* q.sleepForMessage(words, ring, waits);
      }
    },
    *receiveAll(thread: number): Thread {
      while (!shared.closed.includes(thread)) yield* all.receive(thread);
    },
  };
  return all;
}

export function* oneAfterTheOther(...parts: Thread[]): Thread {
  for (const part of parts) yield* part;
}

/** Runs a thread, or a function of the core, alone. */
export function runAlone<R>(thread: Generator<unknown, R, AtomicsModel>): R {
  let step = thread.next();
  while (!step.done) step = thread.next(Atomics as never);
  return step.value;
}

/** What was received and what is left in the queue: each message once, and in the order of each producer. */
export function checkMessages(shared: Shared, words: Int32Array, sent: number[]): void {
  const rest = nothing();
  const { receive } = programs(words, rest, 0, () => {});
  for (let before = -1; before !== (rest.got[9]?.length ?? 0); ) {
    before = rest.got[9]?.length ?? 0;
    runAlone(receive(9));
  }
  const all = [...Object.values(shared.got).flat(), ...rest.got[9]!];
  assert.equal(new Set(all).size, all.length, `a message came twice: ${all}`);
  assert.ok(
    all.every(message => sent.includes(message)),
    `a message that nobody sent: ${all}`,
  );
  assert.equal(all.length + shared.refused, sent.length, `lost: sent ${sent}, came ${all}`);
  for (const got of Object.values(shared.got)) {
    for (const producer of [1, 2]) {
      const own = got.filter(message => Math.floor(message / 10) === producer);
      assert.deepEqual(own, [...own].sort(), `out of order: ${got}`);
    }
  }
}
