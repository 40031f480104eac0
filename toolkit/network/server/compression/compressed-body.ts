import type { BodySink, ResponseTap, Written } from '../response-tap';
import { createEncoder, type Encoder, encodeWhole, flushEncoder } from './encodings';
import type { Encoding } from './names';
import type { CompressionCounters } from './stats';

/** Compresses a body that comes in pieces, as fast as the client takes it. */
export class CompressedStream implements BodySink {
  readonly #encoding: Encoding;
  readonly #encoder: Encoder;
  readonly #counters: CompressionCounters;
  readonly #flushEach: boolean;
  #written: Written | undefined;

  /** @param flushEach whether each piece is to reach the client at once */
  constructor(
    tap: ResponseTap,
    encoding: Encoding,
    level: number,
    counters: CompressionCounters,
    flushEach: boolean,
  ) {
    this.#encoding = encoding;
    this.#counters = counters;
    this.#flushEach = flushEach;
    const encoder = createEncoder(encoding, level);
    this.#encoder = encoder;
    counters.responses[encoding]++;
    counters.active++;
    let over = false;
    const end = (aborted: boolean): void => {
      if (over) return;
      over = true;
      counters.active--;
      if (aborted) counters.aborted++;
    };
    encoder.on('data', (bytes: Buffer) => {
      counters.output[encoding] += bytes.length;
      if (!tap.send(bytes)) encoder.pause();
    });
    encoder.on('drain', () => tap.drained());
    encoder.on('end', () => {
      end(false);
      tap.finish(undefined, this.#written);
    });
    encoder.on('error', error => {
      end(true);
      tap.response.destroy(error);
    });
    tap.takeDrain(() => encoder.resume());
    tap.response.once('close', () => {
      end(true);
      encoder.destroy();
    });
  }

  write(chunk: Buffer, written?: Written): boolean {
    if (this.#encoder.destroyed) {
      // The client went away; what Node.js does with what is written then.
      if (written !== undefined) process.nextTick(written, new Error('Expected the response to be open'));
      return false;
    }
    this.#counters.input[this.#encoding] += chunk.length;
    const more = this.#encoder.write(chunk, written);
    if (this.#flushEach) this.flush();
    return more;
  }

  end(written?: Written): void {
    this.#written = written;
    if (!this.#encoder.destroyed) this.#encoder.end();
  }

  flush(): void {
    if (!this.#encoder.destroyed && !this.#encoder.writableEnded) flushEncoder(this.#encoding, this.#encoder);
  }
}

/** Compresses a body that is there as a whole; sends it as it is where that is not smaller. */
export class CompressedWhole implements BodySink {
  readonly #tap: ResponseTap;
  readonly #encoding: Encoding;
  readonly #level: number;
  readonly #counters: CompressionCounters;
  readonly #must: boolean;
  readonly #onCompressed: () => void;
  #bytes: Buffer = Buffer.alloc(0);

  /**
   * @param must whether to send it compressed even where that is larger
   * @param onCompressed told before the head is sent that the body is compressed
   */
  constructor(
    tap: ResponseTap,
    encoding: Encoding,
    level: number,
    counters: CompressionCounters,
    must: boolean,
    onCompressed: () => void,
  ) {
    this.#tap = tap;
    this.#encoding = encoding;
    this.#level = level;
    this.#counters = counters;
    this.#must = must;
    this.#onCompressed = onCompressed;
    counters.active++;
  }

  write(chunk: Buffer): boolean {
    this.#bytes = chunk;
    return true;
  }

  end(written?: Written): void {
    const bytes = this.#bytes;
    const tap = this.#tap;
    const counters = this.#counters;
    const encoding = this.#encoding;
    encodeWhole(encoding, this.#level, bytes, (error, result) => {
      counters.active--;
      const { response } = tap;
      if (error !== null || (!this.#must && result.length >= bytes.length)) {
        counters.skipped.larger++;
        response.setHeader('content-length', bytes.length);
        tap.finish(bytes, written);
        return;
      }
      counters.responses[encoding]++;
      counters.input[encoding] += bytes.length;
      counters.output[encoding] += result.length;
      if (response.destroyed || response.closed) {
        counters.aborted++;
        return;
      }
      this.#onCompressed();
      response.setHeader('content-length', result.length);
      tap.finish(result, written);
    });
  }

  flush(): void {}
}
