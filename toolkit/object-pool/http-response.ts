/** Headers and body of a response that is being built. Made and kept by an {@link HttpResponsePool}. */
export class HttpResponse {
  /** @default 200 */
  statusCode = 200;
  /** By names as they were set. */
  readonly headers = new Map<string, string | readonly string[]>();
  /** When it was handed out, in milliseconds since the epoch. */
  timestamp = 0;
  #memory: Buffer;
  #length = 0;
  readonly #initialBytes: number;

  constructor(initialBytes: number) {
    this.#initialBytes = initialBytes;
    this.#memory = Buffer.allocUnsafeSlow(initialBytes);
  }

  /** What was written so far: a view of the response's memory, which changes once the response is released. */
  get body(): Buffer {
    return this.#memory.subarray(0, this.#length);
  }

  /** Bytes the body can have without more memory. */
  get capacity(): number {
    return this.#memory.length;
  }

  /** Adds text, as UTF-8, or bytes to the body. */
  write(chunk: string | Uint8Array): this {
    if (typeof chunk === 'string') {
      this.#reserve(Buffer.byteLength(chunk));
      this.#length += this.#memory.write(chunk, this.#length);
    } else {
      this.#reserve(chunk.length);
      this.#memory.set(chunk, this.#length);
      this.#length += chunk.length;
    }
    return this;
  }

  /** Makes it as good as new. Memory beyond `maxBytes` is replaced by as much as a new response has. */
  reset(maxBytes: number): void {
    this.statusCode = 200;
    this.headers.clear();
    this.timestamp = 0;
    this.#length = 0;
    if (this.#memory.length > maxBytes) this.#memory = Buffer.allocUnsafeSlow(this.#initialBytes);
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#memory.length) return;
    const memory = Buffer.allocUnsafeSlow(Math.max(needed, this.#memory.length * 2));
    this.#memory.copy(memory, 0, 0, this.#length);
    this.#memory = memory;
  }
}
