import type { Readable } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import type { SettledBudget } from './retry-budget';

/** Limits of time, each in milliseconds; `Infinity` for none. */
export interface HttpTimeouts {
  /** Opening a connection, the TLS handshake included. @default 5000 */
  readonly connectMs?: number;
  /** From the request being sent to the headers of the answer; undici looks about once a second. @default 15000 */
  readonly headersMs?: number;
  /** Between two pieces of the body; looked at as seldom. @default 15000 */
  readonly bodyMs?: number;
  /** The whole call: waiting for a connection, all attempts and their delays, the body and its decoding. @default 30000 */
  readonly totalMs?: number;
}

/** Limits of the connections to one origin. */
export interface HttpConnectionOptions {
  /** Connections to one origin. @default 10 */
  readonly perOrigin?: number;
  /** Requests sent over one connection of HTTP/1.1 before the first is answered. @default 1: no pipelining */
  readonly pipelining?: number;
  /** Whether HTTP/2 is taken where the server offers it by ALPN; with undici 6 it never is. @default true */
  readonly http2?: boolean;
  /** Requests at once over one connection of HTTP/2, as far as the server lets it. @default 100 */
  readonly maxStreams?: number;
  /** Requests that may wait for a connection to one origin; the next fails. @default 10000 */
  readonly maxQueue?: number;
  /** Origins that are connected to; past it those go whose last use is longest ago and that nothing uses. @default 100 */
  readonly maxOrigins?: number;
  /** How long an idle connection is kept, unless the server says less, in milliseconds. @default 4000 */
  readonly keepAliveMs?: number;
  /** Options of TLS, such as `ca`, `cert` and `key`. */
  readonly tls?: ConnectionOptions;
}

/** How many retries there may be for one origin: `burst + ratio * requests + minPerSecond * seconds` at most. */
export interface RetryBudgetOptions {
  /** Retries per request, at most. @default 0.2 */
  readonly ratio?: number;
  /** Retries a second that there may always be. @default 1 */
  readonly minPerSecond?: number;
  /** Retries that may come at once, and most that are saved up. @default 10 */
  readonly burst?: number;
}

/** When and how a request is made again. */
export interface HttpRetryOptions {
  /** Attempts of one call, the first included. @default 3 */
  readonly maxAttempts?: number;
  /** Methods that may be repeated. @default GET, HEAD, OPTIONS, TRACE, PUT and DELETE */
  readonly methods?: readonly string[];
  /** Status codes after which it is made again. @default 408, 429, 502, 503 and 504 */
  readonly statuses?: readonly number[];
  /** The n-th delay is random up to `baseDelayMs * 2^(n-1)` (full jitter) … @default 100 */
  readonly baseDelayMs?: number;
  /** … and up to this. @default 5000 */
  readonly maxDelayMs?: number;
  /** A `Retry-After` is waited for up to this, in milliseconds; where it asks for more, the answer is given to the caller. @default 30000 */
  readonly maxRetryAfterMs?: number;
  /** What bounds all retries together. */
  readonly budget?: RetryBudgetOptions;
}

/** The cache of responses, per RFC 9111. */
export interface HttpCacheOptions {
  /**
   * `true`: for all users of this process; what is for one user alone is not stored (`private`, answers to requests
   * with Authorization that do not say they may be, answers that set cookies). `false`: that is stored too, apart for
   * each value of Authorization and Cookie. @default true
   */
  readonly shared?: boolean;
  /** Most responses held. @default 1000 */
  readonly maxEntries?: number;
  /** Most bytes held, bodies and headers. @default 33554432 */
  readonly maxBytes?: number;
  /** Larger bodies are not stored. @default an eighth of `maxBytes` */
  readonly maxEntryBytes?: number;
  /**
   * Where the answer has no time but a Last-Modified: for what share of its age it is taken to be fresh.
   * @default 0: such answers are revalidated each time
   */
  readonly heuristic?: number;
}

/** Header fields by name. */
export type HttpHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Options of an `HttpClient`. */
export interface HttpClientOptions {
  /** Names the client in statistics, metrics, findings and errors. */
  readonly name: string;
  /** Against which URLs of calls are resolved. @default none: calls need absolute URLs */
  readonly baseUrl?: string | URL;
  /** Sent with each request, unless the call has its own. @default none */
  readonly headers?: HttpHeaders;
  readonly timeouts?: HttpTimeouts;
  readonly connections?: HttpConnectionOptions;
  /** @default as documented at {@link HttpRetryOptions}; `false`: nothing is repeated */
  readonly retry?: HttpRetryOptions | false;
  /** @default none is kept; `true`: as documented at {@link HttpCacheOptions} */
  readonly cache?: HttpCacheOptions | boolean;
  /** Whether encoded bodies are asked for and decoded. @default true */
  readonly decode?: boolean;
  /** Most bytes of a body, as it comes and decoded. @default 16777216 */
  readonly maxBodyBytes?: number;
  /** Milliseconds of a clock that never goes back. @default performance.now */
  readonly clock?: () => number;
  /** Milliseconds since 1970, for the cache and dates in `Retry-After`. @default Date.now */
  readonly wallClock?: () => number;
  /** From 0 to below 1, for the delays. @default Math.random */
  readonly random?: () => number;
}

/** What is sent; a stream can be sent once, so that such a request is not repeated. */
export type HttpRequestBody = string | Uint8Array | Readable;

/** Options of one call. */
export interface HttpRequestOptions {
  /** @default 'GET' */
  readonly method?: string;
  readonly headers?: HttpHeaders;
  readonly body?: HttpRequestBody;
  /** Ends the call with `HttpAbortedError`. */
  readonly signal?: AbortSignal;
  /** Instead of the client's; `connectMs` is the client's alone. */
  readonly timeouts?: Omit<HttpTimeouts, 'connectMs'>;
  /** Whether it may be repeated. @default by its method */
  readonly idempotent?: boolean;
  /** `false`: the cache is neither read nor written. @default as the client has it */
  readonly cache?: boolean;
  /** Instead of the client's. */
  readonly maxBodyBytes?: number;
}

export interface SettledTimeouts {
  readonly connectMs: number;
  readonly headersMs: number;
  readonly bodyMs: number;
  readonly totalMs: number;
}

export interface SettledConnections {
  readonly perOrigin: number;
  readonly pipelining: number;
  readonly http2: boolean;
  readonly maxStreams: number;
  readonly maxQueue: number;
  readonly maxOrigins: number;
  readonly keepAliveMs: number;
  readonly tls: ConnectionOptions;
}

export interface SettledRetry {
  readonly maxAttempts: number;
  readonly methods: ReadonlySet<string>;
  readonly statuses: ReadonlySet<number>;
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  readonly maxRetryAfterMs: number;
  readonly budget: SettledBudget;
}

export interface SettledCache {
  readonly shared: boolean;
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly maxEntryBytes: number;
  readonly heuristic: number;
}

export interface SettledClientOptions {
  readonly name: string;
  readonly baseUrl: URL | undefined;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly timeouts: SettledTimeouts;
  readonly connections: SettledConnections;
  readonly retry: SettledRetry;
  readonly cache: SettledCache | undefined;
  readonly decode: boolean;
  readonly maxBodyBytes: number;
  readonly now: () => number;
  readonly wallNow: () => number;
  readonly random: () => number;
}
