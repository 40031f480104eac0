import { type Draft, lifeOf } from './draft';
import type { CacheEntry } from './entry';
import { InvalidationLog, type InvalidationScope } from './invalidation/log';
import { type CacheMessage, listen, type MessageListener, publish } from './invalidation/messages';
import { Repairs } from './invalidation/repairs';
import { SharedLog } from './invalidation/shared-log';
import { isCurrent, type Reading, Readings } from './loading/readings';
import type { Shared, SharedLook, TiersListener } from './looks';
import { MemoryTier } from './memory/memory-tier';
import type { SettledCacheOptions } from './options';
import { type Encoded, encode, noPayload } from './remote/codec';
import { type RemoteRead, RemoteTier } from './remote/remote-tier';
import type { CacheCounters } from './stats';
import { createVersions } from './versions';
import { KeyedQueue } from './writing/keyed-queue';

/** How long this process's copy of the log of invalidations is trusted where it hears of nothing, in milliseconds. */
const logLeaseMs = 1000;

/** The tiers of a cache: reads go from the inside out, writes from the outside in. No method ever rejects. */
export class Tiers<V> implements MessageListener {
  readonly memory: MemoryTier<V> | undefined;
  /** Innermost first. */
  readonly shared: readonly Shared<V>[] = [];
  readonly readings = new Readings();
  readonly log = new InvalidationLog();
  readonly nextVersion = createVersions();
  readonly #options: SettledCacheOptions<V>;
  readonly #counters: CacheCounters;
  readonly #listener: TiersListener;
  readonly #queue = new KeyedQueue();
  readonly #background = new Set<Promise<unknown>>();
  readonly #sharedLog: SharedLog | undefined;
  /** Invalidations of tags and prefixes that are not in the shared log yet. */
  readonly #unsettled: Repairs | undefined;
  readonly #origin: string;
  readonly #channel: string;
  readonly #unlisten: () => void;

  constructor(options: SettledCacheOptions<V>, counters: CacheCounters, listener: TiersListener) {
    this.#options = options;
    this.#counters = counters;
    this.#listener = listener;
    const { name, l1, l2, l3, life, codec, now, wallNow, onError, invalidation } = options;
    this.memory = l1 && new MemoryTier(l1, now);
    const { nextVersion } = this;
    const context = { cache: name, codec, life, now, wallNow, nextVersion, onError };
    this.shared = (['l2', 'l3'] as const).flatMap(tier => {
      const settled = tier === 'l2' ? l2 : l3;
      return settled ? [this.#repaired(new RemoteTier<V>(tier, settled, context))] : [];
    });
    this.#origin = Buffer.from(nextVersion(), 'latin1').toString('hex');
    const outermost = this.shared.at(-1)?.tier;
    this.#channel = invalidation?.channel ?? `${outermost?.keyOf('invalidations')}`;
    this.#unlisten = () => {};
    if (outermost === undefined) return;
    this.#sharedLog = new SharedLog(outermost, this.log, logLeaseMs, () => this.#forgetAll());
    this.#unsettled = this.#invalidationRepairs();
    if (invalidation?.subscriber) {
      this.#unlisten = listen(invalidation.subscriber, this.#channel, this.#origin, this, onError);
    }
  }

  /** The entry in memory that may be served, stale or fresh. */
  lookInMemory(key: string, now: number): CacheEntry<V> | undefined {
    return this.memory?.look(key, now, this.log);
  }

  /** Looks in the shared tiers, and takes what is fresh into those further in. */
  async lookInShared(key: string, reading: Reading): Promise<SharedLook<V>> {
    const { shared } = this;
    if (shared.length === 0) return { reads: [] };
    const now = this.#options.now;
    const current = this.#sharedLog!.current();
    const isKnown = current === true || (await current);
    const reads: RemoteRead<V>[] = [];
    let stale: Draft<V> | undefined;
    for (const { tier, repairs } of shared) {
      if (!isKnown || repairs.concerns(key)) {
        tier.bypass();
        reads.push({ startedAt: now(), version: undefined });
        continue;
      }
      const read = await tier.get(key, (tags, position) => this.log.outdatesShared(key, tags, position));
      const { found, startedAt, version } = read;
      if (found !== undefined && !repairs.concerns(key)) {
        const { value, freshMs, loadMs, tags, position } = found;
        const bestBefore = startedAt + freshMs;
        // Written out: spreading is a good part of a lookup.
        const draft: Draft<V> = {
          value,
          version: version!,
          bornAt: startedAt,
          bestBefore,
          ttlMs: undefined,
          loadMs,
          tags,
          position,
        };
        if (freshMs > 0) {
          this.keep(key, draft, reading, this.log.mark);
          if (reads.length > 0) this.later(this.fill(key, draft, reading, reads));
          return { fresh: draft, reads };
        }
        stale ??= draft;
      }
      reads.push(read);
    }
    return stale === undefined ? { reads } : { reads, stale };
  }

  /** Stores in memory what was read or loaded, unless a write came meanwhile. */
  keep(key: string, draft: Draft<V>, reading: Reading | undefined, mark: number): void {
    const { memory } = this;
    if (memory === undefined || (reading !== undefined && !isCurrent(reading, draft.version))) return;
    const { freshUntil, until } = lifeOf(draft, memory.ttlMs, this.#options.life);
    if (until <= this.#options.now()) return;
    const { value, version, loadMs, tags, position } = draft;
    memory.set(key, { value, version, freshUntil, until, loadMs, tags, position, mark, reads: 0 });
  }

  /** Stores in the shared tiers that were looked in what was found further out, unless a write came meanwhile. */
  async fill(key: string, draft: Draft<V>, reading: Reading, reads: readonly RemoteRead<V>[]): Promise<void> {
    if (reads.length === 0) return;
    const encoded = await this.#encode(draft.value, this.shared.slice(0, reads.length));
    if (encoded === undefined) return;
    for (let i = reads.length - 1; i >= 0; i--) {
      if (!isCurrent(reading, draft.version)) return;
      await this.shared[i]!.tier.fill(key, draft, encoded, reads[i]!);
    }
  }

  /** Takes out what was found of a key that the source does not have. */
  async refute(key: string, reading: Reading, reads: readonly RemoteRead<V>[]): Promise<void> {
    if (reading.outdated) return;
    this.memory?.drop(key);
    for (let i = reads.length - 1; i >= 0; i--) {
      if (reads[i]!.found !== undefined) await this.shared[i]!.tier.delete(key);
    }
  }

  /** Stores what was set, and tells the other processes. */
  write(key: string, draft: Draft<V>): Promise<void> {
    return this.writing(key, () => {
      this.keep(key, draft, undefined, this.log.mark);
      return this.#queue.run(key, async () => {
        const encoded = await this.#encode(draft.value, this.shared);
        // What cannot be written must not leave what was there before.
        await this.#inAll(key, tier => (encoded ? tier.set(key, draft, encoded) : tier.delete(key)));
        await this.#tell({ kind: 'key', key, version: draft.version });
      });
    });
  }

  /** Deletes a key, and tells the other processes. */
  erase(key: string): Promise<void> {
    return this.writing(key, () => {
      this.memory?.delete(key);
      return this.#queue.run(key, async () => {
        await this.#inAll(key, tier => tier.delete(key));
        await this.#tell({ kind: 'key', key, version: this.nextVersion() });
      });
    });
  }

  /** The source has what `version` names: nothing that was read there before may stay. */
  settle(key: string, version: string): Promise<void> {
    return this.#queue.run(key, async () => {
      await this.#inAll(key, tier => tier.deleteUnless(key, version));
      await this.#tell({ kind: 'key', key, version });
    });
  }

  /** Runs a write; what reads the key meanwhile is not stored. */
  async writing<T>(key: string, work: () => Promise<T>): Promise<T> {
    this.readings.beginWrite(key);
    this.#listener.outdated(key);
    try {
      return await work();
    } finally {
      this.readings.endWrite(key);
      this.#listener.outdated(key);
    }
  }

  /** Invalidates all entries with a tag, or all keys with a prefix. */
  async invalidate(scope: InvalidationScope, name: string): Promise<void> {
    this.log.add(scope, name, undefined);
    this.#listener.outdated(undefined);
    if (this.#sharedLog === undefined || (await this.#append(scope, name))) return;
    this.#unsettled!.add(`${scope}:${name}`);
  }

  onMessage(message: CacheMessage): void {
    this.#counters.received++;
    if (message.kind === 'key') {
      const { key, version } = message;
      if (this.memory !== undefined && this.memory.peek(key)?.version !== version) this.memory.drop(key);
      this.readings.outdate(key, version);
      this.#listener.outdated(key);
      this.#listener.keyWritten(key);
    } else if (!this.log.has(message.position)) {
      this.log.add(message.kind, message.name, message.position);
      this.#listener.outdated(undefined);
    }
  }

  onListening(listening: boolean): void {
    this.#sharedLog?.listening(listening);
    // What was said before is missed.
    if (listening) this.#forgetAll();
    this.#listener.listening(listening);
  }

  async close(): Promise<void> {
    this.#unlisten();
    this.memory?.close();
    await Promise.all([
      ...this.#background,
      ...this.shared.map(({ repairs }) => repairs.close()),
      this.#unsettled?.close(),
    ]);
  }

  /** Has `work` be waited for by `close`, and by nobody else. It must not reject. */
  later(work: Promise<unknown>): void {
    this.#background.add(work);
    void work.finally(() => this.#background.delete(work));
  }

  async #inAll(key: string, write: (tier: RemoteTier<V>) => Promise<boolean>): Promise<void> {
    for (let i = this.shared.length - 1; i >= 0; i--) {
      const { tier, repairs } = this.shared[i]!;
      if (await write(tier)) repairs.done(key);
      else repairs.add(key);
    }
  }

  async #encode(value: V | undefined, tiers: readonly Shared<V>[]): Promise<Encoded | undefined> {
    if (value === undefined || tiers.length === 0) return noPayload;
    try {
      return await encode(this.#options.codec, value);
    } catch (error) {
      for (const { tier } of tiers) tier.refuse(error);
      return undefined;
    }
  }

  async #tell(message: CacheMessage): Promise<void> {
    const outermost = this.shared.at(-1);
    if (this.#options.invalidation === undefined || outermost === undefined) return;
    this.#counters.sent++;
    const told = await publish(outermost.tier, this.#channel, this.#origin, message);
    // Deleting it again later tells again.
    if (!told && message.kind === 'key') outermost.repairs.add(message.key);
  }

  #forgetAll(): void {
    this.memory?.clear();
    this.#listener.outdated(undefined);
  }

  #repaired(tier: RemoteTier<V>): Shared<V> {
    const counters = this.#counters;
    const repairs = new Repairs(tier, this.#options.maxRepairs, {
      invalidateAll: () => this.#append('prefix', ''),
      count(change) {
        counters.repairs += change;
      },
      repaired: key => this.later(this.#tell({ kind: 'key', key, version: this.nextVersion() })),
    });
    return { tier, repairs };
  }

  #invalidationRepairs(): Repairs {
    const counters = this.#counters;
    const append = (key: string): Promise<boolean> => {
      const colon = key.indexOf(':');
      return this.#append(key.slice(0, colon) as InvalidationScope, key.slice(colon + 1));
    };
    return new Repairs({ delete: append }, this.#options.maxRepairs, {
      invalidateAll: () => this.#append('prefix', ''),
      count(change) {
        counters.repairs += change;
      },
      repaired() {},
    });
  }

  async #append(scope: InvalidationScope, name: string): Promise<boolean> {
    const position = await this.#sharedLog!.append(scope, name);
    if (position === undefined) return false;
    await this.#tell({ kind: scope, name, position });
    return true;
  }
}
