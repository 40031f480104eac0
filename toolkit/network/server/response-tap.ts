import type { HttpRequest, HttpResponse } from './http-part';

/** Called once it has been written, or with why it was not. */
export type Written = (error?: Error | null) => void;

/** Where the body goes instead of straight to the client. */
export interface BodySink {
  /** @returns whether more may be written at once, as a stream's `write` does */
  write(chunk: Buffer, written?: Written): boolean;
  end(written?: Written): void;
  flush(): void;
}

/** What a stage does with the response whose head is about to be sent. */
export type Decision =
  | undefined
  /** The body goes there. */
  | BodySink
  /** The response is this status, without a body. */
  | { readonly status: 304 | 406 | 412 };

/** A part of the server that changes responses as they are sent. */
export interface Stage {
  /** Lower ones go first, in whatever order they were laid over the response. */
  readonly order: number;
  /**
   * Told of the head before it is sent.
   *
   * @param whole the whole body where it came in one piece; `undefined` where it comes in pieces
   */
  onHead(tap: ResponseTap, whole: Buffer | undefined): Decision;
  /** Told instead where an earlier stage has decided on a status without a body. */
  onBodiless?(tap: ResponseTap): void;
}

type Loose = (...args: unknown[]) => unknown;
/** The methods that are replaced; those of both kinds of response have the same form. */
interface Raw {
  writeHead: Loose;
  write: Loose;
  end: Loose;
  flushHeaders: Loose;
  flush?: () => void;
  emit: Loose;
}

const tapKey = Symbol('otel-vitals.response-tap');
type Tapped = HttpResponse & { [tapKey]?: ResponseTap };

/** Methods of a response with a tap. */
const replaced = {
  writeHead(this: Tapped, ...args: unknown[]) {
    return this[tapKey]!.writeHead(args);
  },
  write(this: Tapped, ...args: unknown[]) {
    return this[tapKey]!.write(args);
  },
  end(this: Tapped, ...args: unknown[]) {
    return this[tapKey]!.end(args);
  },
  flushHeaders(this: Tapped) {
    this[tapKey]!.flushHeaders();
  },
  flush(this: Tapped) {
    this[tapKey]!.flush();
  },
};

/** What a response with a tap says of itself: for the application it is sent before all of it is written. */
const states: PropertyDescriptorMap = {
  headersSent: {
    configurable: true,
    get(this: Tapped): unknown {
      return this[tapKey]!.saysSent || Reflect.get(Object.getPrototypeOf(this), 'headersSent', this);
    },
  },
  writableEnded: {
    configurable: true,
    get(this: Tapped): unknown {
      return this[tapKey]!.saysEnded || Reflect.get(Object.getPrototypeOf(this), 'writableEnded', this);
    },
  },
};

/** Lets stages decide on a response when its head is known and before it is sent. One per response. */
export class ResponseTap {
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  readonly #raw: Raw;
  readonly #own: { writeHead: Loose; write: Loose; end: Loose; flushHeaders: Loose };
  readonly #stages: Stage[] = [];
  #headGiven = false;
  /** The application has given the head, or ended it, and that has not been written yet. */
  saysSent = false;
  saysEnded = false;
  #begun = false;
  #ended = false;
  #sink: BodySink | undefined;

  private constructor(request: HttpRequest, response: HttpResponse) {
    this.request = request;
    this.response = response;
    const raw = response as unknown as Raw;
    this.#raw = raw;
    const own = {
      writeHead: raw.writeHead,
      write: raw.write,
      end: raw.end,
      flushHeaders: raw.flushHeaders,
    };
    this.#own = own;
    Object.assign(raw, replaced);
    // The same getters on all, set once and never removed: else each response would be an object of its own shape.
    Object.defineProperties(response, states);
  }

  /** Lays `stage` over the response, unless it is already. */
  static add(request: HttpRequest, response: HttpResponse, stage: Stage): void {
    const tapped = response as Tapped;
    tapped[tapKey] ??= new ResponseTap(request, response);
    const stages = tapped[tapKey].#stages;
    if (stages.includes(stage)) return;
    const before = stages.findIndex(({ order }) => order > stage.order);
    stages.splice(before === -1 ? stages.length : before, 0, stage);
  }

  /** Whether a stage has taken the body. */
  get taken(): boolean {
    return this.#sink !== undefined;
  }

  /** Sends part of the body. */
  send(chunk: Buffer): boolean {
    return this.#own.write.call(this.response, chunk) as boolean;
  }

  /** Ends the response. */
  finish(chunk: Buffer | undefined, written: Written | undefined): void {
    const { response } = this;
    this.#say(false);
    // The end of http2's comes by here again as a write.
    this.#sink = undefined;
    if (chunk === undefined) this.#own.end.call(response, written);
    else this.#own.end.call(response, chunk, written);
  }

  /**
   * From now on the client's `drain` is heard by `onDrain` and no longer by the application, which waits for the sink
   * and is told by {@link drained}.
   */
  takeDrain(onDrain: () => void): void {
    const { emit } = this.#raw;
    this.#raw.emit = (...args) => {
      if (args[0] !== 'drain') return emit.apply(this.response, args);
      onDrain();
      return true;
    };
    this.drained = () => {
      emit.call(this.response, 'drain');
    };
  }

  /** Tells the application that it may write again. */
  drained = (): void => {};

  flushHeaders(): void {
    this.#begin(undefined);
    this.#own.flushHeaders.call(this.response);
  }

  flush(): void {
    this.#begin(undefined);
    if (this.#sink === undefined) this.#own.flushHeaders.call(this.response);
    else this.#sink.flush();
  }

  /** What the application calls as the response's own. */
  writeHead(args: unknown[]): unknown {
    // Node.js itself comes by here when it writes a head that nobody gave.
    if (this.#begun) return this.#own.writeHead.apply(this.response, args);
    if (this.#headGiven) {
      this.#begin(undefined);
      this.#own.flushHeaders.call(this.response);
      return this.#own.writeHead.apply(this.response, args);
    }
    const { response } = this;
    const [status, second, third] = args;
    const code = Number(status);
    if (!Number.isInteger(code) || code < 100 || code > 999) {
      return this.#own.writeHead.apply(response, args);
    }
    response.statusCode = code;
    // HTTP/2 has none, and warns of whoever sets it.
    if (typeof second === 'string' && this.request.httpVersionMajor < 2) response.statusMessage = second;
    setHeaders(response, (typeof second === 'string' ? third : second) as HeadersGiven);
    this.#headGiven = true;
    this.saysSent = true;
    // What comes later is waited for by a client that wants to know at once that it is connected.
    if (isEventStream(response)) {
      this.#begin(undefined);
      this.#own.flushHeaders.call(response);
    }
    return response;
  }

  write([chunk, encoding, callback]: unknown[]): unknown {
    this.#begin(undefined);
    if (this.#sink === undefined) {
      return this.#own.write.call(this.response, chunk, encoding, callback);
    }
    const written = (typeof encoding === 'function' ? encoding : callback) as Written | undefined;
    const bytes = bytesOf(chunk, encoding);
    // What is no body is refused by Node.js itself, in its words.
    if (bytes === undefined) return this.#own.write.call(this.response, chunk, encoding, callback);
    if (this.#ended) {
      const error = Object.assign(new Error('Expected no write after the end'), {
        code: 'ERR_STREAM_WRITE_AFTER_END',
      });
      process.nextTick(() => {
        written?.(error);
        this.response.destroy(error);
      });
      return false;
    }
    return this.#sink.write(bytes, written);
  }

  end([first, second, third]: unknown[]): unknown {
    const { response } = this;
    const chunk = typeof first === 'function' ? undefined : (first ?? undefined);
    const encoding = typeof second === 'function' ? undefined : second;
    const written = [first, second, third].find(one => typeof one === 'function') as Written | undefined;
    if (this.#ended) {
      if (written !== undefined) {
        if (response.writableFinished) process.nextTick(written);
        else response.once('finish', () => written());
      }
      return response;
    }
    const bytes = bytesOf(chunk ?? '', encoding);
    if (bytes === undefined) return this.#own.end.call(response, chunk, encoding, written);
    if (!this.#begun) this.#begin(bytes);
    if (this.#sink === undefined) {
      return chunk === undefined
        ? this.#own.end.call(response, written)
        : this.#own.end.call(response, chunk, encoding, written);
    }
    this.#ended = true;
    this.#say(true);
    if (chunk !== undefined) this.#sink.write(bytes);
    this.#sink.end(written);
    return response;
  }

  /** Lets the stages decide, once. */
  #begin(whole: Buffer | undefined): void {
    if (this.#begun) return;
    let status: number | undefined;
    for (const stage of this.#stages) {
      if (status !== undefined) {
        stage.onBodiless?.(this);
        continue;
      }
      const decision = stage.onHead(this, whole);
      if (decision === undefined) continue;
      if ('status' in decision) ({ status } = decision);
      else this.#sink = decision;
    }
    if (status !== undefined) {
      this.#sink = new NoBody(this);
      leaveOutBody(this.request, this.response, status);
    }
    this.#begun = true;
    this.saysSent = false;
  }

  #say(ended: boolean): void {
    this.saysSent = ended;
    this.saysEnded = ended;
  }
}

/** Swallows a body. */
class NoBody implements BodySink {
  readonly #tap: ResponseTap;
  constructor(tap: ResponseTap) {
    this.#tap = tap;
  }
  write(_: Buffer, written?: Written): boolean {
    if (written !== undefined) process.nextTick(written);
    return true;
  }
  end(written?: Written): void {
    this.#tap.finish(undefined, written);
  }
  flush(): void {}
}

function leaveOutBody(request: HttpRequest, response: HttpResponse, status: number): void {
  response.statusCode = status;
  // A message that was given spoke of another status.
  if (request.httpVersionMajor < 2)
    (response as { statusMessage: string | undefined }).statusMessage = undefined;
  for (const name of [
    'content-type',
    'content-encoding',
    'content-language',
    'content-range',
    'transfer-encoding',
  ]) {
    response.removeHeader(name);
  }
  if (status === 304) response.removeHeader('content-length');
  else response.setHeader('content-length', 0);
}

type HeadersGiven =
  | Readonly<Record<string, number | string | readonly string[]>>
  | readonly unknown[]
  | undefined;

/** Sets headers as `writeHead` takes them: an object, a list of pairs, or a flat list. */
function setHeaders(response: HttpResponse, given: HeadersGiven): void {
  if (given === undefined || given === null) return;
  const set = response.setHeader.bind(response) as (name: string, value: unknown) => void;
  if (!Array.isArray(given)) {
    for (const [name, value] of Object.entries(given)) if (value !== undefined) set(name, value);
    return;
  }
  const pairs = Array.isArray(given[0])
    ? (given as [string, unknown][])
    : Array.from(
        { length: given.length / 2 },
        (_, i) => [given[i * 2], given[i * 2 + 1]] as [string, unknown],
      );
  const values = new Map<string, unknown>();
  for (const [name, value] of pairs) {
    const key = name.toLowerCase();
    const present = values.get(key);
    values.set(key, present === undefined ? value : [present, value].flat());
  }
  for (const [name, value] of values) set(name, value);
}

export function isEventStream(response: HttpResponse): boolean {
  return /^text\/event-stream\b/i.test(String(response.getHeader('content-type') ?? ''));
}

function bytesOf(chunk: unknown, encoding: unknown): Buffer | undefined {
  if (typeof chunk === 'string') {
    return Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8');
  }
  if (Buffer.isBuffer(chunk)) return chunk;
  if (chunk instanceof Uint8Array) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  return undefined;
}
