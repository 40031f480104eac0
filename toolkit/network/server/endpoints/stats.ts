/** The registered kind of an endpoint and the layout of {@link EndpointStats}, for who reads the registry. */
export const endpointSource = { kind: 'http_endpoint', layout: 1 } as const;

/** How a request failed. */
export const errorClasses = ['client_error', 'server_error', 'aborted'] as const;

/**
 * How a request failed: with 4xx, with 5xx (or an error that was recorded), or because the client went away before the
 * answer was complete.
 */
export type ErrorClass = (typeof errorClasses)[number];

/** Times, in milliseconds. Percentiles are right to within a bucket, which is a tenth of the value wide. */
export interface Times {
  readonly count: number;
  readonly minMs: number;
  readonly meanMs: number;
  readonly maxMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

/** Statistics of an endpoint since the analyzer was made, but for `recent`. */
export interface EndpointStats extends Times {
  /** Method and route, such as `GET /users/:id`; `_OTHER` holds what is past `maxEndpoints`. */
  readonly endpoint: string;
  readonly errors: Readonly<Record<ErrorClass, number>>;
  /** Requests that took `slowMs` or longer. */
  readonly slow: number;
  readonly slowMs: number;
  /** Of the last one to two minutes. */
  readonly recent: Times;
  /** When it was last asked for, in milliseconds since 1970. */
  readonly lastAt: number;
}
