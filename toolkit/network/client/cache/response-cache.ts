import { LRUCache } from 'lru-cache';
import { type HttpCallFacts, HttpConnectionError, HttpTimeoutError } from '../errors';
import type { Answer } from '../exchange';
import { firstOf, type Headers } from '../headers';
import type { SettledCache, SettledClientOptions } from '../options';
import type { Call } from '../request';
import type { HttpCacheResult } from '../stats';
import { Flight, isPersonal, landingWithin } from './flights';
import { CacheRules, mayBeStale, mayReplaceError } from './policy';
import { type Entry, ResponseStore } from './store';

/** Makes a request over the network, within what is left of its time. */
export type Fetch = (call: Call, headers: Headers, leftMs: number) => Promise<Answer>;

/** An answer, and what the cache had to do with it. */
export interface CachedAnswer {
  readonly answer: Answer;
  readonly result: HttpCacheResult;
}

type Asked = ReturnType<CacheRules['asked']>;

/** Answers that a server's failure may be replaced for: RFC 5861. */
const failing = new Set([500, 502, 503, 504]);

/** Answers GET from what is stored, and has those who ask for the same at once share one request. */
export class ResponseCache {
  readonly store: ResponseStore;
  readonly #rules: CacheRules;
  readonly #flights = new Map<string, Flight>();
  /** URLs whose answers were not for all, lately: those who ask for them don't wait for one another. */
  readonly #unshared = new LRUCache<string, true>({ max: 1000, ttl: 60_000 });
  readonly #now: () => number;

  constructor(
    settings: SettledCache,
    private readonly settled: SettledClientOptions,
    private readonly fetch: Fetch,
  ) {
    this.store = new ResponseStore(settings);
    this.#rules = new CacheRules(settings, settled.wallNow);
    this.#now = settled.now;
  }

  async get(call: Call): Promise<CachedAnswer> {
    const asked = this.#rules.asked(call);
    const entry = this.store.find(asked);
    if (entry !== undefined) {
      const { response, revalidation } = entry.policy.evaluateRequest(asked.request);
      if (response !== undefined && revalidation === undefined) {
        const result = entry.policy.stale() ? 'stale' : 'hit';
        return { answer: answerOf(entry, response.headers), result };
      }
      if (response !== undefined && !revalidation!.synchronous && mayBeStale(entry.policy)) {
        this.#refresh(call, asked);
        return { answer: answerOf(entry, response.headers), result: 'stale' };
      }
    }
    return this.#load(call, asked);
  }

  /** After a call that may have changed things: RFC 9111 section 4.4. */
  invalidateAfter(
    { method, url, origin, path }: Call,
    { status, headers }: Pick<Answer, 'status' | 'headers'>,
  ): void {
    if (['GET', 'HEAD', 'OPTIONS', 'TRACE'].includes(method) || status < 200 || status >= 400) return;
    this.#forget(origin + path);
    for (const name of ['location', 'content-location']) {
      const value = firstOf(headers[name]);
      if (value === undefined || !URL.canParse(value, url.href)) continue;
      const other = new URL(value, url);
      if (other.origin === origin) this.#forget(other.origin + other.pathname + other.search);
    }
  }

  #forget(url: string): void {
    this.store.invalidate(url);
    const prefix = JSON.stringify([url]).slice(0, -1);
    // What comes from now on must not wait for what was sent before.
    for (const key of this.#flights.keys()) if (key.startsWith(prefix)) this.#flights.delete(key);
  }

  async #load(call: Call, asked: Asked): Promise<CachedAnswer> {
    const endsAt = this.#now() + call.timeouts.totalMs;
    const left = (): number => Math.max(0.001, endsAt - this.#now());
    while (!this.#unshared.has(asked.url)) {
      const flight = this.#flights.get(asked.key);
      if (flight === undefined) return this.#lead(call, asked, left);
      const { answer, error } = await landingWithin(flight, call, left(), this.#facts(call));
      if (answer !== undefined)
        return { answer: { ...answer, attempts: 0, headers: { ...answer.headers } }, result: 'coalesced' };
      if (error === undefined) break;
      if (!isPersonal(error)) throw error;
    }
    return this.#fetchAndStore(call, asked, left);
  }

  #facts({ method, origin }: Call): HttpCallFacts {
    return { client: this.settled.name, method, origin, attempts: 0 };
  }

  async #lead(call: Call, asked: Asked, left: () => number): Promise<CachedAnswer> {
    const flight = new Flight();
    this.#flights.set(asked.key, flight);
    const end = (): void => {
      if (this.#flights.get(asked.key) === flight) this.#flights.delete(asked.key);
    };
    try {
      const loaded = await this.#fetchAndStore(call, asked, left);
      end();
      if (!loaded.forAll) this.#unshared.set(asked.url, true);
      flight.land(loaded.forAll ? { answer: loaded.answer } : {});
      return loaded;
    } catch (error) {
      end();
      flight.land({ error: error as Error });
      throw error;
    }
  }

  #refresh(call: Call, asked: Asked): void {
    if (this.#flights.has(asked.key)) return;
    const endsAt = this.#now() + call.timeouts.totalMs;
    // Its caller has been answered, and its failure shows in the statistics.
    this.#lead({ ...call, signal: undefined }, asked, () => endsAt - this.#now()).catch(() => {});
  }

  async #fetchAndStore(
    call: Call,
    asked: Asked,
    left: () => number,
  ): Promise<CachedAnswer & { readonly forAll: boolean }> {
    const load = this.store.begin(asked.url);
    try {
      const entry = this.store.find(asked);
      const validators = entry === undefined ? undefined : validatorsOf(entry, asked);
      let answer: Answer;
      try {
        answer = await this.fetch(
          call,
          validators === undefined ? call.headers : { ...call.headers, ...validators },
          left(),
        );
      } catch (error) {
        const failed = error instanceof HttpConnectionError || error instanceof HttpTimeoutError;
        const stale = failed ? staleOf(entry, asked) : undefined;
        if (stale === undefined) throw error;
        return { answer: stale, result: 'stale', forAll: true };
      }
      if (validators !== undefined && answer.status === 304) {
        const policy = this.#rules.confirmed(entry!.policy, asked.request, answer);
        if (policy !== undefined) {
          if (load.valid) this.store.renew(entry!, policy);
          const confirmed = { ...answerOf(entry!, policy.responseHeaders()), attempts: answer.attempts };
          return { answer: confirmed, result: 'revalidated', forAll: true };
        }
        // It is of another answer than the one that is stored.
        this.store.remove(entry);
        answer = await this.fetch(call, call.headers, left());
      }
      const stale = failing.has(answer.status) ? staleOf(entry, asked) : undefined;
      if (stale !== undefined) return { answer: stale, result: 'stale', forAll: true };
      const policy = this.#rules.storable(asked.request, answer);
      if (policy !== undefined && load.valid) {
        this.store.put(asked, policy, answer.status, answer.body, answer.headers);
      } else if (policy === undefined && answer.status < 500) {
        // What is stored is no more what the server says.
        this.store.remove(entry);
      }
      return { answer, result: 'miss', forAll: policy !== undefined };
    } finally {
      this.store.end(load);
    }
  }
}

function staleOf(entry: Entry | undefined, { request }: Asked): Answer | undefined {
  return entry !== undefined && mayReplaceError(entry.policy, request)
    ? answerOf(entry, entry.policy.responseHeaders())
    : undefined;
}

function answerOf(
  { status, body }: Entry,
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Answer {
  return { status, headers: headers as Headers, body, attempts: 0 };
}

/** The fields that ask whether a stored answer still holds; undefined where it has none. */
function validatorsOf({ policy }: Entry, { request }: Asked): Headers | undefined {
  const headers = policy.revalidationHeaders(request);
  const validators: Headers = {};
  for (const name of ['if-none-match', 'if-modified-since']) {
    const value = headers[name];
    if (value !== undefined) validators[name] = value;
  }
  return Object.keys(validators).length === 0 ? undefined : validators;
}
