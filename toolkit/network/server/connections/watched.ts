/** Something whose connections are watched. */
export interface Watched {
  /** Idle connections, where it tells; else those that carry no request. */
  idle?(): number;
  /** Requests that wait for a connection. */
  pending?(): number;
  stop(): void;
}
