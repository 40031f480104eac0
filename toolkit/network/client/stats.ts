import { FixedHistogram, type HistogramSnapshot } from '../../histogram';
import { ConnectionBooks, type HttpConnectionStats } from './books';

/** The registered kind of an HTTP client and the layout of {@link HttpClientStats}, for who reads the registry. */
export const httpClientSource = { kind: 'http_client', layout: 1 } as const;

/** How a call ended: with an answer by its status, or as its error says. */
export type HttpOutcome =
  | 'ok'
  | 'client_error'
  | 'server_error'
  | 'timeout'
  | 'connection'
  | 'aborted'
  | 'body'
  | 'refused';

/** All outcomes; `ok` is any status below 400, `body` one too large or not to be decoded, `refused` a call that was not made. */
export const httpOutcomes = [
  'ok',
  'client_error',
  'server_error',
  'timeout',
  'connection',
  'aborted',
  'body',
  'refused',
] as const satisfies readonly HttpOutcome[];

/** What the cache had to do with a call. */
export type HttpCacheResult = 'hit' | 'miss' | 'revalidated' | 'stale' | 'coalesced' | 'bypassed';

/**
 * All of them: fresh in the cache; asked for; asked for and still the same; past its time, as the answer allows
 * (stale-while-revalidate and stale-if-error); shared with a call for the same that was under way; not for the cache.
 */
export const httpCacheResults = [
  'hit',
  'miss',
  'revalidated',
  'stale',
  'coalesced',
  'bypassed',
] as const satisfies readonly HttpCacheResult[];

/** The cache of responses. */
export interface HttpCacheStats {
  /** Calls by what the cache had to do with them; their sum is the calls that have ended. */
  readonly results: Readonly<Record<HttpCacheResult, number>>;
  readonly stored: number;
  readonly entries: number;
  readonly limit: number;
  readonly bytes: number;
  readonly byteLimit: number;
  /** Entries that left because there was no room. */
  readonly evicted: number;
  /** Entries that left because a call may have changed what they are of. */
  readonly invalidated: number;
}

/** Connections to one origin, and the tokens of its retry budget. */
export interface HttpOriginStats extends HttpConnectionStats {
  readonly origin: string;
  /** Most connections. */
  readonly limit: number;
  /** Retries that the budget has refused. */
  readonly retriesRefused: number;
  readonly retryTokens: number;
}

/**
 * Statistics of a client since it was made. At any moment:
 *
 * - `calls = inFlight + the sum of outcomes`, and the sum of outcomes is `duration.count`
 * - `attempts = exchanges + retries = attemptsInFlight + answered + failed + abandoned`
 * - `retries <= origins * burst + ratio * exchanges + minPerSecond * seconds * origins`
 * - of connections what {@link HttpConnectionStats} says
 */
export interface HttpClientStats {
  readonly calls: number;
  readonly inFlight: number;
  readonly outcomes: Readonly<Record<HttpOutcome, number>>;
  /** Requests with their repetitions: of calls that the cache did not answer, and of revalidations in the background. */
  readonly exchanges: number;
  readonly attempts: number;
  readonly attemptsInFlight: number;
  /** Attempts that ended with a whole answer, whatever its status; without one; given up by this side. */
  readonly answered: number;
  readonly failed: number;
  readonly abandoned: number;
  readonly retries: number;
  /** Retries that the budget has refused; the caller got what there was. */
  readonly retriesRefused: number;
  /** Absent where there is no cache. */
  readonly cache?: HttpCacheStats;
  readonly connections: HttpConnectionStats;
  /** Of the origins that are connected to. */
  readonly origins: readonly HttpOriginStats[];
  /** Bytes of bodies as they came. */
  readonly bodyBytes: number;
  /** Bytes of the bodies that were decoded, before and after. */
  readonly decoding: { readonly input: number; readonly output: number };
  /** Time of calls, in seconds. */
  readonly duration: HistogramSnapshot;
}

/** Bucket bounds of calls, in seconds: from a hit of the cache to a total of 30 s and more. */
export const callTimeBounds = [
  1e-5, 1e-4, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

/** What of an origin is shown. */
export interface OriginView {
  readonly origin: string;
  readonly books: ConnectionBooks;
  readonly limit: number;
  readonly budget: { readonly tokens: number };
  retriesRefused: number;
}

/** The counters behind {@link HttpClientStats}: plain numbers, and nothing that leads to the client. */
export class ClientCounters {
  calls = 0;
  exchanges = 0;
  attempts = 0;
  answered = 0;
  failed = 0;
  abandoned = 0;
  retries = 0;
  retriesRefused = 0;
  bodyBytes = 0;
  decodingInput = 0;
  decodingOutput = 0;
  readonly outcomes = zeros(httpOutcomes);
  readonly results = zeros(httpCacheResults);
  readonly connections = new ConnectionBooks();
  readonly origins = new Map<string, OriginView>();
  readonly duration = new FixedHistogram(callTimeBounds);

  snapshot(cache: Omit<HttpCacheStats, 'results'> | undefined): HttpClientStats {
    const { answered, failed, abandoned, attempts } = this;
    const outcomes = { ...this.outcomes };
    let ended = 0;
    for (const outcome of httpOutcomes) ended += outcomes[outcome];
    return {
      calls: this.calls,
      inFlight: this.calls - ended,
      outcomes,
      exchanges: this.exchanges,
      attempts,
      attemptsInFlight: attempts - answered - failed - abandoned,
      answered,
      failed,
      abandoned,
      retries: this.retries,
      retriesRefused: this.retriesRefused,
      ...(cache && { cache: { results: { ...this.results }, ...cache } }),
      connections: this.connections.snapshot(),
      origins: Array.from(this.origins.values(), ({ origin, books, limit, retriesRefused, budget }) => ({
        origin,
        ...books.snapshot(),
        limit,
        retriesRefused,
        retryTokens: budget.tokens,
      })),
      bodyBytes: this.bodyBytes,
      decoding: { input: this.decodingInput, output: this.decodingOutput },
      duration: this.duration.snapshot(),
    };
  }
}

function zeros<Name extends string>(names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map(name => [name, 0])) as Record<Name, number>;
}
