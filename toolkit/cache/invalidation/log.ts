import { type CacheEntry, isAfter, type LogPosition, logStart } from '../entry';

/** What an invalidation is of: everything with a tag, or every key that begins with a prefix. */
export type InvalidationScope = 'tag' | 'prefix';

/** An invalidation of many keys at a time. */
export interface LogItem {
  readonly scope: InvalidationScope;
  readonly name: string;
  /** Where it is in the shared log; undefined until it is. */
  position: LogPosition | undefined;
}

/** Invalidations kept; entries older than the oldest of them cannot be judged any more and are let go. */
export const logItems = 1000;

/**
 * The invalidations of tags and prefixes that this process knows. They find no entries and delete none: an entry
 * carries what of the log was known when its value was read at the source, and is held against what came since when
 * it is next looked at. So a value read before an invalidation is outdated wherever and whenever it turns up, and an
 * invalidation takes the same time for one key as for a million.
 */
export class InvalidationLog {
  #items: LogItem[] = [];
  /** How many items have been let go. */
  #gone = 0;
  /** The last position let go: what was read before it cannot be judged. */
  #floor: LogPosition = logStart;
  #last: LogPosition = logStart;
  #pending = 0;

  /** How many items there have been. An entry that is not outdated now has this as its mark. */
  get mark(): number {
    return this.#gone + this.#items.length;
  }

  /** The last position known. */
  get last(): LogPosition {
    return this.#last;
  }

  add(scope: InvalidationScope, name: string, position: LogPosition | undefined): void {
    const item: LogItem = { scope, name, position };
    this.#items.push(item);
    if (position === undefined) this.#pending++;
    else if (isAfter(position, this.#last)) this.#last = position;
    if (this.#items.length > logItems) {
      const oldest = this.#items.shift()!;
      this.#gone++;
      if (oldest.position === undefined) {
        this.#pending--;
        // It has no place yet, so that nothing can be told to have come after it.
        this.#floor = this.#last;
      } else if (isAfter(oldest.position, this.#floor)) this.#floor = oldest.position;
    }
  }

  /** Items of ours that are not in the shared log yet, and that one of this scope and name there covers. */
  pendingUnder(scope: InvalidationScope, name: string): LogItem[] {
    const coversAll = scope === 'prefix' && name === '';
    return this.#items.filter(
      item => item.position === undefined && (coversAll || (item.scope === scope && item.name === name)),
    );
  }

  /** An item of ours has been put into the shared log. */
  settle(item: LogItem, position: LogPosition): void {
    if (item.position !== undefined) return;
    item.position = position;
    if (this.#items.includes(item)) this.#pending--;
    if (isAfter(position, this.#last)) this.#last = position;
  }

  has(position: LogPosition): boolean {
    return this.#items.some(item => item.position?.ms === position.ms && item.position.seq === position.seq);
  }

  /** What was read before `position` cannot be judged, because the shared log has forgotten what came before. */
  forgetBefore(position: LogPosition): void {
    if (isAfter(position, this.#floor)) this.#floor = position;
    if (isAfter(position, this.#last)) this.#last = position;
  }

  /** Whether an entry in this process's memory is of the time before an invalidation of it. */
  outdates(key: string, entry: CacheEntry<unknown>): boolean {
    const { mark } = this;
    if (entry.mark === mark) return false;
    if (entry.mark < this.#gone) return true;
    for (let i = entry.mark - this.#gone; i < this.#items.length; i++) {
      if (concerns(this.#items[i]!, key, entry.tags)) return true;
    }
    entry.mark = mark;
    return false;
  }

  /** Whether one in a shared tier is. */
  outdatesShared(key: string, tags: readonly string[] | undefined, position: LogPosition): boolean {
    if (this.#pending === 0 && !isAfter(this.#last, position)) return false;
    if (isAfter(this.#floor, position)) return true;
    return this.#items.some(
      item => (item.position === undefined || isAfter(item.position, position)) && concerns(item, key, tags),
    );
  }
}

function concerns({ scope, name }: LogItem, key: string, tags: readonly string[] | undefined): boolean {
  return scope === 'tag' ? tags?.includes(name) === true : key.startsWith(name);
}
