import type { CacheEntry } from '../entry';
import type { SharedLook } from '../looks';
import type { SettledCacheOptions } from '../options';
import type { CacheCounters } from '../stats';
import type { Tiers } from '../tiers';
import type { WriteBack } from '../writing/write-back';
import { type Flight, Flights } from './flights';
import type { KeyFilter } from './key-filter';
import type { EntryOptions, Load, Loader, LoadJob, LoadReason } from './loader';

/** Answers reads: from what waits to be written, the filter, the tiers, and by loading. */
export class Reader<V> {
  readonly #options: SettledCacheOptions<V>;
  readonly #counters: CacheCounters;
  readonly #tiers: Tiers<V>;
  readonly #loader: Loader<V>;
  readonly #filter: KeyFilter | undefined;
  readonly #writeBack: WriteBack<V> | undefined;
  readonly #now: () => number;
  readonly #flights = new Flights<V>();
  readonly #refreshes = new Map<string, Promise<void>>();

  constructor(
    options: SettledCacheOptions<V>,
    counters: CacheCounters,
    parts: {
      readonly tiers: Tiers<V>;
      readonly loader: Loader<V>;
      readonly filter: KeyFilter | undefined;
      readonly writeBack: WriteBack<V> | undefined;
    },
  ) {
    this.#options = options;
    this.#now = options.now;
    this.#counters = counters;
    this.#tiers = parts.tiers;
    this.#loader = parts.loader;
    this.#filter = parts.filter;
    this.#writeBack = parts.writeBack;
  }

  /** Nobody shares what goes on for this key, or for any where undefined, any more. */
  forget(key: string | undefined): void {
    this.#flights.forget(key);
  }

  /** The value of `key`; loads what no tier has, where there is something to load it by. */
  get(key: string, load: Load<V> | undefined, entry: EntryOptions<V>): Promise<V | undefined> {
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
          this.refresh(key, load, entry, 'early', found.version);
        return this.#answer(start, found.value);
      }
      if (load !== undefined) {
        this.refresh(key, load, entry, 'stale', found.version);
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
    const joined = this.#flights.get(key);
    const flight = joined ?? this.#takeOff(key);
    const look = await flight.look;
    // It ended between its lookup and this call's turn, and nothing is to be begun in it any more.
    if (flight.over && load !== undefined && look.fresh === undefined && flight.loading === undefined) {
      return this.#getShared(key, load, entry, start);
    }
    if (joined !== undefined) this.#counters.stampedeSuppressed++;
    const { fresh, stale } = look;
    const draft = fresh ?? (load === undefined ? undefined : stale);
    if (draft !== undefined) {
      if (fresh === undefined) this.refresh(key, load!, entry, 'stale', draft.version);
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
  refresh(
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
}
