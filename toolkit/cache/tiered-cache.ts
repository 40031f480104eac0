import { callable } from '../options';
import { registerSource } from '../sources';
import type { Draft } from './draft';
import { KeyFilter } from './loading/key-filter';
import { LoadLock } from './loading/load-lock';
import { type EntryOptions, type Load, Loader } from './loading/loader';
import { type PrefetchTarget, startPrefetcher } from './loading/prefetcher';
import { Reader } from './loading/reader';
import { checkTags } from './loading/tags';
import { type WarmUpOptions, type WarmUpProgress, warmUpAll } from './loading/warm-up';
import type { SettledCacheOptions, SettledPrefetch, TieredCacheOptions } from './options';
import { settleCacheOptions } from './settle-options';
import type { CacheStats } from './stats';
import { CacheCounters, cacheSource } from './stats';
import { statsOf } from './stats-of';
import { Tiers } from './tiers';
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
  readonly #reader: Reader<V>;
  readonly #filter: KeyFilter | undefined;
  readonly #writer: Writer<V>;
  readonly #writeBack: WriteBack<V> | undefined;
  readonly #counters = new CacheCounters();
  readonly #stats: () => CacheStats;
  readonly #unregister: () => void;
  readonly #stopPrefetch: () => void;
  /** Held here, since the prefetcher holds it no stronger than the cache is held. */
  #prefetching: PrefetchTarget<V> | undefined;

  /** @throws TypeError when an option is not as documented, CachePackageMissingError where one needs a package */
  constructor(options: TieredCacheOptions<V>) {
    const settled = settleCacheOptions(options);
    this.#options = settled;
    const { name, source, loadLock, prefetch, onError } = settled;
    this.name = name;
    const counters = this.#counters;
    const filter = settled.filter && new KeyFilter(settled.filter, onError);
    this.#filter = filter;
    const tiers = new Tiers<V>(settled, counters, {
      outdated: key => this.#reader.forget(key),
      keyWritten: key => filter?.add(key),
      listening(listening) {
        if (listening) void filter?.fill();
        else filter?.distrust();
      },
    });
    this.#tiers = tiers;
    const lock = loadLock && new LoadLock(tiers.shared.at(-1)!.tier, loadLock);
    this.#writer = createWriter(settled, tiers);
    const writeBack = this.#writer.back;
    this.#writeBack = writeBack;
    const loader = new Loader(tiers, settled, counters, lock);
    this.#reader = new Reader(settled, counters, { tiers, loader, filter, writeBack });
    void filter?.fill();
    this.#stopPrefetch = prefetch ? this.#startPrefetch(prefetch, source!.load) : () => {};
    // Neither the cache nor a callback of the application's: the registry would keep a dropped cache alive.
    this.#stats = statsOf(counters, tiers, lock, this.#writeBack);
    this.#unregister = registerSource({ ...cacheSource, name, stats: this.#stats }, this);
  }

  /** The value of `key`, or undefined. With a source, as `getOrLoad` with its loader. */
  get(key: string): Promise<V | undefined> {
    const load = this.#options.source?.load;
    return this.#reader.get(key, load, noEntryOptions);
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
    return this.#reader.get(key, loader, entry);
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
      bornAt: this.#options.now(),
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
        const value = await this.#reader.get(
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

  #startPrefetch(options: SettledPrefetch, load: Load<V>): () => void {
    this.#prefetching = {
      memory: this.#tiers.memory!,
      now: this.#options.now,
      refresh: (key, { version }) => this.#reader.refresh(key, load, noEntryOptions, 'prefetch', version),
    };
    return startPrefetcher(options, this.#prefetching);
  }
}
