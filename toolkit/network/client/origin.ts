import type { Attempt } from './attempt';
import { Connection, ConnectionBooks } from './books';
import type { SettledClientOptions } from './options';
import { RetryBudget } from './retry-budget';
import type { OriginView } from './stats';
import type { Connector, Undici, UndiciClient, UndiciHandler, UndiciPool, UndiciRequest } from './undici';

/** A client of undici's, which has one connection at a time. */
export interface Slot {
  connection: Connection | undefined;
}

/** undici has 0 for no limit. */
export const undiciLimit = (ms: number): number => (ms === Infinity ? 0 : Math.ceil(ms));

/** The connections to one origin: a pool of undici's whose clients note what they open, carry and close. */
export class Origin {
  readonly books: ConnectionBooks;
  readonly budget: RetryBudget;
  /** What statistics read, which leads to no connection. */
  readonly view: OriginView;
  /** Calls that use it, those included that wait to be repeated. */
  users = 0;
  /** Rises with each use. */
  usedAt = 0;
  readonly #pool: UndiciPool;

  constructor(
    undici: Undici,
    readonly origin: string,
    options: SettledClientOptions,
    whole: ConnectionBooks,
  ) {
    const limit = options.connections.perOrigin;
    this.books = new ConnectionBooks(whole);
    this.budget = new RetryBudget(options.retry.budget, options.now);
    const { books, budget } = this;
    this.view = { origin, books, budget, limit, retriesRefused: 0 };
    this.#pool = new undici.Pool(origin, {
      connections: limit,
      factory: clientFactory(undici, options, this.books),
    });
  }

  get idle(): boolean {
    return this.users === 0 && this.books.pending === 0 && this.books.inUse === 0;
  }

  dispatch(request: UndiciRequest, attempt: Attempt): void {
    this.books.add('pending');
    this.#pool.dispatch(request, attempt);
  }

  /** What undici says of the pool, for tests of the books. */
  get poolStats(): UndiciPool['stats'] {
    return this.#pool.stats;
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  destroy(error: Error): Promise<void> {
    return this.#pool.destroy(error);
  }
}

function clientFactory(
  undici: Undici,
  { connections, timeouts }: SettledClientOptions,
  books: ConnectionBooks,
): (origin: URL) => UndiciClient {
  const { pipelining, maxStreams, keepAliveMs, tls } = connections;
  // undici 6 mixes up the answers of streams that run at once.
  const http2 = connections.http2 && undici.cacheStores !== undefined;
  // One for all connections, since it keeps the sessions of TLS.
  const open = undici.buildConnector({
    ...tls,
    allowH2: http2,
    timeout: undiciLimit(timeouts.connectMs),
  });
  class TrackedClient extends undici.Client {
    readonly slot: Slot = { connection: undefined };

    constructor(origin: URL) {
      const connect: Connector = (target, done) =>
        open(target, (error, socket) => {
          if (error !== null || socket === null) {
            books.add('failed');
            done(error, null);
            return;
          }
          const connection = new Connection(books);
          this.slot.connection = connection;
          socket.once('close', () => connection.close());
          const most = (socket as { alpnProtocol?: unknown }).alpnProtocol === 'h2' ? maxStreams : pipelining;
          if (this.pipelining !== most) this.pipelining = most;
          done(null, socket);
        });
      super(origin, {
        connect,
        pipelining,
        keepAliveTimeout: keepAliveMs,
        allowH2: http2,
        maxConcurrentStreams: maxStreams,
      });
    }

    override dispatch(request: UndiciRequest, handler: UndiciHandler): boolean {
      (handler as Attempt).slot = this.slot;
      return super.dispatch(request, handler);
    }
  }
  return origin => new TrackedClient(origin);
}
