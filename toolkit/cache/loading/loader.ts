import type { Draft } from '../draft';
import type { SharedLook } from '../looks';
import type { SettledCacheOptions } from '../options';
import type { CacheCounters } from '../stats';
import type { Tiers } from '../tiers';
import type { HeldLock, LoadLock } from './load-lock';
import type { Reading } from './readings';
import { checkTags } from './tags';

/** Loads the value of a key, or gives `undefined` where there is none. */
export type Load<V> = (key: string) => Promise<V | undefined> | V | undefined;

/** How what is loaded is stored. */
export interface EntryOptions<V> {
  /** How long it is served, in milliseconds, where that is less than the tiers' own. @default the tiers' own */
  readonly ttlMs?: number;
  /** What `invalidateTag` finds it by. */
  readonly tags?: readonly string[] | ((value: V) => readonly string[]);
}

/** Why something is loaded: for a caller who waits, or in the background. */
export type LoadReason = 'asked' | 'early' | 'stale' | 'prefetch';

/** What is to be loaded. */
export interface LoadJob<V> {
  readonly key: string;
  readonly load: Load<V>;
  readonly entry: EntryOptions<V>;
  readonly reading: Reading;
  readonly reason: LoadReason;
  /** The version that is to be replaced, where there is one. */
  readonly known?: string | undefined;
}

/** Takes what is still to be waited for before the value is in all tiers. */
type Stored = (work?: Promise<unknown>) => void;

/** A load that goes on: its value, for those who wait, and when it is in all tiers. */
export interface Loading<V> {
  readonly value: Promise<V | undefined>;
  readonly stored: Promise<void>;
}

/** Runs loaders and stores what they give. */
export class Loader<V> {
  readonly #tiers: Tiers<V>;
  readonly #options: SettledCacheOptions<V>;
  readonly #counters: CacheCounters;
  readonly #lock: LoadLock | undefined;

  constructor(
    tiers: Tiers<V>,
    options: SettledCacheOptions<V>,
    counters: CacheCounters,
    lock: LoadLock | undefined,
  ) {
    this.#tiers = tiers;
    this.#options = options;
    this.#counters = counters;
    this.#lock = lock;
  }

  /** @param look what was found in the shared tiers */
  start(job: LoadJob<V>, look: SharedLook<V>): Loading<V> {
    let stored!: Stored;
    const storing = new Promise<unknown>(resolve => {
      stored = resolve;
    });
    const value =
      this.#lock === undefined
        ? this.#load(job, look, stored)
        : this.#loadLocked(this.#lock, job, look, stored);
    value.then(
      () => stored(),
      () => stored(),
    );
    return { value, stored: storing.then(() => {}) };
  }

  async #load(job: LoadJob<V>, look: SharedLook<V>, stored: Stored): Promise<V | undefined> {
    const { key, load, entry, reading } = job;
    const { now, life } = this.#options;
    const tiers = this.#tiers;
    const { mark, last: position } = tiers.log;
    const bornAt = now();
    const value = await this.#run(key, load);
    if (value === undefined && life.negativeTtlMs === 0) {
      stored(tiers.refute(key, reading, look.reads));
      return undefined;
    }
    const draft: Draft<V> = {
      value,
      version: tiers.nextVersion(),
      bornAt,
      bestBefore: Infinity,
      ttlMs: entry.ttlMs,
      loadMs: now() - bornAt,
      tags: value === undefined ? undefined : tagsOf(entry, value),
      position,
    };
    tiers.keep(key, draft, reading, mark);
    stored(tiers.fill(key, draft, reading, look.reads));
    return value;
  }

  async #run(key: string, load: Load<V>): Promise<V | undefined> {
    const { now } = this.#options;
    const counters = this.#counters;
    const start = now();
    try {
      const value = await load(key);
      if (value === undefined) counters.loadsAbsent++;
      else counters.loadsOk++;
      return value;
    } catch (error) {
      counters.loadErrors++;
      throw error;
    } finally {
      counters.loadTime.record((now() - start) / 1000);
    }
  }

  /** Another process may be loading the same: waits for its value, and loads where none comes. */
  async #loadLocked(
    lock: LoadLock,
    job: LoadJob<V>,
    before: SharedLook<V>,
    stored: Stored,
  ): Promise<V | undefined> {
    const { key, reading, reason, known } = job;
    const { now, random } = this.#options;
    const { pollMs, waitMs } = lock.options;
    const deadline = now() + waitMs;
    let pause = pollMs;
    let look = before;
    for (let held = await lock.tryAcquire(key); ; held = await lock.tryAcquire(key)) {
      if (held === undefined) return this.#load(job, look, stored);
      // The one who had the lock may have stored the value since it was looked for.
      lock.counters.polls++;
      look = await this.#tiers.lookInShared(key, reading);
      if (look.fresh !== undefined && look.fresh.version !== known) {
        if (held) stored(held.release());
        return look.fresh.value;
      }
      if (held) return this.#loadAndRelease(held, job, look, stored);
      // Another process refreshes it.
      if (reason !== 'asked') return undefined;
      if (pause === pollMs) lock.counters.waited++;
      if (now() >= deadline) {
        lock.counters.timeouts++;
        return this.#load(job, look, stored);
      }
      await new Promise(resolve => setTimeout(resolve, pause * (1 - random() / 2)));
      pause = Math.min(pause * 1.3, pollMs * 4);
    }
  }

  async #loadAndRelease(
    held: HeldLock,
    job: LoadJob<V>,
    look: SharedLook<V>,
    stored: Stored,
  ): Promise<V | undefined> {
    try {
      return await this.#load(job, look, work =>
        // Once it is released, others must find the value.
        stored(Promise.resolve(work).finally(() => held.release())),
      );
    } catch (error) {
      stored(held.release());
      throw error;
    }
  }
}

function tagsOf<V>({ tags }: EntryOptions<V>, value: V): readonly string[] | undefined {
  return checkTags(typeof tags === 'function' ? tags(value) : tags);
}
