import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { transformSync } from 'esbuild';

/**
 * Runs code that threads share memory through through every interleaving of its steps. What is run is the text of the
 * product's own file: each function becomes a generator that pauses before every operation of `Atomics`. Plain writes
 * belong to the operation before them.
 *
 * The walk keeps no state twice: what a thread will do depends on where it stands and what it has read since, so memory,
 * what the threads share, and those readings are the whole state.
 */

export type Steps<R> = Generator<unknown, R, AtomicsModel>;
export type Thread = Steps<void>;

/** The functions of a file as generators, by the names and types of the module itself. */
export type AsSteps<M> = {
  readonly [K in keyof M]: M[K] extends (...args: infer A) => infer R ? (...args: A) => Steps<R> : M[K];
};

/** Tells that a thread stands at `label` and remembers nothing that it has read before. */
export type Forget = (thread: number, label: string) => void;

export function loadAsSteps<M>(file: string): AsSteps<M> {
  const { code } = transformSync(readFileSync(file, 'utf8'), {
    loader: 'ts',
    format: 'esm',
    target: 'es2022',
  });
  const names = [...code.matchAll(/^(?:export )?function (\w+)\(/gm)].map(([, name]) => name!);
  let text = code.replace(/^export \{[\s\S]*?\};?$/m, '').replace(/^export /gm, '');
  text = text.replace(/^function (\w+)\(/gm, 'function* $1(');
  for (const name of names)
    text = text.replace(new RegExp(`(?<!function\\* )\\b${name}\\(`, 'g'), `yield* ${name}(`);
  text = text.replace(/\bAtomics\.wait\(/g, 'yield* (yield).wait(').replace(/\bAtomics\./g, '(yield).');
  const all = [...names, ...[...text.matchAll(/^const (\w+) =/gm)].map(([, name]) => name!)];
  return new Function(`${text}\nreturn { ${all.join(', ')} };`)() as AsSteps<M>;
}

interface World {
  readonly words: Int32Array;
  readonly threads: Thread[];
  /** What each thread has read. */
  readonly readings: string[];
  /** Who sleeps on which word, in the order in which they went to sleep. */
  sleepers: { thread: number; index: number; timed: boolean }[];
  readonly done: boolean[];
  /** Who was woken and did not run since. */
  readonly woken: Set<number>;
  terminated: boolean;
}

/** What stands in for `Atomics` in one thread. */
export class AtomicsModel {
  constructor(
    readonly world: World,
    readonly thread: number,
  ) {}

  #read(value: number): number {
    this.world.readings[this.thread] += `,${value}`;
    return value;
  }
  load(words: Int32Array, index: number): number {
    return this.#read(words[index]!);
  }
  store(words: Int32Array, index: number, value: number): number {
    words[index] = value;
    return value;
  }
  exchange(words: Int32Array, index: number, value: number): number {
    const before = words[index]!;
    words[index] = value;
    return this.#read(before);
  }
  compareExchange(words: Int32Array, index: number, expected: number, value: number): number {
    const before = words[index]!;
    if (before === expected) words[index] = value;
    return this.#read(before);
  }
  add(words: Int32Array, index: number, value: number): number {
    const before = words[index]!;
    words[index] = before + value;
    return before;
  }
  and(words: Int32Array, index: number, value: number): number {
    const before = words[index]!;
    words[index] = before & value;
    return before;
  }
  or(words: Int32Array, index: number, value: number): number {
    const before = words[index]!;
    words[index] = before | value;
    return before;
  }
  sub(words: Int32Array, index: number, value: number): number {
    return this.add(words, index, -value);
  }
  notify(_words: Int32Array, index: number, count = Infinity): number {
    let woken = 0;
    const { world } = this;
    world.sleepers = world.sleepers.filter(sleeper => {
      if (sleeper.index !== index || woken >= count) return true;
      woken++;
      world.woken.add(sleeper.thread);
      return false;
    });
    this.#read(woken);
    return woken;
  }
  *wait(words: Int32Array, index: number, expected: number, ms: number): Steps<'awake' | 'not-equal'> {
    if (this.#read(words[index]!) !== expected) return 'not-equal';
    this.world.sleepers.push({ thread: this.thread, index, timed: ms !== Infinity });
    // It is not resumed before it is woken, or its time is up.
    yield;
    return 'awake';
  }
}

export interface Exploration {
  /** States that were reached. */
  readonly states: number;
  /** Ways in which all threads came to their end. */
  readonly ends: number;
}

/** Steps of a way that are no step of a thread: its sleep ends because time is up, or it is terminated. */
const timeOut = (thread: number): number => -1 - thread;
const terminate = (thread: number): number => 1000 + thread;

/**
 * Walks through all interleavings. Sleeps that are limited in time may end so at any moment.
 *
 * @param make makes memory and threads anew; called again and again, it must give the same each time. A thread that
 *   comes to the top of a loop, or to its next task, may say so by `forget`, which keeps the states few
 * @param check called at each end, and with the sleepers where all that are left sleep
 * @param first threads that run alone, one after the other, until they sleep, before the walk begins
 * @param mortal threads of which one may be terminated while it sleeps, or after it was woken and before it runs
 */
export function explore<Shared>(
  make: (forget: Forget) => { words: Int32Array; threads: Thread[]; shared: Shared },
  check: (shared: Shared, words: Int32Array, asleep: readonly number[]) => void,
  first: readonly number[] = [],
  mortal: readonly number[] = [],
): Exploration {
  const seen = new Set<string>();
  let states = 0;
  let ends = 0;
  const begin = (): { world: World; shared: Shared } => {
    const readings: string[] = [];
    const { words, threads, shared } = make((thread, label) => {
      readings[thread] = label;
    });
    for (const i of threads.keys()) readings[i] ??= '';
    const world: World = {
      words,
      threads,
      readings,
      sleepers: [],
      done: threads.map(() => false),
      woken: new Set(),
      terminated: false,
    };
    // Up to the first operation.
    for (const [i, thread] of threads.entries()) world.done[i] = thread.next().done === true;
    return { world, shared };
  };
  const step = (world: World, one: number): void => {
    if (one >= terminate(0)) {
      const gone = one - terminate(0);
      world.sleepers = world.sleepers.filter(({ thread }) => thread !== gone);
      world.done[gone] = world.terminated = true;
      return;
    }
    const i = one < 0 ? timeOut(one) : one;
    if (one < 0) world.sleepers = world.sleepers.filter(({ thread }) => thread !== i);
    world.woken.delete(i);
    world.done[i] = world.threads[i]!.next(new AtomicsModel(world, i)).done === true;
    world.readings[i] += ';';
  };
  /** Whether a thread comes to its end when its sleep does, while all others stand still. */
  const wouldEnd = (way: readonly number[], i: number): boolean => {
    const { world } = begin();
    for (const one of [...way, timeOut(i)]) step(world, one);
    while (!world.done[i] && !world.sleepers.some(({ thread }) => thread === i)) step(world, i);
    return world.done[i]!;
  };
  const start: number[] = [];
  const { world: opening } = begin();
  for (const i of first) {
    while (!opening.sleepers.some(({ thread }) => thread === i)) {
      step(opening, i);
      start.push(i);
    }
  }
  const walk: number[][] = [start];
  while (walk.length > 0) {
    const way = walk.pop()!;
    const { world, shared } = begin();
    for (const i of way) step(world, i);
    const asleep = world.sleepers.map(({ thread }) => thread);
    const key = `${JSON.stringify(shared)}|${world.words.join()}|${world.readings.join('|')}|${world.sleepers.map(({ thread, index }) => `${thread}@${index}`).join()}|${[...world.woken].join()}|${world.done.join()}`;
    if (seen.has(key)) continue;
    seen.add(key);
    if (++states > 1_000_000)
      throw new Error('Expected fewer than a million states: a thread may run for ever');
    const ready = world.threads.map((_, i) => i).filter(i => !world.done[i] && !asleep.includes(i));
    const timed = world.sleepers.filter(one => one.timed).map(({ thread }) => thread);
    for (const i of timed) walk.push([...way, timeOut(i)]);
    for (const i of world.terminated ? [] : mortal)
      if (asleep.includes(i) || world.woken.has(i)) walk.push([...way, terminate(i)]);
    if (ready.length === 0 && !timed.some(i => wouldEnd(way, i))) {
      ends++;
      try {
        check(shared, world.words, asleep);
      } catch (error) {
        throw new Error(`after the threads ran in the order ${way.join(' ')}`, { cause: error });
      }
    }
    for (const i of ready) walk.push([...way, i]);
  }
  assert.ok(ends > 0);
  return { states, ends };
}
