import { type Draft, type LifeOptions, lifeOf } from '../draft';
import type { LogPosition } from '../entry';
import { logStart } from '../entry';
import { type CacheTier, CacheTierTimeoutError, CacheTierUnavailableError } from '../errors';
import type { SettledRemoteTier } from '../options';
import { RemoteCounters, type TierStats } from '../stats';
import { Breaker } from './breaker';
import { type Codec, decode, type Encoded, noPayload } from './codec';
import { type Commands, commandsOf, type Reply } from './commands';
import { readEnvelope, versionIn, writeEnvelope } from './envelope';
import { runScript, type Script, setIfOther, setIfSame } from './scripts';

/** What a read of a shared tier gave. */
export interface RemoteRead<V> {
  /** When it was begun. */
  readonly startedAt: number;
  /** What is there has this version, that of nothing is empty; undefined where the tier was not asked or failed. */
  readonly version: string | undefined;
  readonly found?: {
    readonly value: V | undefined;
    /** For how long the writer has it fresh; not above 0 where it is stale. Infinity where clocks disagree. */
    readonly freshMs: number;
    readonly loadMs: number;
    readonly tags: readonly string[] | undefined;
    readonly position: LogPosition;
  };
}

/** What the tiers of a cache have in common. */
export interface RemoteContext {
  readonly cache: string;
  readonly codec: Codec;
  readonly life: LifeOptions;
  readonly now: () => number;
  readonly wallNow: () => number;
  readonly nextVersion: () => string;
  readonly onError: (error: unknown) => void;
}

/** A tier as what sends it commands of its own knows it. */
export type TierLink = Pick<RemoteTier<unknown>, 'tier' | 'keyOf' | 'command' | 'script' | 'context'>;

/** A tier that processes share: one Redis, or a cluster. No method but `command` and `script` ever rejects. */
export class RemoteTier<V> {
  /** Reads the counters and holds no client, so that it may outlive the tier. */
  readonly stats: () => TierStats;
  readonly ttlMs: number;
  /** Past this a key's deletion may be forgotten: what was read earlier must not be stored any more. */
  readonly memoryMs: number;
  readonly #counters = new RemoteCounters();
  readonly #breaker: Breaker;
  readonly #commands: Commands;

  constructor(
    readonly tier: CacheTier,
    readonly options: SettledRemoteTier,
    readonly context: RemoteContext,
  ) {
    this.ttlMs = options.ttlMs;
    this.memoryMs = options.tombstoneMs / 2;
    this.#commands = commandsOf(tier, options.client);
    const breaker = new Breaker(options.breaker, context.now);
    this.#breaker = breaker;
    const counters = this.#counters;
    const { view } = breaker;
    this.stats = () => counters.snapshot({ breaker: view.state, opened: view.opened });
  }

  keyOf(key: string): string {
    return this.options.keyPrefix + key;
  }

  /** @param isOutdated whether an entry is known to be of the time before an invalidation */
  async get(
    key: string,
    isOutdated: (tags: readonly string[] | undefined, position: LogPosition) => boolean,
  ): Promise<RemoteRead<V>> {
    const { now, wallNow, codec, life } = this.context;
    const startedAt = now();
    const counters = this.#counters;
    if (!this.#breaker.admits()) {
      counters.bypassed++;
      return { startedAt, version: undefined };
    }
    let version: string | undefined;
    try {
      const name = this.options.keyPrefix + key;
      const reply = await this.#ask(() => this.#commands.send(name, true, ['GET', name]));
      const bytes = reply as Buffer | null | undefined;
      if (bytes == null) {
        counters.misses++;
        return { startedAt, version: '' };
      }
      version = versionIn(bytes);
      const envelope = readEnvelope(bytes);
      const { kind, freshUntilWall, loadMs, position, tags } = envelope;
      if (kind === 'deleted' || isOutdated(tags, position)) {
        counters.misses++;
        return { startedAt, version };
      }
      const decoded = kind === 'absent' ? undefined : decode(codec, envelope);
      const value = (decoded instanceof Promise ? await decoded : decoded) as V | undefined;
      const left = freshUntilWall - wallNow();
      // Redis has let it go by then: that it is still there says that the writer's clock is another.
      const freshMs = left > this.ttlMs || left <= -life.staleMs ? Infinity : left;
      if (freshMs <= 0) counters.stale++;
      else if (kind === 'absent') counters.negative++;
      else counters.hits++;
      return { startedAt, version, found: { value, freshMs, loadMs, position, tags } };
    } catch (error) {
      counters.getErrors++;
      this.context.onError(error);
      return { startedAt, version };
    } finally {
      counters.time.record((now() - startedAt) / 1000);
    }
  }

  /** Stores whatever is there. False where it is not known to be. */
  async set(key: string, draft: Draft<V>, encoded: Encoded): Promise<boolean> {
    const px = this.#px(draft);
    if (px === undefined) return this.delete(key);
    return this.#write('set', () =>
      this.#commands.send(this.keyOf(key), false, [
        'SET',
        this.keyOf(key),
        this.#envelope(draft, encoded, px),
        'PX',
        px,
      ]),
    );
  }

  /** Stores what was read where nothing was written since `read`. False where it was not stored. */
  async fill(key: string, draft: Draft<V>, encoded: Encoded, read: RemoteRead<V>): Promise<boolean> {
    const { version, startedAt } = read;
    const px = this.#px(draft);
    if (version === undefined || px === undefined) return false;
    if (this.context.now() - startedAt >= this.memoryMs) return false;
    const name = this.keyOf(key);
    const bytes = this.#envelope(draft, encoded, px);
    let stored = false;
    await this.#write('set', async () => {
      const reply =
        version === ''
          ? await this.#commands.send(name, false, ['SET', name, bytes, 'PX', px, 'NX'])
          : await runScript(this.#commands, setIfSame, name, [Buffer.from(version, 'latin1'), bytes, px]);
      stored = reply !== null && reply !== 0;
    });
    return stored;
  }

  /** Deletes the key and has it remembered for a while that it was, so that no slow reader brings it back. */
  delete(key: string): Promise<boolean> {
    const name = this.keyOf(key);
    return this.#write('delete', () =>
      this.#commands.send(name, false, [
        'SET',
        name,
        this.#tombstone(),
        'PX',
        String(this.options.tombstoneMs),
      ]),
    );
  }

  /** As {@link delete}, unless the key has this very version. */
  deleteUnless(key: string, version: string): Promise<boolean> {
    const args = [Buffer.from(version, 'latin1'), this.#tombstone(), String(this.options.tombstoneMs)];
    return this.#write('delete', () => runScript(this.#commands, setIfOther, this.keyOf(key), args));
  }

  /** Counts a value that cannot be written in any tier. */
  refuse(error: unknown): void {
    this.#counters.setErrors++;
    this.context.onError(error);
  }

  bypass(): void {
    this.#counters.bypassed++;
  }

  /** Any command, within the tier's timeout and breaker. Rejects. */
  command(key: string, isReadOnly: boolean, args: readonly (string | Buffer)[]): Promise<Reply> {
    return this.#guarded(() => this.#commands.send(key, isReadOnly, args));
  }

  script(script: Script, key: string, args: readonly (string | Buffer)[]): Promise<Reply> {
    return this.#guarded(() => runScript(this.#commands, script, key, args));
  }

  async #write(operation: 'set' | 'delete', work: () => Promise<unknown>): Promise<boolean> {
    const counters = this.#counters;
    const sets = operation === 'set';
    if (!this.#breaker.admits()) {
      if (sets) counters.bypassedSets++;
      else counters.bypassedDeletes++;
      return false;
    }
    try {
      await this.#ask(work);
      if (sets) counters.sets++;
      else counters.deletes++;
      return true;
    } catch (error) {
      if (sets) counters.setErrors++;
      else counters.deleteErrors++;
      this.context.onError(error);
      return false;
    }
  }

  #guarded<T>(work: () => Promise<T>): Promise<T> {
    if (this.#breaker.admits()) return this.#ask(work);
    return Promise.reject(new CacheTierUnavailableError(this.context.cache, this.tier));
  }

  #ask<T>(work: () => Promise<T>): Promise<T> {
    const { cache } = this.context;
    const { tier, options } = this;
    const breaker = this.#breaker;
    if (!this.#commands.ready()) {
      breaker.failed();
      return Promise.reject(new CacheTierUnavailableError(cache, tier));
    }
    const { timeoutMs } = options;
    // One promise and one timer: this is in every read.
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined = setTimeout(() => {
        timer = undefined;
        breaker.failed();
        reject(new CacheTierTimeoutError(cache, tier, timeoutMs));
      }, timeoutMs);
      const fail = (error: unknown): void => {
        // Told already, where it was late.
        if (timer === undefined) return;
        clearTimeout(timer);
        breaker.failed();
        reject(error);
      };
      try {
        work().then(reply => {
          if (timer === undefined) return;
          clearTimeout(timer);
          breaker.succeeded();
          resolve(reply);
        }, fail);
      } catch (error) {
        fail(error);
      }
    });
  }

  /** How long Redis keeps it, in milliseconds; undefined where its time is up already. */
  #px(draft: Draft<V>): string | undefined {
    const { until } = lifeOf(draft, this.ttlMs, this.context.life);
    const ms = Math.ceil(until - this.context.now());
    return ms > 0 ? String(ms) : undefined;
  }

  #envelope({ value, version, loadMs, tags, position }: Draft<V>, encoded: Encoded, px: string): Buffer {
    const { wallNow, life } = this.context;
    return writeEnvelope({
      kind: value === undefined ? 'absent' : 'value',
      version,
      freshUntilWall: wallNow() + Number(px) - life.staleMs,
      loadMs,
      position,
      tags,
      ...encoded,
    });
  }

  #tombstone(): Buffer {
    return writeEnvelope({
      kind: 'deleted',
      version: this.context.nextVersion(),
      freshUntilWall: 0,
      loadMs: 0,
      position: logStart,
      tags: undefined,
      ...noPayload,
    });
  }
}
