/** The registered kind of a connection monitor and the layout of {@link ConnectionPoolStats}, for who reads the registry. */
export const connectionPoolSource = { kind: 'http_connections', layout: 1 } as const;

/**
 * Connections of what a monitor watches, since it does:
 *
 * - `created = closed + open`
 * - `open = idle + active`
 * - `requests = reused +` the connections that have carried at least one
 */
export interface ConnectionPoolStats {
  /** Connections that were made, TLS included. */
  readonly created: number;
  readonly closed: number;
  readonly open: number;
  /** Open, without a request under way. */
  readonly idle: number;
  readonly active: number;
  /** Requests that were sent or received over them. */
  readonly requests: number;
  /** Requests over a connection that had carried one before. */
  readonly reused: number;
  /** Attempts to connect that failed; of clients of `node:http` only. */
  readonly failed: number;
  /** Requests that wait for a connection now; of clients of `node:http` only. */
  readonly pending: number;
}
