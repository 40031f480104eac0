import { valueText } from './numbers';

/** Bytes per chunk: some 400 lines, a few tens of microseconds' work. */
const chunkBytes = 64 * 1024;

/** Longest number either format holds, with room to spare: `-2.2250738585072014e-308`. */
export const maxNumberBytes = 32;

const none = Buffer.alloc(0);

/**
 * Bytes of an exposition, chunk by chunk.
 *
 * Lines are built as bytes, not as strings: a histogram repeats its labels on every line, and copying bytes that are
 * already there costs a quarter of joining strings and encoding them after.
 */
export class ByteWriter {
  #buffer: Buffer = none;
  #position = 0;
  /** Where the part of the buffer begins that was not yet taken. */
  #start = 0;

  /** Bytes written since the last `take`. */
  get pending(): number {
    return this.#position - this.#start;
  }

  get position(): number {
    return this.#position;
  }

  /**
   * Makes room for `bytes` in one piece, which the writes after it need: none of them checks.
   *
   * @returns what had to be taken out to make room, if anything
   */
  reserve(bytes: number): Buffer | undefined {
    if (this.#position + bytes <= this.#buffer.length) return undefined;
    const full = this.take();
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(chunkBytes, bytes));
    this.#position = 0;
    this.#start = 0;
    return full;
  }

  /** Everything not yet taken; `undefined` where that is nothing. */
  take(): Buffer | undefined {
    if (this.#position === this.#start) return undefined;
    const taken = this.#buffer.subarray(this.#start, this.#position);
    this.#start = this.#position;
    return taken;
  }

  /** Lets go of the memory; the writer can be used anew. */
  release(): void {
    this.#buffer = none;
    this.#position = 0;
    this.#start = 0;
  }

  /** Writes text as UTF-8. */
  text(text: string): void {
    this.#position += this.#buffer.write(text, this.#position);
  }

  /** Writes a few bytes that were encoded before. */
  bytes(bytes: Uint8Array): void {
    const buffer = this.#buffer;
    let position = this.#position;
    // For the length of a name a loop is quicker than a call out to `set`.
    for (let i = 0; i < bytes.length; i++) buffer[position++] = bytes[i]!;
    this.#position = position;
  }

  byte(code: number): void {
    this.#buffer[this.#position++] = code;
  }

  /**
   * Puts the bytes of `source` from `from` to `to` behind the room of `gap` bytes that is written next, for `repeat`
   * to take from there: copying within one block of memory costs a fraction of copying from another.
   *
   * @returns where they stand
   */
  stage(source: Uint8Array, from: number, to: number, gap: number): number {
    const at = this.#position + gap;
    this.#buffer.set(source.subarray(from, to), at);
    return at;
  }

  /** Writes what stands at `from` to `to`, which must be in the room reserved last. */
  repeat(from: number, to: number): void {
    this.#buffer.copyWithin(this.#position, from, to);
    this.#position += to - from;
  }

  /** Drops what was written since the writer was at `position`, which must be in the room reserved last. */
  rewind(position: number): void {
    this.#position = position;
  }

  /** Writes a number, and the end of the line. */
  numberLine(value: number): void {
    this.number(value);
    this.byte(lineFeed);
  }

  number(value: number): void {
    if ((value | 0) === value && value >= 0) {
      this.#smallInteger(value);
      return;
    }
    const text = valueText(value);
    const buffer = this.#buffer;
    let position = this.#position;
    for (let i = 0; i < text.length; i++) buffer[position++] = text.charCodeAt(i);
    this.#position = position;
  }

  #smallInteger(value: number): void {
    const end = this.#position + digitsOf(value);
    const buffer = this.#buffer;
    let at = end;
    let rest = value;
    do {
      const tenth = (rest / 10) | 0;
      buffer[--at] = zero + rest - tenth * 10;
      rest = tenth;
    } while (rest > 0);
    this.#position = end;
  }
}

export const lineFeed = 0x0a;
const zero = 0x30;

function digitsOf(value: number): number {
  let digits = 1;
  for (let limit = 10; value >= limit; limit *= 10) digits++;
  return digits;
}

/** Most bytes that `text` takes as UTF-8: exactly where it is long, quickly where it is short. */
export function maxBytes(text: string): number {
  return text.length < 1024 ? text.length * 3 : Buffer.byteLength(text);
}
