import type CachePolicy from 'http-cache-semantics';
import { LRUCache } from 'lru-cache';
import type { Headers } from '../headers';
import type { SettledCache } from '../options';
import type { HttpCacheStats } from '../stats';

/** What an entry is of: the URL, for whom, and the request's fields that the answer varies by. */
export interface Asked {
  /** Without user, password and fragment. */
  readonly url: string;
  /** Empty in a shared cache. */
  readonly identity: string;
  /** Several values of a field as one. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A stored answer. */
export interface Entry extends Omit<Asked, 'headers'> {
  readonly vary: readonly string[];
  readonly selected: string;
  readonly policy: CachePolicy;
  readonly status: number;
  readonly body: Buffer;
  readonly bytes: number;
}

/** A load under way; `valid` until a call may have changed what it is of. */
export interface Load {
  readonly url: string;
  valid: boolean;
}

/** Most answers of one URL, which are gone through one by one. */
const variantsLimit = 50;
/** About what an entry takes besides its texts and its body. */
const entryBytes = 1000;

/** Answers by URL, of which those used longest ago leave. */
export class ResponseStore {
  readonly #entries: LRUCache<Entry, Entry>;
  readonly #byUrl = new Map<string, Entry[]>();
  readonly #loads = new Map<string, Set<Load>>();
  readonly #counters = { stored: 0, evicted: 0, invalidated: 0 };
  /** Holds counters and sizes only. */
  readonly stats: () => Omit<HttpCacheStats, 'results'>;

  constructor(private readonly options: SettledCache) {
    const { maxEntries, maxBytes } = options;
    const counters = this.#counters;
    const byUrl = this.#byUrl;
    const entries = new LRUCache<Entry, Entry>({
      max: maxEntries,
      maxSize: maxBytes,
      sizeCalculation: entry => entry.bytes,
      dispose: (entry, _, reason) => {
        if (reason === 'evict') counters.evicted++;
        const others = byUrl.get(entry.url)!.filter(one => one !== entry);
        if (others.length === 0) byUrl.delete(entry.url);
        else byUrl.set(entry.url, others);
      },
    });
    this.#entries = entries;
    this.stats = () => ({
      ...counters,
      entries: entries.size,
      limit: maxEntries,
      bytes: entries.calculatedSize,
      byteLimit: maxBytes,
    });
  }

  find({ url, identity, headers }: Asked): Entry | undefined {
    const found = this.#byUrl
      .get(url)
      ?.find(one => one.identity === identity && one.selected === selection(one.vary, headers));
    return found && this.#entries.get(found);
  }

  /** Whether it was stored; one that is too large is not. */
  put(asked: Asked, policy: CachePolicy, status: number, body: Buffer, answer: Headers): boolean {
    const vary = varyOf(answer);
    const { url, identity } = asked;
    const bytes = entryBytes + 2 * (url.length + JSON.stringify(answer).length) + body.length;
    this.remove(this.find(asked));
    if (bytes > this.options.maxEntryBytes || bytes > this.options.maxBytes) return false;
    const entry: Entry = {
      url,
      identity,
      vary,
      selected: selection(vary, asked.headers),
      policy,
      status,
      body: ownMemory(body),
      bytes,
    };
    const others = this.#byUrl.get(url) ?? [];
    this.#byUrl.set(url, [entry, ...others]);
    if (others.length >= variantsLimit) this.remove(others.at(-1));
    this.#entries.set(entry, entry);
    this.#counters.stored++;
    return true;
  }

  /** The same answer with a policy that is newer. */
  renew(entry: Entry, policy: CachePolicy): void {
    if (!this.#entries.has(entry)) return;
    (entry as { policy: CachePolicy }).policy = policy;
  }

  remove(entry: Entry | undefined): void {
    if (entry !== undefined) this.#entries.delete(entry);
  }

  begin(url: string): Load {
    const load: Load = { url, valid: true };
    const loads = this.#loads.get(url);
    if (loads === undefined) this.#loads.set(url, new Set([load]));
    else loads.add(load);
    return load;
  }

  end(load: Load): void {
    const loads = this.#loads.get(load.url);
    if (loads?.delete(load) && loads.size === 0) this.#loads.delete(load.url);
  }

  /** Forgets all answers of a URL, those included that are under way. */
  invalidate(url: string): void {
    for (const load of this.#loads.get(url) ?? []) load.valid = false;
    for (const entry of this.#byUrl.get(url) ?? []) {
      this.remove(entry);
      this.#counters.invalidated++;
    }
  }

  clear(): void {
    this.#entries.clear();
  }
}

/** Names of the request's fields that the answer depends on. */
export function varyOf(answer: Headers): string[] {
  const { vary } = answer;
  return vary === undefined
    ? []
    : String(vary)
        .toLowerCase()
        .split(/\s*,\s*/);
}

function selection(vary: readonly string[], headers: Asked['headers']): string {
  return vary.length === 0 ? '' : JSON.stringify(vary.map(name => [name, headers[name] ?? null]));
}

/** A small body is a view of a large buffer of the socket's, which it would keep. */
function ownMemory(body: Buffer): Buffer {
  if (body.buffer.byteLength <= 2 * body.length) return body;
  const own = Buffer.allocUnsafeSlow(body.length);
  body.copy(own);
  return own;
}
