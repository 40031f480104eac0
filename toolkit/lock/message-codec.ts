import { MessageTooLargeError } from './errors';

/** What a {@link LockFreeQueue} carries: what JSON carries, and bytes. */
export type QueueMessage = string | number | boolean | null | Uint8Array | object;

// Tags of what stands in a place, in the low bits; the number of bytes is above them.
const tagNull = 0;
const tagTrue = 1;
const tagFalse = 2;
const tagNumber = 3;
const tagLatin1 = 4;
const tagUtf8 = 5;
const tagBytes = 6;
const tagJson = 7;
const tagBits = 3;
/** Prepared only: text that stands in `stage`. */
const tagStaged = 8;

/** What Buffer.toString calls in the end; it is not in the types, and an eighth of the time of a short message less. */
interface SlicingBuffer extends Buffer {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
}

/** Up to here a loop is faster than a call into Node.js. */
const shortText = 24;

const stage = new Uint8Array(shortText);
const stageWords = new Int32Array(stage.buffer);

/**
 * Writes messages into places of shared memory and reads them. A message is prepared first, which finds what may be
 * wrong with it, so that a place once claimed is always filled.
 */
export class MessageCodec {
  readonly #queue: string;
  readonly #maxBytes: number;
  readonly #bytes: SlicingBuffer;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  #tag = 0;
  #length = 0;
  #value: unknown;

  constructor(queue: string, buffer: SharedArrayBuffer, maxBytes: number) {
    this.#queue = queue;
    this.#maxBytes = maxBytes;
    this.#bytes = Buffer.from(buffer) as unknown as SlicingBuffer;
    this.#words = new Int32Array(buffer);
    this.#numbers = new Float64Array(buffer);
  }

  /** @throws MessageTooLargeError; TypeError for what cannot be a message */
  prepare(message: QueueMessage): void {
    if (typeof message === 'number') this.#set(tagNumber, 8, message);
    else if (typeof message === 'string') this.#prepareText(message);
    else if (message === null) this.#set(tagNull, 0, undefined);
    else if (typeof message === 'boolean') this.#set(message ? tagTrue : tagFalse, 0, undefined);
    else if (message instanceof Uint8Array) this.#set(tagBytes, message.length, message);
    else {
      // For what is no JSON it gives undefined, whatever its type says.
      const text = JSON.stringify(message) as string | undefined;
      if (text === undefined) throw new TypeError(`Expected a message, got ${typeof message}`);
      this.#set(tagJson, Buffer.byteLength(text), text);
    }
  }

  /** Writes the prepared message behind the number of the place at `word`. */
  write(word: number): void {
    const at = (word + 2) << 2;
    const value = this.#value;
    if (this.#tag === tagStaged) {
      this.#writeStaged(word);
      return;
    }
    this.#words[word + 1] = this.#tag | (this.#length << tagBits);
    if (this.#tag === tagNumber) this.#numbers[at >> 3] = value as number;
    else if (this.#tag === tagLatin1) this.#bytes.write(value as string, at, 'latin1');
    else if (this.#tag === tagBytes) this.#bytes.set(value as Uint8Array, at);
    else if (this.#tag >= tagUtf8) this.#bytes.write(value as string, at, this.#length, 'utf8');
    this.#value = undefined;
  }

  /** The message of the place at `word`; of bytes a copy. */
  read(word: number): QueueMessage {
    const head = this.#words[word + 1]!;
    const at = (word + 2) << 2;
    const end = at + (head >>> tagBits);
    switch (head & ((1 << tagBits) - 1)) {
      case tagNull:
        return null;
      case tagTrue:
        return true;
      case tagFalse:
        return false;
      case tagNumber:
        return this.#numbers[at >> 3]!;
      case tagLatin1:
        return this.#bytes.latin1Slice(at, end);
      case tagUtf8:
        return this.#bytes.utf8Slice(at, end);
      case tagBytes: {
        const copy = Buffer.allocUnsafeSlow(end - at);
        this.#bytes.copy(copy, 0, at, end);
        return copy;
      }
      default:
        return JSON.parse(this.#bytes.utf8Slice(at, end)) as object;
    }
  }

  #prepareText(text: string): void {
    const { length } = text;
    if (length <= shortText) {
      let all = 0;
      for (let i = 0; i < length; i++) {
        const code = text.charCodeAt(i);
        all |= code;
        stage[i] = code;
      }
      if (all < 256) {
        this.#set(tagStaged, length, undefined);
        return;
      }
    }
    const bytes = Buffer.byteLength(text);
    // As many bytes as code units: nothing but ASCII.
    this.#set(bytes === length ? tagLatin1 : tagUtf8, bytes, text);
  }

  #writeStaged(word: number): void {
    const words = this.#words;
    const length = this.#length;
    // By words: a consumer that looks whether the place is filled takes its cache line away between any two writes.
    for (let i = 0; i << 2 < length; i++) words[word + 2 + i] = stageWords[i]!;
    words[word + 1] = tagLatin1 | (length << tagBits);
  }

  #set(tag: number, length: number, value: unknown): void {
    if (length > this.#maxBytes) throw new MessageTooLargeError(this.#queue, length, this.#maxBytes);
    this.#tag = tag;
    this.#length = length;
    this.#value = value;
  }
}
