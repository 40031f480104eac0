import type { ServerResponse } from 'node:http';
import { positiveInteger } from '../options';
import { DoubleReleaseError } from './errors';
import { HttpResponse } from './http-response';
import { type CommonPoolOptions, ledgerOf, runThen } from './ledger';
import { ObjectPool } from './object-pool';
import type { PoolStats } from './stats';

/** Options of {@link HttpResponsePool}. */
export interface HttpResponsePoolOptions extends CommonPoolOptions {
  /** Most responses there may be, idle and in use. @default Infinity */
  readonly max?: number;
  /** Most responses kept idle. @default max, and at most 1024 */
  readonly maxIdle?: number;
  /** Bytes a new response has for its body. @default 1024 */
  readonly initialBodyBytes?: number;
  /** A response whose body grew past this gets new memory when it is released. @default 65536 */
  readonly maxBodyBytes?: number;
  /** Whether to measure how long each response is used. @default false */
  readonly timeUse?: boolean;
}

/** A pool of responses whose headers and body memory are used again. */
export class HttpResponsePool {
  readonly name: string;
  readonly #pool: ObjectPool<HttpResponse>;
  /** Those that Node.js still needs; they are given back by their exchange and by nobody else. */
  readonly #sending = new WeakSet<HttpResponse>();

  /** @throws TypeError when an option is not as documented */
  constructor({ initialBodyBytes = 1024, maxBodyBytes = 65_536, ...options }: HttpResponsePoolOptions) {
    positiveInteger('initialBodyBytes', initialBodyBytes);
    positiveInteger('maxBodyBytes', maxBodyBytes);
    if (initialBodyBytes > maxBodyBytes) {
      throw new TypeError(
        `Expected initialBodyBytes to be at most maxBodyBytes (${maxBodyBytes}), got ${initialBodyBytes}`,
      );
    }
    this.#pool = new ObjectPool<HttpResponse>(
      {
        ...options,
        create: () => new HttpResponse(initialBodyBytes),
        reset: response => response.reset(maxBodyBytes),
      },
      'http_response',
    );
    this.name = this.#pool.name;
  }

  /**
   * An empty response.
   *
   * @throws PoolExhaustedError, PoolClosedError
   */
  acquire(): HttpResponse {
    const response = this.#pool.acquire();
    response.timestamp = Date.now();
    return response;
  }

  /**
   * Gives a response back; its body must not be read any more.
   *
   * @throws DoubleReleaseError, ForeignObjectError
   */
  release(response: HttpResponse): void {
    if (this.#sending.has(response)) throw new DoubleReleaseError(this.name);
    this.#pool.release(response);
  }

  /**
   * Sends a response over HTTP and gives it back once Node.js does not need its memory any more: when the exchange
   * has ended, sent or broken off. `content-length` is added. From then on the response is the pool's.
   *
   * @throws DoubleReleaseError, ForeignObjectError; what Node.js throws for headers that are not allowed
   */
  send(response: HttpResponse, to: ServerResponse): void {
    if (this.#sending.has(response)) throw new DoubleReleaseError(this.name);
    this.#pool[ledgerOf].assertUsed(response);
    // Node.js has nothing more to tell of an exchange that is over.
    if (to.destroyed || to.closed) {
      this.release(response);
      return;
    }
    const release = (): void => {
      this.#sending.delete(response);
      this.#pool.release(response);
    };
    this.#sending.add(response);
    to.once('close', release);
    try {
      const { body, headers, statusCode } = response;
      to.statusCode = statusCode;
      for (const [name, value] of headers) to.setHeader(name, value);
      to.setHeader('content-length', body.length);
      to.end(body);
    } catch (error) {
      to.removeListener('close', release);
      release();
      throw error;
    }
  }

  /**
   * Runs `fn` with a response and gives it back when `fn` has returned, thrown, or its promise has settled; one that `fn`
   * has sent goes back when it is sent.
   */
  use<R>(fn: (response: HttpResponse) => R): R {
    const response = this.acquire();
    const ledger = this.#pool[ledgerOf];
    const lending = ledger.lendingOf(response);
    return runThen(
      () => fn(response),
      () => {
        if (!this.#sending.has(response) && ledger.isStillLent(response, lending)) this.release(response);
      },
    );
  }

  /** Lets the idle responses go. */
  clear(): void {
    this.#pool.clear();
  }

  /** Counters and sizes, as documented at {@link PoolStats}. */
  stats(): PoolStats {
    return this.#pool.stats();
  }

  /** Lets the idle responses go and takes the pool out of the statistics. */
  close(): void {
    this.#pool.close();
  }
}
