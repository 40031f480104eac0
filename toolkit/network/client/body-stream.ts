import { pipeline, Readable, type Writable } from 'node:stream';
import type { Attempt, BodySink } from './attempt';
import { decodingStreams, type encodingsOf } from './decoding';
import { HttpAbortedError, HttpBodyTooLargeError, type HttpCallFacts } from './errors';

type Encodings = ReturnType<typeof encodingsOf>;

/** What the stream tells of: its exchange. */
export interface StreamOwner {
  readonly facts: HttpCallFacts;
  decoded(input: number, output: number): void;
  decodingFailed(cause: Error, attempt: Attempt): Error;
  fail(error: Error): void;
  end(error: Error | undefined, answer: undefined): void;
}

/** A body that is read as it comes, decoded, no faster than its reader takes it and no larger than allowed. */
export class BodyStream implements BodySink {
  /** For the caller. One that is not read to its end is to be destroyed. */
  readonly readable: Readable;
  /** Told once how it ended. */
  ended: (error: Error | undefined) => void = () => {};
  readonly #raw: Readable;
  #failure: Error | undefined;

  constructor(
    private readonly owner: StreamOwner,
    private readonly attempt: Attempt,
    encodings: Encodings,
    private readonly most: number,
  ) {
    this.#raw = new Readable({ read: () => attempt.resume() });
    // Its reader hears of it.
    this.#raw.on('error', () => {});
    this.readable = Readable.from(this.#chunks(encodings), { objectMode: false });
    this.readable.once('close', () => {
      this.#raw.destroy();
      const { errored, readableEnded } = this.readable;
      if (readableEnded) owner.end(undefined, undefined);
      else
        owner.fail(
          errored ?? new HttpAbortedError(owner.facts, { cause: 'the body was not read to its end' }),
        );
    });
  }

  write(chunk: Buffer): boolean {
    return this.#raw.push(chunk);
  }

  end(): void {
    this.#raw.push(null);
  }

  fail(error: Error): void {
    this.#failure ??= error;
    this.#raw.destroy(error);
    // Nobody has begun to read, so that nobody may listen: time that is up must not end the process.
    if (!this.readable.readableDidRead) this.readable.on('error', () => {});
    this.readable.destroy(error);
  }

  async *#chunks(encodings: Encodings): AsyncGenerator<Buffer> {
    const { owner, attempt, most } = this;
    let output = 0;
    const tooLarge = (): boolean => attempt.bytes > most || output > most;
    try {
      for await (const chunk of encodings === undefined ? this.#raw : await decoded(this.#raw, encodings)) {
        output += chunk.length;
        if (tooLarge()) throw new HttpBodyTooLargeError(owner.facts, most, encodings !== undefined);
        yield chunk;
      }
    } catch (error) {
      const known = this.#failure ?? (error as Error);
      const ofZlib =
        encodings !== undefined &&
        known === error &&
        /^(Z_|ERR_|ZSTD)/.test(String((error as { code?: unknown }).code));
      throw ofZlib ? owner.decodingFailed(known, attempt) : known;
    } finally {
      if (encodings !== undefined) owner.decoded(attempt.bytes, output);
    }
  }
}

async function decoded(raw: Readable, encodings: NonNullable<Encodings>): Promise<AsyncIterable<Buffer>> {
  const pieces = raw[Symbol.asyncIterator]() as AsyncIterableIterator<Buffer>;
  const first = await pieces.next();
  if (first.done) return pieces;
  const source = Readable.from(
    (async function* () {
      yield first.value;
      yield* pieces;
    })(),
    { objectMode: false },
  );
  const streams = decodingStreams(encodings, first.value[0]);
  // The last one of them fails for all.
  pipeline([source, ...(streams as unknown as Writable[])] as never, () => {});
  return streams.at(-1) as unknown as AsyncIterable<Buffer>;
}
