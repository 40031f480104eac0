import { randomUUID } from 'node:crypto';
import type { TierLink } from '../remote/remote-tier';
import { deleteIfSame, prolongIfSame } from '../remote/scripts';
import type { LoadLockStats } from '../stats';

/** Options of the lock under which processes load. */
export interface LoadLockOptions {
  /**
   * How long the lock of a process that died is kept, in milliseconds. While a load runs its lock is prolonged.
   * @default 5000
   */
  readonly leaseMs?: number;
  /** How long others wait for the value before they load it themselves, in milliseconds. @default 5000 */
  readonly waitMs?: number;
  /** Pause between lookups while waiting, in milliseconds, grown to four times it. @default 20 */
  readonly pollMs?: number;
}

/** The numbers behind {@link LoadLockStats}. */
export class LoadLockCounters {
  acquired = 0;
  waited = 0;
  polls = 0;
  timeouts = 0;
  errors = 0;

  snapshot(): LoadLockStats {
    const { acquired, waited, polls, timeouts, errors } = this;
    return { acquired, waited, polls, timeouts, errors };
  }
}

/** A lock held. */
export interface HeldLock {
  release(): Promise<void>;
}

/**
 * Has one process load a key while the others wait for its value. It spares loads and guards nothing: when Redis fails,
 * or a process stands still past its lease, two load, and which value is stored is decided by versions.
 */
export class LoadLock {
  readonly counters = new LoadLockCounters();
  readonly #tier: TierLink;
  readonly options: Required<LoadLockOptions>;

  constructor(tier: TierLink, options: Required<LoadLockOptions>) {
    this.#tier = tier;
    this.options = options;
  }

  /** The lock; false where another has it; undefined where it could not be asked for. */
  async tryAcquire(key: string): Promise<HeldLock | false | undefined> {
    const { leaseMs } = this.options;
    const name = this.#tier.keyOf(`\0lock:${key}`);
    const id = randomUUID();
    try {
      const reply = await this.#tier.command(name, false, ['SET', name, id, 'NX', 'PX', String(leaseMs)]);
      if (reply === null) return false;
    } catch (error) {
      this.counters.errors++;
      this.#tier.context.onError(error);
      return undefined;
    }
    this.counters.acquired++;
    const prolong = setInterval(() => {
      // A lease that runs out is what `tryAcquire` of others is for.
      this.#tier.script(prolongIfSame, name, [id, String(leaseMs)]).catch(() => {});
    }, leaseMs / 3);
    prolong.unref();
    return {
      release: async () => {
        clearInterval(prolong);
        try {
          await this.#tier.script(deleteIfSame, name, [id]);
        } catch {
          // It then ends by its lease.
        }
      },
    };
  }
}
