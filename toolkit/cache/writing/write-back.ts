import { within } from '../../within';
import { CacheBacklogError, CacheClosedError } from '../errors';
import type { WriteBackStats } from '../stats';
import type { SettledWriteBack, UnwrittenWrite } from './write-back-options';

/** The numbers behind {@link WriteBackStats}. They hold no value. */
export class WriteBackCounters {
  accepted = 0;
  pending = 0;
  waiting = 0;
  written = 0;
  superseded = 0;
  retries = 0;
  lost = 0;

  constructor(readonly limit: number) {}

  snapshot(): WriteBackStats {
    const { accepted, pending, limit, waiting, written, superseded, retries, lost } = this;
    return { accepted, pending, limit, waiting, written, superseded, retries, lost };
  }
}

/** The latest value of a key, which its source does not have yet. */
interface Dirty<V> {
  value: V | undefined;
  version: string;
  /** Runs until it is next tried; undefined while it is, or waits for its turn. */
  timer: NodeJS.Timeout | undefined;
  attempts: number;
}

/** What a write-back needs of its cache. */
export interface WriteBackTarget<V> {
  readonly cache: string;
  /** Writes to the source; `undefined` deletes. */
  write(key: string, value: V | undefined): Promise<void>;
  /** The source has what `version` names. */
  written(key: string, version: string): Promise<void>;
  onError(error: unknown): void;
}

/**
 * Writes to the source later, of each key the latest value only and one attempt at a time. What it has accepted is
 * written, or named by `close` or `onLost`; only a crash of the process loses it unseen. What waits keeps the process
 * alive.
 */
export class WriteBack<V> {
  readonly counters: WriteBackCounters;
  readonly #dirty = new Map<string, Dirty<V>>();
  readonly #ready: string[] = [];
  readonly #room: (() => void)[] = [];
  readonly #idle: (() => void)[] = [];
  readonly #options: SettledWriteBack<V>;
  readonly #target: WriteBackTarget<V>;
  readonly #random: () => number;
  #running = 0;
  #closed = false;
  #givenUp = false;

  constructor(options: SettledWriteBack<V>, target: WriteBackTarget<V>, random: () => number) {
    this.#options = options;
    this.#target = target;
    this.#random = random;
    this.counters = new WriteBackCounters(options.maxPending);
  }

  /** The value that waits for `key`; its `value` is undefined where the key is to be deleted. */
  get(key: string): { readonly value: V | undefined; readonly version: string } | undefined {
    return this.#dirty.get(key);
  }

  /**
   * Accepts a write, once there is room.
   *
   * @throws {@link CacheClosedError} {@link CacheBacklogError}
   */
  async accept(key: string, value: V | undefined, version: string): Promise<void> {
    while (!this.#closed && !this.#dirty.has(key) && this.#dirty.size >= this.#options.maxPending) {
      await this.#waitForRoom();
    }
    if (this.#closed) throw new CacheClosedError(this.#target.cache);
    this.counters.accepted++;
    const present = this.#dirty.get(key);
    if (present !== undefined) {
      this.counters.superseded++;
      present.value = value;
      present.version = version;
      return;
    }
    const dirty: Dirty<V> = { value, version, timer: undefined, attempts: 0 };
    this.#dirty.set(key, dirty);
    this.counters.pending = this.#dirty.size;
    this.#later(key, dirty, this.#options.delayMs);
  }

  /** Writes what waits now; resolves when nothing does any more. */
  async flush(): Promise<void> {
    for (const [key, dirty] of this.#dirty) {
      if (dirty.timer === undefined) continue;
      clearTimeout(dirty.timer);
      this.#enqueue(key, dirty);
    }
    if (this.#dirty.size > 0) await new Promise<void>(resolve => this.#idle.push(resolve));
  }

  /** Accepts nothing more, writes what waits and gives back what could not be written in that time. */
  async close(timeoutMs: number): Promise<UnwrittenWrite<V>[]> {
    this.#closed = true;
    for (const room of this.#room.splice(0)) room();
    // Late or not, what is still there says how it went.
    await within(
      () => this.flush(),
      timeoutMs,
      () => undefined,
    ).catch(() => {});
    this.#givenUp = true;
    const left = [...this.#dirty].map(([key, { value, timer }]) => {
      clearTimeout(timer);
      return { key, value };
    });
    this.#dirty.clear();
    this.counters.lost += left.length;
    this.counters.pending = 0;
    return left;
  }

  async #waitForRoom(): Promise<void> {
    const { acceptTimeoutMs, maxPending } = this.#options;
    this.counters.waiting++;
    let room!: () => void;
    const made = new Promise<void>(resolve => {
      room = resolve;
      this.#room.push(resolve);
    });
    try {
      await within(
        () => made,
        acceptTimeoutMs,
        () => new CacheBacklogError(this.#target.cache, maxPending, acceptTimeoutMs),
      );
    } finally {
      this.counters.waiting--;
      const place = this.#room.indexOf(room);
      if (place >= 0) this.#room.splice(place, 1);
    }
  }

  #later(key: string, dirty: Dirty<V>, ms: number): void {
    dirty.timer = setTimeout(() => this.#enqueue(key, dirty), ms);
  }

  #enqueue(key: string, dirty: Dirty<V>): void {
    dirty.timer = undefined;
    this.#ready.push(key);
    this.#fill();
  }

  #fill(): void {
    while (this.#running < this.#options.concurrency && this.#ready.length > 0) {
      const key = this.#ready.shift()!;
      const dirty = this.#dirty.get(key);
      if (dirty === undefined) continue;
      this.#running++;
      void this.#write(key, dirty).finally(() => {
        this.#running--;
        this.#fill();
      });
    }
  }

  async #write(key: string, dirty: Dirty<V>): Promise<void> {
    const { value, version } = dirty;
    const { timeoutMs, attempts, onLost } = this.#options;
    try {
      dirty.attempts++;
      await within(
        () => this.#target.write(key, value),
        timeoutMs,
        () => new Error(`Expected the write of a key to take at most ${timeoutMs} ms`),
      );
    } catch (error) {
      this.#target.onError(error);
      if (this.#givenUp) return;
      if (dirty.attempts >= attempts && dirty.version === version) {
        this.counters.lost++;
        this.#end(key);
        onLost({ key, value, error, attempts: dirty.attempts });
        return;
      }
      this.counters.retries++;
      this.#later(key, dirty, this.#pause(dirty.attempts));
      return;
    }
    if (this.#givenUp) return;
    if (dirty.version !== version) {
      // Overtaken while it was written: `superseded` has counted it, and now the newer one is to be written.
      dirty.attempts = 0;
      this.#enqueue(key, dirty);
      return;
    }
    await this.#target.written(key, version);
    if (dirty.version !== version) {
      dirty.attempts = 0;
      this.#enqueue(key, dirty);
      return;
    }
    this.counters.written++;
    this.#end(key);
  }

  #end(key: string): void {
    this.#dirty.delete(key);
    this.counters.pending = this.#dirty.size;
    this.#room.shift()?.();
    if (this.#dirty.size === 0) for (const idle of this.#idle.splice(0)) idle();
  }

  #pause(attempts: number): number {
    const { retryMs, maxRetryMs } = this.#options;
    const pause = Math.min(retryMs * 2 ** Math.min(attempts - 1, 30), maxRetryMs);
    return Math.max(1, pause * (1 - this.#random() / 2));
  }
}
