import { callable } from '../options';
import { registerSource } from '../sources';
import type { Draft } from './draft';
import type { CacheEntry } from './entry';
import { type Flight, Flights } from './loading/flights';
import { KeyFilter } from './loading/key-filter';
import { LoadLock } from './loading/load-lock';
import { type EntryOptions, type Load, Loader, type LoadJob, type LoadReason } from './loading/loader';
import { type PrefetchTarget, startPrefetcher } from './loading/prefetcher';
import { checkTags } from './loading/tags';
import { type WarmUpOptions, type WarmUpProgress, warmUpAll } from './loading/warm-up';
import {
  type SettledCacheOptions,
  type SettledPrefetch,
  settleCacheOptions,
  type TieredCacheOptions,
} from './options';
import type { CacheStats, TierStats } from './stats';
import { CacheCounters, cacheSource } from './stats';
import { type SharedLook, Tiers } from './tiers';
import type { WriteBack } from './writing/write-back';
import type { UnwrittenWrite } from './writing/write-back-options';
import { createWriter, type Writer } from './writing/writer';

const noEntryOptions: Pick<EntryOptions<never>, 'ttlMs'> = {};

/**
 * A cache of up to three tiers: memory of this process, a Redis, and a Redis Cluster.
 *
 * Values must survive the serialiser, and are shared by reference while in memory: do not change what you got.
 * `undefined` means absent and cannot be stored; `null` can. A shared tier that fails or is slow makes a call slower by
 * at most its timeout and never fails it. docs/toolkit/cache.md says how old a value can be that is served.
 */
export class TieredCache<V> {
  readonly name: string;
  readonly #options: SettledCacheOptions<V>;
  readonly #tiers: Tiers<V>;
  readonly #now: () => number;
  readonly #flights = new Flights<V>();
  readonly #loader: Loader<V>;
  readonly #filter: KeyFilter | undefined;
  readonly #writer: Writer<V>;
  readonly #writeBack: WriteBack<V> | undefined;
  readonly #counters = new CacheCounters();
  readonly #stats: () => CacheStats;
  readonly #unregister: () => void;
  readonly #stopPrefetch: () => void;
  readonly #refreshes = new Map<string, Promise<void>>();
  /** Held here, since the prefetcher holds it no stronger than the cache is held. */
  #prefetching: PrefetchTarget<V> | undefined;

  /** @throws TypeError when an option is not as documented, CachePackageMissingError where one needs a package */
  constructor(options: TieredCacheOptions<V>) {
    const settled = settleCacheOptions(options);
    this.#options = settled;
    const { name, source, loadLock, prefetch, onError } = settled;
    this.name = name;
    this.#now = settled.now;
    const counters = this.#counters;
    const filter = settled.filter && new KeyFilter(settled.filter, onError);
    this.#filter = filter;
    const tiers = new Tiers<V>(settled, counters, {
      outdated: key => this.#flights.forget(key),
      keyWritten: key => filter?.add(key),
      listening(listening) {
        if (listening) void filter?.fill();
        else filter?.distrust();
      },
    });
    this.#tiers = tiers;
    const lock = loadLock && new LoadLock(tiers.shared.at(-1)!.tier, loadLock);
    this.#loader = new Loader(tiers, settled, counters, lock);
    this.#writer = createWriter(settled, tiers);
    this.#writeBack = this.#writer.back;
    void filter?.fill();
    this.#stopPrefetch = prefetch ? this.#startPrefetch(prefetch, source!.load) : () => {};
    // Neither the cache nor a callback of the application's: the registry would keep a dropped cache alive.
    this.#stats = statsOf(counters, tiers, lock, this.#writeBack);
    this.#unregister = registerSource({ ...cacheSource, name, stats: this.#stats }, this);
  }

  /** The value of `key`, or undefined. With a source, as `getOrLoad` with its loader. */
  get(key: string): Promise<V | undefined> {
    const load = this.#options.source?.load;
    return this.#get(key, load, noEntryOptions);
  }

  /**
   * The value of `key`, made by `loader` and stored when it is absent. Callers that ask for the same absent key at the
   * same time share one lookup and one run of the loader. What the loader throws reaches all of them and is not
   * stored; nor is a value that a write or an invalidation overtook, nor `undefined` unless there is a `negativeTtlMs`.
   */
  getOrLoad(key: string, loader: (key: string) => Promise<V> | V, entry?: EntryOptions<V>): Promise<V>;
  getOrLoad(
    key: string,
    loader: (key: string) => Promise<V | undefined> | V | undefined,
    entry?: EntryOptions<V>,
  ): Promise<V | undefined>;
  getOrLoad(key: string, loader: Load<V>, entry: EntryOptions<V> = noEntryOptions): Promise<V | undefined> {
    return this.#get(key, loader, entry);
  }

  /**
   * Stores `value` as the cache's `writeMode` has it, and resolves when that is done. Only what the source throws, and
   * a full write-back, reach the caller.
   *
   * @throws TypeError when `value` is undefined or the options are not as documented
   */
  async set(key: string, value: V, { ttlMs, tags }: EntryOptions<V> = noEntryOptions): Promise<void> {
    if (value === undefined) throw new TypeError(`Expected a value to store under "${key}", got undefined`);
    const list = checkTags(typeof tags === 'function' ? tags(value) : tags);
    this.#filter?.add(key);
    const draft: Draft<V> = {
      value,
      version: this.#tiers.nextVersion(),
      bornAt: this.#now(),
      bestBefore: Infinity,
      ttlMs,
      loadMs: 0,
      tags: list,
      position: this.#tiers.log.last,
    };
    await this.#writer.set(key, draft);
  }

  /**
   * Removes `key` from the source, where it has a `remove`, and from every tier. A tier that cannot be reached is told
   * as soon as it can be, and not read meanwhile.
   */
  delete(key: string): Promise<void> {
    return this.#writer.delete(key);
  }

  /** Removes `key` from every tier, here and in other processes, because its source has changed. */
  invalidate(key: string): Promise<void> {
    this.#filter?.add(key);
    return this.#tiers.erase(key);
  }

  /** Invalidates every entry that was stored with the tag, here and in other processes. */
  invalidateTag(tag: string): Promise<void> {
    checkTags([tag]);
    return this.#tiers.invalidate('tag', tag);
  }

  /** Invalidates every key that begins with `prefix`, here and in other processes; the empty one all. */
  invalidatePrefix(prefix: string): Promise<void> {
    return this.#tiers.invalidate('prefix', prefix);
  }

  /**
   * Loads the keys that are in no tier.
   *
   * @param loader where there is no source
   * @throws what the keys' iterator throws; loads that fail are counted and told to `onError`
   */
  warmUp(
    keys: Iterable<string> | AsyncIterable<string>,
    { loader = this.#options.source?.load, ...options }: WarmUpOptions & { readonly loader?: Load<V> } = {},
  ): Promise<WarmUpProgress> {
    const load = callable('loader', loader as Load<V>);
    return warmUpAll(keys, options, async key => {
      let asked = false;
      try {
        const value = await this.#get(
          key,
          key => {
            asked = true;
            return load(key);
          },
          noEntryOptions,
        );
        return value === undefined ? 'absent' : asked ? 'loaded' : 'present';
      } catch (error) {
        this.#options.onError(error);
        return 'failed';
      }
    });
  }

  /** Writes what waits to be written back; resolves when nothing does any more. */
  async flush(): Promise<void> {
    await this.#writeBack?.flush();
  }

  /** Counters and sizes, as documented at {@link CacheStats}. */
  stats(): CacheStats {
    return this.#stats();
  }

  /**
   * Writes what waits to be written back, empties the memory tier and takes the cache out of the statistics. The Redis
   * clients are their owner's to close, after this.
   *
   * @returns the writes that were accepted and did not reach the source in `timeoutMs` (10000)
   */
  async close({ timeoutMs = 10_000 }: { readonly timeoutMs?: number } = {}): Promise<{
    readonly unwritten: readonly UnwrittenWrite<V>[];
  }> {
    this.#stopPrefetch();
    this.#filter?.close();
    // At once where nothing has to be waited for, so that nobody needs to.
    const unwritten = this.#writeBack === undefined ? [] : await this.#writeBack.close(timeoutMs);
    const closing = this.#tiers.close();
    this.#unregister();
    await closing;
    return { unwritten };
  }

  #get(key: string, load: Load<V> | undefined, entry: EntryOptions<V>): Promise<V | undefined> {
    const start = this.#now();
    const counters = this.#counters;
    counters.gets++;
    const dirty = this.#writeBack?.get(key);
    if (dirty !== undefined) {
      counters.dirtyHits++;
      return this.#answer(start, dirty.value);
    }
    if (this.#filter?.excludes(key)) {
      counters.filtered++;
      return this.#answer(start, undefined);
    }
    const found = this.#tiers.lookInMemory(key, start);
    if (found !== undefined) {
      if (start < found.freshUntil) {
        if (load !== undefined && this.#isEarly(found, start))
          this.#refresh(key, load, entry, 'early', found.version);
        return this.#answer(start, found.value);
      }
      if (load !== undefined) {
        this.#refresh(key, load, entry, 'stale', found.version);
        return this.#answer(start, found.value);
      }
    }
    return this.#getShared(key, load, entry, start);
  }

  #answer(start: number, value: V | undefined): Promise<V | undefined> {
    if (value === undefined) this.#counters.absent++;
    else this.#counters.hits++;
    this.#counters.getTime.record((this.#now() - start) / 1000);
    return Promise.resolve(value);
  }

  async #getShared(
    key: string,
    load: Load<V> | undefined,
    entry: EntryOptions<V>,
    start: number,
  ): Promise<V | undefined> {
    let flight = this.#flights.get(key);
    if (flight === undefined) flight = this.#takeOff(key);
    else this.#counters.stampedeSuppressed++;
    const look = await flight.look;
    const { fresh, stale } = look;
    const draft = fresh ?? (load === undefined ? undefined : stale);
    if (draft !== undefined) {
      if (fresh === undefined) this.#refresh(key, load!, entry, 'stale', draft.version);
      return this.#answer(start, draft.value);
    }
    this.#counters.getTime.record((this.#now() - start) / 1000);
    if (load === undefined) return undefined;
    return this.#loadFor(key, flight, look, load, entry);
  }

  #takeOff(key: string): Flight<V> {
    const reading = this.#tiers.readings.begin(key);
    const look = this.#tiers.lookInShared(key, reading);
    const flight: Flight<V> = { reading, look, loading: undefined, over: false };
    this.#flights.set(key, flight);
    void this.#land(key, flight);
    return flight;
  }

  /** Ends the flight when its lookup has ended and, where somebody asked for one, the load that follows. */
  async #land(key: string, flight: Flight<V>): Promise<void> {
    await flight.look;
    // Those who waited for the lookup go on before this does, and have begun the load.
    await undefined;
    const { loading } = flight;
    if (loading !== undefined) {
      // What failed is begun anew by who asks next, whatever is still to be cleaned up.
      loading.value.catch(() => this.#flights.end(key, flight));
      await loading.stored;
    }
    flight.over = true;
    this.#flights.end(key, flight);
    this.#tiers.readings.end(key, flight.reading);
  }

  #loadFor(
    key: string,
    flight: Flight<V>,
    look: SharedLook<V>,
    load: Load<V>,
    entry: EntryOptions<V>,
  ): Promise<V | undefined> {
    if (flight.loading === undefined) {
      if (flight.over) return this.#getShared(key, load, entry, this.#now());
      flight.loading = this.#loader.start(
        { key, load, entry, reading: flight.reading, reason: 'asked' },
        look,
      );
      this.#tiers.later(flight.loading.stored);
    }
    return flight.loading.value;
  }

  #isEarly({ freshUntil, loadMs }: CacheEntry<V>, now: number): boolean {
    const { earlyRefresh, random } = this.#options;
    const window = loadMs * earlyRefresh;
    const left = freshUntil - now;
    // Past twenty times the window chance has it once in five hundred million.
    return left < window * 20 && left <= -window * Math.log(1 - random());
  }

  /** Loads again in the background, once at a time for each key. */
  #refresh(
    key: string,
    load: Load<V>,
    entry: EntryOptions<V>,
    reason: Exclude<LoadReason, 'asked'>,
    known: string,
  ): Promise<void> {
    const underWay = this.#refreshes.get(key);
    if (underWay !== undefined) return underWay;
    const counters = this.#counters;
    if (reason === 'early') counters.early++;
    else if (reason === 'stale') counters.staleRefreshes++;
    else counters.prefetched++;
    const reading = this.#tiers.readings.begin(key);
    const work = this.#refreshNow({ key, load, entry, reading, reason, known })
      .catch(this.#options.onError)
      .finally(() => {
        this.#refreshes.delete(key);
        this.#tiers.readings.end(key, reading);
      });
    this.#refreshes.set(key, work);
    this.#tiers.later(work);
    return work;
  }

  async #refreshNow(job: LoadJob<V>): Promise<void> {
    const look = await this.#tiers.lookInShared(job.key, job.reading);
    const { fresh } = look;
    if (fresh !== undefined) {
      const left = fresh.bestBefore - this.#now();
      // Another process has loaded it, or the shared tier has it for a good while yet.
      const lasts = left > (this.#options.l1?.ttlMs ?? 0) / 2;
      if (job.reason === 'stale' || fresh.version !== job.known || lasts) return;
    }
    const loading = this.#loader.start(job, look);
    await loading.value;
    await loading.stored;
  }

  #startPrefetch(options: SettledPrefetch, load: Load<V>): () => void {
    this.#prefetching = {
      memory: this.#tiers.memory!,
      now: this.#now,
      refresh: (key, { version }) => this.#refresh(key, load, noEntryOptions, 'prefetch', version),
    };
    return startPrefetcher(options, this.#prefetching);
  }
}

/** Reads counters and holds nothing else. */
function statsOf<V>(
  counters: CacheCounters,
  { memory, shared }: Tiers<V>,
  lock: LoadLock | undefined,
  writeBack: WriteBack<V> | undefined,
): () => CacheStats {
  const read: Partial<Record<'l1' | 'l2' | 'l3', () => TierStats>> = {};
  if (memory) read.l1 = memory.stats;
  for (const { tier } of shared) read[tier.tier] = tier.stats;
  const { l1, l2, l3 } = read;
  const lockCounters = lock?.counters;
  const writeBackCounters = writeBack?.counters;
  return () =>
    counters.snapshot({
      ...(l1 && { l1: l1() }),
      ...(l2 && { l2: l2() }),
      ...(l3 && { l3: l3() }),
      ...(lockCounters && { lock: lockCounters.snapshot() }),
      ...(writeBackCounters && { writeBack: writeBackCounters.snapshot() }),
    });
}
