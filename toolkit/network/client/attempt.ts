import type { Connection } from './books';
import type { Headers } from './headers';
import type { Origin, Slot } from './origin';
import type { UndiciHandler } from './undici';

/** Takes the body as it comes instead of its being collected. */
export interface BodySink {
  /** Whether more may come at once; else `resume` has it come. */
  write(chunk: Buffer): boolean;
  end(): void;
}

/** Who is told of an attempt, once. */
export interface AttemptOwner {
  /** @returns a sink for the body, or undefined where it is to be collected */
  onHead(attempt: Attempt): BodySink | undefined;
  /** A piece of a body that is collected has come; it may abandon the attempt. */
  onSize(bytes: number): void;
  onAnswer(attempt: Attempt): void;
  onFailure(error: Error): void;
}

/** One request given to undici, and what came back. Of what comes after it was abandoned only the books hear. */
export class Attempt implements UndiciHandler {
  slot: Slot | undefined;
  status = 0;
  headers: Headers = {};
  bytes = 0;
  resume: () => void = () => {};
  readonly #chunks: Buffer[] = [];
  #owner: AttemptOwner | undefined;
  #connection: Connection | undefined;
  #sink: BodySink | undefined;
  #abort: ((reason?: Error) => void) | undefined;
  #reason: Error | undefined;
  #left = false;

  constructor(
    owner: AttemptOwner,
    private readonly origin: Origin,
    private readonly parse: (headers: Buffer[]) => Headers,
  ) {
    this.#owner = owner;
  }

  /** What it waits for. */
  get phase(): 'queue' | 'headers' | 'body' {
    return this.#connection === undefined ? 'queue' : this.status === 0 ? 'headers' : 'body';
  }

  /** The body that was collected. */
  body(): Buffer {
    return this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks, this.bytes);
  }

  /** Ends it without telling its owner. One that waits for a connection is let go when it gets one. */
  abandon(reason: Error): void {
    this.#owner = undefined;
    this.#reason = reason;
    this.#chunks.length = 0;
    this.#abort?.(reason);
  }

  onConnect(abort: (reason?: Error) => void): void {
    // undici may send it again, on another connection.
    if (this.#connection === undefined) this.origin.books.add('pending', -1);
    else this.#connection.leave();
    const connection = this.slot!.connection!;
    this.#connection = connection;
    connection.take();
    this.#abort = abort;
    if (this.#reason !== undefined) abort(this.#reason);
    else if (this.status !== 0) this.#sentAgain(abort);
  }

  /** With pipelining undici sends what another's abort cut off once more, even in the middle of its answer. */
  #sentAgain(abort: (reason?: Error) => void): void {
    if (this.#sink !== undefined) {
      const cut = Object.assign(new Error('The connection was ended for another request'), {
        code: 'UND_ERR_SOCKET',
      });
      const owner = this.#owner;
      this.#owner = undefined;
      this.#reason = cut;
      owner?.onFailure(cut);
      abort(cut);
      return;
    }
    this.status = 0;
    this.bytes = 0;
    this.#chunks.length = 0;
  }

  onHeaders(status: number, headers: Buffer[], resume: () => void): boolean {
    if (status < 200) return true;
    this.status = status;
    this.headers = this.parse(headers);
    this.resume = resume;
    this.#sink = this.#owner?.onHead(this);
    return true;
  }

  onData(chunk: Buffer): boolean {
    this.bytes += chunk.length;
    if (this.#sink !== undefined) return this.#sink.write(chunk);
    if (this.#owner !== undefined) {
      this.#chunks.push(chunk);
      this.#owner.onSize(this.bytes);
    }
    return true;
  }

  onComplete(): void {
    this.#leave();
    const owner = this.#owner;
    this.#owner = undefined;
    if (this.#sink !== undefined) this.#sink.end();
    owner?.onAnswer(this);
  }

  onError(error: Error): void {
    this.#leave();
    const owner = this.#owner;
    this.#owner = undefined;
    owner?.onFailure(error);
  }

  #leave(): void {
    if (this.#left) return;
    this.#left = true;
    if (this.#connection === undefined) this.origin.books.add('pending', -1);
    else this.#connection.leave();
  }
}
