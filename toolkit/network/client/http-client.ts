import { delayMs } from '../../options';
import { registerSource } from '../../sources';
import { within } from '../../within';
import { isCacheable } from './cache/policy';
import { ResponseCache } from './cache/response-cache';
import { Engine } from './engine';
import { HttpClientClosedError, HttpStatusError } from './errors';
import { type Answer, Exchange } from './exchange';
import { outcomeOfError, outcomeOfStatus } from './failures';
import type { HttpClientOptions, HttpRequestOptions } from './options';
import { type Call, prepare } from './request';
import { HttpResponse, type HttpStreamResponse } from './response';
import { settleClientOptions } from './settle-options';
import { type HttpCacheResult, type HttpClientStats, type HttpOutcome, httpClientSource } from './stats';

/** Options of {@link HttpClient.close}. */
export interface CloseHttpClientOptions {
  /** How long calls under way are waited for, in milliseconds; then they fail. @default 10000 */
  readonly timeoutMs?: number;
}

type Options = HttpRequestOptions;
type WithoutBody = Omit<Options, 'method' | 'body'>;

const none: Options = {};

/**
 * A client of HTTP/1.1 and HTTP/2 over undici: limits of time that hold, retries within a budget, bodies decoded and
 * bounded, a cache of responses, and exact statistics. Redirects are given to the caller as they are.
 *
 * All methods reject with a TypeError where the URL or an option is not as documented, and with the errors whose names
 * begin with Http; those tell the origin, and never more of a URL, a header or a body.
 */
export class HttpClient {
  readonly name: string;
  readonly #engine: Engine;
  readonly #cache: ResponseCache | undefined;
  readonly #stats: () => HttpClientStats;
  readonly #unregister: () => void;
  #closing: Promise<{ readonly aborted: number }> | undefined;

  /** @throws TypeError when an option is not as documented, UndiciMissingError */
  constructor(options: HttpClientOptions) {
    const settled = settleClientOptions(options);
    this.name = settled.name;
    const engine = new Engine(settled);
    this.#engine = engine;
    this.#cache =
      settled.cache &&
      new ResponseCache(
        settled.cache,
        settled,
        (call, headers, leftMs) =>
          new Promise((resolve, reject) => {
            const done = (error: Error | undefined, answer: Answer | undefined): void =>
              error === undefined ? resolve(answer!) : reject(error);
            new Exchange(engine, call, headers, leftMs, false, done).start();
          }),
      );
    const { counters } = engine;
    const cacheStats = this.#cache?.store.stats;
    // Neither the client nor its connections: the registry would keep a dropped client alive.
    this.#stats = () => counters.snapshot(cacheStats?.());
    this.#unregister = registerSource({ ...httpClientSource, name: this.name, stats: this.#stats }, this);
  }

  /** Makes a request and reads the whole answer, whatever its status. */
  request(url: string | URL, options: Options = none): Promise<HttpResponse> {
    const { settled, counters } = this.#engine;
    let call: Call;
    try {
      call = prepare(settled, url, options);
    } catch (error) {
      return Promise.reject(error);
    }
    const began = settled.now();
    counters.calls++;
    if (this.#closing !== undefined) return Promise.reject(this.#refused(call, began));
    if (this.#cache !== undefined && isCacheable(call)) return this.#cached(this.#cache, call, began);
    return new Promise((resolve, reject) => {
      new Exchange(this.#engine, call, call.headers, call.timeouts.totalMs, false, (error, answer) => {
        if (error !== undefined) {
          this.#ended(outcomeOfError(error), 'bypassed', began);
          reject(error);
          return;
        }
        resolve(this.#answered(call, answer!, 'bypassed', began));
      }).start();
    });
  }

  async #cached(cache: ResponseCache, call: Call, began: number): Promise<HttpResponse> {
    try {
      const { answer, result } = await cache.get(call);
      return this.#answered(call, answer, result, began);
    } catch (error) {
      this.#ended(outcomeOfError(error as Error), 'miss', began);
      throw error;
    }
  }

  #answered(call: Call, answer: Answer, result: HttpCacheResult, began: number): HttpResponse {
    const { status, headers, body, attempts } = answer;
    this.#ended(outcomeOfStatus(status), result, began);
    this.#cache?.invalidateAfter(call, answer);
    return new HttpResponse(status, headers, body, attempts, result);
  }

  #ended(outcome: HttpOutcome, result: HttpCacheResult, began: number): void {
    const { settled, counters } = this.#engine;
    counters.outcomes[outcome]++;
    counters.results[result]++;
    counters.duration.record((settled.now() - began) / 1000);
  }

  #refused({ method, origin }: Call, began: number): Error {
    this.#ended('refused', 'bypassed', began);
    return new HttpClientClosedError({ client: this.name, method, origin, attempts: 0 });
  }

  /**
   * As {@link request}, with the body as a stream, past the cache. Retries are made until there are headers; the call
   * ends, and is counted, when the body was read to its end or destroyed.
   */
  async stream(url: string | URL, options: Options = none): Promise<HttpStreamResponse> {
    const { settled, counters } = this.#engine;
    const call = prepare(settled, url, options);
    const began = settled.now();
    counters.calls++;
    if (this.#closing !== undefined) throw this.#refused(call, began);
    return new Promise((resolve, reject) => {
      const exchange = new Exchange(
        this.#engine,
        call,
        call.headers,
        call.timeouts.totalMs,
        true,
        (error, answer) => {
          if (error !== undefined) {
            this.#ended(outcomeOfError(error), 'bypassed', began);
            reject(error);
            return;
          }
          const { status, headers, stream, attempts } = answer!;
          exchange.whenEnded(error =>
            this.#ended(
              error === undefined ? outcomeOfStatus(status) : outcomeOfError(error),
              'bypassed',
              began,
            ),
          );
          this.#cache?.invalidateAfter(call, answer!);
          resolve({ status, headers, body: stream!, attempts });
        },
      );
      exchange.start();
    });
  }

  /** {@link request} by GET. */
  get(url: string | URL, options?: WithoutBody): Promise<HttpResponse> {
    return this.request(url, options);
  }

  /** {@link request} by HEAD. */
  head(url: string | URL, options?: WithoutBody): Promise<HttpResponse> {
    return this.request(url, { ...options, method: 'HEAD' });
  }

  /** {@link request} by POST. */
  post(url: string | URL, body: Options['body'], options?: WithoutBody): Promise<HttpResponse> {
    return this.request(url, { ...options, method: 'POST', ...(body !== undefined && { body }) });
  }

  /** {@link request} by PUT. */
  put(url: string | URL, body: Options['body'], options?: WithoutBody): Promise<HttpResponse> {
    return this.request(url, { ...options, method: 'PUT', ...(body !== undefined && { body }) });
  }

  /** {@link request} by DELETE. */
  delete(url: string | URL, options?: WithoutBody): Promise<HttpResponse> {
    return this.request(url, { ...options, method: 'DELETE' });
  }

  /**
   * Gets JSON.
   *
   * @throws HttpStatusError where the status is not 2xx, HttpJsonError where the body is no JSON
   */
  getJson<T = unknown>(url: string | URL, options?: WithoutBody): Promise<T> {
    return this.#json<T>('GET', url, options ?? none);
  }

  /**
   * Sends a value as JSON and gets JSON, or undefined where the answer has no body.
   *
   * @throws HttpStatusError where the status is not 2xx, HttpJsonError where the body is no JSON
   */
  sendJson<T = unknown>(
    method: string,
    url: string | URL,
    value: unknown,
    options?: WithoutBody,
  ): Promise<T> {
    const headers = { 'content-type': 'application/json', ...options?.headers };
    return this.#json<T>(method, url, { ...options, headers, body: JSON.stringify(value) });
  }

  /** {@link sendJson} by POST. */
  postJson<T = unknown>(url: string | URL, value: unknown, options?: WithoutBody): Promise<T> {
    return this.sendJson<T>('POST', url, value, options);
  }

  /** {@link sendJson} by PUT. */
  putJson<T = unknown>(url: string | URL, value: unknown, options?: WithoutBody): Promise<T> {
    return this.sendJson<T>('PUT', url, value, options);
  }

  async #json<T>(method: string, url: string | URL, options: Options): Promise<T> {
    const headers = { accept: 'application/json', ...options.headers };
    const response = await this.request(url, { ...options, method, headers });
    if (!response.ok) {
      const { origin } = new URL(url, this.#engine.settled.baseUrl);
      throw new HttpStatusError(this.name, method.toUpperCase(), origin, response.status, response);
    }
    return response.body.length === 0 && method !== 'GET' ? (undefined as T) : response.json<T>();
  }

  /** Counters and sizes, as documented at {@link HttpClientStats}. */
  stats(): HttpClientStats {
    return this.#stats();
  }

  /**
   * Takes no more calls, waits for those under way, closes the connections and takes the client out of the statistics.
   *
   * @returns how many calls, and refreshes of the cache, were ended under way
   */
  close({ timeoutMs = 10_000 }: CloseHttpClientOptions = {}): Promise<{ readonly aborted: number }> {
    this.#closing ??= this.#close(delayMs('timeoutMs', timeoutMs));
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<{ readonly aborted: number }> {
    const engine = this.#engine;
    // At once where nothing is under way.
    if (engine.active > 0)
      await within(
        () => engine.idle(),
        timeoutMs,
        () => undefined,
      ).catch(() => {});
    const aborted = engine.active;
    await this.#end();
    return { aborted };
  }

  /** Ends all calls under way, which fail with `HttpClientClosedError`, and closes the connections. */
  async destroy(): Promise<void> {
    const aborted = this.#engine.active;
    this.#closing ??= Promise.resolve({ aborted });
    await this.#end();
  }

  async #end(): Promise<void> {
    await this.#engine.destroy();
    this.#cache?.store.clear();
    this.#unregister();
  }
}
