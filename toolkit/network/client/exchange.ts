import { Readable } from 'node:stream';
import { Attempt, type AttemptOwner, type BodySink } from './attempt';
import { BodyStream } from './body-stream';
import { decode, encodingsOf, isTooLarge } from './decoding';
import type { Engine } from './engine';
import {
  HttpAbortedError,
  HttpBodyTooLargeError,
  type HttpCallFacts,
  HttpDecodingError,
  type HttpPhase,
  HttpQueueFullError,
  HttpTimeoutError,
} from './errors';
import { failureOf } from './failures';
import type { Headers } from './headers';
import type { Origin } from './origin';
import { undiciLimit } from './origin';
import type { Call } from './request';
import { delayOf, isPassing, retryAfterMs } from './retry';

/** What came back, decoded. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
  readonly attempts: number;
  /** Instead of `body`, where the caller wants it as it comes. */
  readonly stream?: Readable;
}

type Done = (error: Error | undefined, answer: Answer | undefined) => void;

const emptyBody = Buffer.alloc(0);

/** One request over the network, with its repetitions, within its time. */
export class Exchange implements AttemptOwner {
  attempts = 0;
  #origin: Origin | undefined;
  #attempt: Attempt | undefined;
  #stream: BodyStream | undefined;
  #phase: HttpPhase = 'retry delay';
  #deadline: NodeJS.Timeout | undefined;
  #delay: NodeJS.Timeout | undefined;
  #endsAt = Infinity;
  #ended = false;

  constructor(
    private readonly engine: Engine,
    private readonly call: Call,
    private readonly headers: Headers,
    /** What is left of the call's time. */
    private readonly totalMs: number,
    /** Whether the body is given as a stream. */
    private readonly streams: boolean,
    private readonly done: Done,
  ) {}

  get facts(): HttpCallFacts {
    const { method, origin } = this.call;
    return { client: this.engine.settled.name, method, origin, attempts: this.attempts };
  }

  start(): void {
    const { engine, call, totalMs } = this;
    engine.enter();
    if (call.signal?.aborted) {
      this.handleEvent();
      return;
    }
    try {
      this.#origin = engine.origins.use(call.origin, () => this.facts);
    } catch (error) {
      this.fail(error as Error);
      return;
    }
    if (this.#refusesMore()) return;
    this.#origin.budget.deposit();
    engine.counters.exchanges++;
    if (totalMs !== Infinity) {
      this.#endsAt = engine.settled.now() + totalMs;
      this.#deadline = setTimeout(onDeadline, totalMs, this);
    }
    call.signal?.addEventListener('abort', this);
    this.#try();
  }

  #refusesMore(): boolean {
    const { maxQueue } = this.engine.settled.connections;
    if (this.#origin!.books.pending < maxQueue) return false;
    this.fail(new HttpQueueFullError(this.facts, maxQueue));
    return true;
  }

  #try(): void {
    const { engine, call } = this;
    this.attempts++;
    engine.counters.attempts++;
    const attempt = new Attempt(this, this.#origin!, engine.undici.util.parseHeaders);
    this.#attempt = attempt;
    this.#origin!.dispatch(
      {
        path: call.path,
        method: call.method,
        headers: this.headers,
        body: sentBody(call),
        headersTimeout: undiciLimit(call.timeouts.headersMs),
        bodyTimeout: undiciLimit(call.timeouts.bodyMs),
      },
      attempt,
    );
  }

  onHead(attempt: Attempt): BodySink | undefined {
    if (!this.streams || (this.engine.settled.retry.statuses.has(attempt.status) && this.#mayRepeat())) {
      return undefined;
    }
    const { call, engine } = this;
    const encodings = engine.settled.decode ? encodingsOf(attempt.headers['content-encoding']) : undefined;
    const stream = new BodyStream(this, attempt, encodings, call.maxBodyBytes);
    this.#stream = stream;
    this.done(undefined, {
      status: attempt.status,
      headers: encodings === undefined ? attempt.headers : withoutEncoding(attempt.headers),
      body: emptyBody,
      attempts: this.attempts,
      stream: stream.readable,
    });
    return stream;
  }

  /** Tells how reading the stream ended. */
  whenEnded(listener: (error: Error | undefined) => void): void {
    if (this.#stream === undefined || this.#ended) listener(undefined);
    else this.#stream.ended = listener;
  }

  onSize(bytes: number): void {
    const { maxBodyBytes } = this.call;
    if (bytes > maxBodyBytes) this.fail(new HttpBodyTooLargeError(this.facts, maxBodyBytes, false));
  }

  onAnswer(attempt: Attempt): void {
    const { engine } = this;
    engine.counters.answered++;
    this.#attemptEnded();
    // Its end comes when the reader has had it all.
    if (this.#stream !== undefined) return;
    const { settled } = engine;
    if (
      settled.retry.statuses.has(attempt.status) &&
      this.#repeats(retryAfterMs(attempt.headers, settled.wallNow))
    ) {
      return;
    }
    const encodings =
      settled.decode && attempt.bytes > 0 ? encodingsOf(attempt.headers['content-encoding']) : undefined;
    if (encodings === undefined) {
      this.#answer(attempt.status, attempt.headers, attempt.body());
      return;
    }
    this.#phase = 'decoding';
    decode(attempt.body(), encodings, this.call.maxBodyBytes, (error, decoded) => {
      if (this.#ended) return;
      if (error !== null) {
        this.fail(this.decodingFailed(error, attempt));
        return;
      }
      this.decoded(attempt.bytes, decoded.length);
      this.#answer(attempt.status, withoutEncoding(attempt.headers), decoded);
    });
  }

  decoded(input: number, output: number): void {
    const { counters } = this.engine;
    counters.decodingInput += input;
    counters.decodingOutput += output;
  }

  decodingFailed(cause: Error, { headers }: Attempt): Error {
    return isTooLarge(cause)
      ? new HttpBodyTooLargeError(this.facts, this.call.maxBodyBytes, true)
      : new HttpDecodingError(this.facts, String(headers['content-encoding']), { cause });
  }

  onFailure(cause: Error): void {
    const phase = this.#attempt!.phase;
    this.engine.counters.failed++;
    this.#attemptEnded();
    if (this.#stream === undefined && isPassing(cause) && this.#repeats(undefined)) return;
    this.fail(failureOf(cause, this.facts, this.call.timeouts, phase, this.engine.destroyed));
  }

  #attemptEnded(): void {
    this.engine.counters.bodyBytes += this.#attempt!.bytes;
    this.#attempt = undefined;
  }

  #mayRepeat(): boolean {
    return (
      this.call.retryable && this.attempts < this.engine.settled.retry.maxAttempts && !this.engine.destroyed
    );
  }

  /** Whether there will be another attempt, which waits for its delay then. */
  #repeats(askedMs: number | undefined): boolean {
    const { engine } = this;
    const { retry, random, now } = engine.settled;
    if (!this.#mayRepeat() || (askedMs !== undefined && askedMs > retry.maxRetryAfterMs)) return false;
    const delay = delayOf(retry, this.attempts, askedMs, random);
    if (now() + delay >= this.#endsAt) return false;
    const origin = this.#origin!;
    if (!origin.budget.withdraw()) {
      engine.counters.retriesRefused++;
      origin.view.retriesRefused++;
      return false;
    }
    this.#phase = 'retry delay';
    engine.delayed.add(this);
    this.#delay = setTimeout(() => {
      engine.delayed.delete(this);
      if (this.#refusesMore()) return;
      engine.counters.retries++;
      this.#try();
    }, delay);
    return true;
  }

  #answer(status: number, headers: Headers, body: Buffer): void {
    const { attempts } = this;
    if (!this.streams) this.end(undefined, { status, headers, body, attempts });
    else {
      const stream = Readable.from(body.length === 0 ? [] : [body], { objectMode: false });
      this.end(undefined, { status, headers, body: emptyBody, attempts, stream });
    }
  }

  /** The caller's signal. */
  handleEvent(): void {
    this.fail(new HttpAbortedError(this.facts, { cause: this.call.signal!.reason }));
  }

  onDeadline(): void {
    const phase = this.#attempt?.phase ?? (this.#stream ? 'body' : this.#phase);
    // Of the whole call, of which this may be the rest.
    this.fail(new HttpTimeoutError(this.facts, 'total', this.call.timeouts.totalMs, phase));
  }

  fail(error: Error): void {
    if (this.#ended) return;
    const stream = this.#stream;
    if (this.#attempt !== undefined) {
      this.engine.counters.abandoned++;
      const attempt = this.#attempt;
      this.#attemptEnded();
      attempt.abandon(error);
    }
    this.end(error, undefined);
    stream?.fail(error);
  }

  /** The end, with what the caller gets; of a stream, with whether it was read to its end. */
  end(error: Error | undefined, answer: Answer | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    const { engine, call } = this;
    clearTimeout(this.#deadline);
    if (this.#delay !== undefined) {
      clearTimeout(this.#delay);
      engine.delayed.delete(this);
    }
    call.signal?.removeEventListener('abort', this);
    if (this.#origin !== undefined) this.#origin.users--;
    engine.exit();
    if (this.#stream === undefined) this.done(error, answer);
    else this.#stream.ended(error);
  }
}

/** undici fails over HTTP/2 where another method has a body whose length it knows. */
const withPayload = new Set(['POST', 'PUT', 'PATCH']);

/** The body as undici takes it, made anew for each attempt. */
function sentBody({ body, method }: Call): Uint8Array | Readable | null {
  if (body === undefined) return null;
  return body instanceof Uint8Array && !withPayload.has(method)
    ? Readable.from([body], { objectMode: false })
    : body;
}

function onDeadline(exchange: Exchange): void {
  exchange.onDeadline();
}

/** What describes the body as it came. */
export function withoutEncoding(headers: Headers): Headers {
  const { 'content-encoding': _, 'content-length': __, ...others } = headers;
  return others;
}
