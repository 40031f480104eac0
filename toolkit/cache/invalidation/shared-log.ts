import type { LogPosition } from '../entry';
import type { Reply } from '../remote/commands';
import type { TierLink } from '../remote/remote-tier';
import { type InvalidationLog, type InvalidationScope, logItems } from './log';

/** From this share of its lease on the copy is renewed in the background. */
const renewFrom = 0.5;

/** The log of invalidations that processes share, a Redis stream, and how recent this process's copy of it is. */
export class SharedLog {
  readonly #tier: TierLink;
  readonly #log: InvalidationLog;
  readonly #leaseMs: number;
  readonly #onLost: () => void;
  readonly #key: string;
  #readAt = -Infinity;
  #listening = false;
  #reading: Promise<boolean> | undefined;
  #lastRead: string | undefined;

  /**
   * @param leaseMs how old the copy may be where nobody tells of new items
   * @param onLost called when the shared log was lost, and with it invalidations that may have been missed
   */
  constructor(tier: TierLink, log: InvalidationLog, leaseMs: number, onLost: () => void) {
    this.#tier = tier;
    this.#log = log;
    this.#leaseMs = leaseMs;
    this.#onLost = onLost;
    this.#key = tier.keyOf('\0log');
  }

  /** Whether new items are told of as they come, or may be missed. What was missed meanwhile is read. */
  listening(listens: boolean): void {
    this.#listening = listens;
    this.#readAt = -Infinity;
  }

  /** Whether the copy is recent enough to judge entries by: at once where it is known to be. */
  current(): true | Promise<boolean> {
    const age = this.#tier.context.now() - this.#readAt;
    if (this.#listening ? age !== Infinity : age < this.#leaseMs) {
      if (!this.#listening && age > this.#leaseMs * renewFrom) void this.#read();
      return true;
    }
    return this.#read();
  }

  /** Puts an invalidation into the log, and gives its place; undefined where it is not known to be there. */
  async append(scope: InvalidationScope, name: string): Promise<LogPosition | undefined> {
    const items = this.#log.pendingUnder(scope, name);
    try {
      const id = await this.#tier.command(this.#key, false, [
        'XADD',
        this.#key,
        'MAXLEN',
        '~',
        String(logItems),
        '*',
        scope,
        name,
      ]);
      const position = positionOf(String(id));
      for (const item of items) this.#log.settle(item, position);
      if (items.length === 0) this.#log.add(scope, name, position);
      return position;
    } catch (error) {
      this.#tier.context.onError(error);
      return undefined;
    }
  }

  #read(): Promise<boolean> {
    this.#reading ??= this.#readNow().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readNow(): Promise<boolean> {
    const startedAt = this.#tier.context.now();
    try {
      const since = this.#lastRead;
      let items = since === undefined ? await this.#range('-') : await this.#range(since);
      if (since !== undefined && items[0]?.id !== since) {
        // What was read last is there no more, so others may have come and gone too.
        items = await this.#range('-');
        const first = items[0];
        if (first === undefined || positionOf(first.id).ms > positionOf(since).ms) this.#onLost();
        if (first !== undefined) this.#log.forgetBefore(positionOf(first.id));
      }
      // Of a full log the first items may be gone.
      else if (since === undefined && items.length >= logItems) {
        this.#log.forgetBefore(positionOf(items[0]!.id));
      }
      for (const { id, scope, name } of items) {
        const position = positionOf(id);
        if (!this.#log.has(position)) this.#log.add(scope, name, position);
      }
      this.#lastRead = items.at(-1)?.id;
      this.#readAt = startedAt;
      return true;
    } catch (error) {
      this.#tier.context.onError(error);
      return false;
    }
  }

  async #range(from: string): Promise<{ id: string; scope: InvalidationScope; name: string }[]> {
    const reply = await this.#tier.command(this.#key, true, [
      'XRANGE',
      this.#key,
      from,
      '+',
      'COUNT',
      // The length of the log is held only roughly.
      String(logItems * 2),
    ]);
    return (reply as readonly [Reply, readonly [Reply, Reply]][]).map(([id, [scope, name]]) => ({
      id: String(id),
      scope: String(scope) as InvalidationScope,
      name: String(name),
    }));
  }
}

export function positionOf(id: string): LogPosition {
  const [ms, seq] = id.split('-');
  return { ms: Number(ms), seq: Number(seq) };
}
