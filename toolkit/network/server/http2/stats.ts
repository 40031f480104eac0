/** The registered kind of an HTTP/2 server and the layout of {@link Http2ServerStats}, for who reads the registry. */
export const http2Source = { kind: 'http2_server', layout: 1 } as const;

/** What a session did too often: `invalid_frames` has empty DATA frames and streams past the limit too. */
export const floodKinds = ['resets', 'settings', 'pings', 'invalid_frames'] as const;
export type FloodKind = (typeof floodKinds)[number];

/**
 * Statistics of an HTTP/2 server since it was made: `sessions.opened = sessions.closed + sessions.open`, and the same
 * for streams.
 *
 * Streams past `maxConcurrentStreams` are refused by Node.js before anybody is told of them, and are in no count but
 * that of sessions which insisted.
 */
export interface Http2ServerStats {
  readonly sessions: {
    readonly opened: number;
    readonly closed: number;
    readonly open: number;
    /** Connections that were not accepted, because there were `maxSessions`. */
    readonly refused: number;
    /** Ended because they were idle. */
    readonly idled: number;
    /** Ended as hostile, by what they did too often. */
    readonly flooded: Readonly<Record<FloodKind, number>>;
    /** Ended by another error of the protocol or the connection. */
    readonly failed: number;
  };
  readonly streams: {
    readonly opened: number;
    readonly closed: number;
    readonly open: number;
    /** Refused because there were `maxStreams`, or the server was closing. They are in `opened` and `closed` too. */
    readonly refused: number;
  };
  /** Streams that ended by RST_STREAM or with their session, by who ended them. */
  readonly resets: { readonly received: number; readonly sent: number };
  /** Requests of clients that have only HTTP/1.1. */
  readonly http1Requests: number;
}

/** The numbers behind {@link Http2ServerStats}. */
export class Http2Counters {
  readonly sessions = { opened: 0, closed: 0, refused: 0, idled: 0, failed: 0 };
  readonly flooded: Record<FloodKind, number> = { resets: 0, settings: 0, pings: 0, invalid_frames: 0 };
  readonly streams = { opened: 0, closed: 0, refused: 0 };
  readonly resets = { received: 0, sent: 0 };
  http1Requests = 0;

  snapshot(): Http2ServerStats {
    const { sessions, streams } = this;
    return {
      sessions: { ...sessions, open: sessions.opened - sessions.closed, flooded: { ...this.flooded } },
      streams: { ...streams, open: streams.opened - streams.closed },
      resets: { ...this.resets },
      http1Requests: this.http1Requests,
    };
  }
}
