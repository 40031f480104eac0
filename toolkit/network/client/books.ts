/** Connections, exact at any moment: `opened = open + closed` and `open = idle + inUse`. */
export interface HttpConnectionStats {
  readonly opened: number;
  readonly closed: number;
  /** Connections that could not be opened. */
  readonly failed: number;
  readonly open: number;
  /** Open ones that carry no request. */
  readonly idle: number;
  readonly inUse: number;
  /** Requests that wait for a connection, or for one that is being opened. */
  readonly pending: number;
  /** Requests that were sent. */
  readonly sent: number;
  /** Those of them sent over a connection that had carried one before. */
  readonly reused: number;
}

/** The counters behind {@link HttpConnectionStats}, of an origin, and by `whole` of all of the client. */
export class ConnectionBooks {
  opened = 0;
  closed = 0;
  failed = 0;
  inUse = 0;
  pending = 0;
  sent = 0;
  reused = 0;

  constructor(readonly whole?: ConnectionBooks) {}

  add(what: 'opened' | 'closed' | 'failed' | 'inUse' | 'pending' | 'sent' | 'reused', count = 1): void {
    this[what] += count;
    if (this.whole !== undefined) this.whole[what] += count;
  }

  snapshot(): HttpConnectionStats {
    const { opened, closed, failed, inUse, pending, sent, reused } = this;
    const open = opened - closed;
    return { opened, closed, failed, open, idle: open - inUse, inUse, pending, sent, reused };
  }
}

/** One connection: how many requests run on it, and whether it had one before. */
export class Connection {
  running = 0;
  carried = false;
  closed = false;

  constructor(readonly books: ConnectionBooks) {
    books.add('opened');
  }

  take(): void {
    const { books } = this;
    if (this.running++ === 0) books.add('inUse');
    books.add('sent');
    if (this.carried) books.add('reused');
    this.carried = true;
  }

  leave(): void {
    // Once it is closed, what ran on it waits for undici to fail it or to send it again.
    if (this.closed) this.books.add('pending', -1);
    else if (--this.running === 0) this.books.add('inUse', -1);
  }

  close(): void {
    const { books, running } = this;
    this.closed = true;
    books.add('closed');
    if (running === 0) return;
    books.add('inUse', -1);
    books.add('pending', running);
    this.running = 0;
  }
}
