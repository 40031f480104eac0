/** What ran out of time: opening a connection, waiting for the headers, for more of the body, or the whole call. */
export type HttpTimeoutKind = 'connect' | 'headers' | 'body' | 'total';

/** What a call was at when it ended. */
export type HttpPhase = 'queue' | 'headers' | 'body' | 'decoding' | 'retry delay' | 'shared load';

/** What errors of calls tell: never more of the URL than its origin, and no header. */
export interface HttpCallFacts {
  /** The client's name. */
  readonly client: string;
  readonly method: string;
  /** Scheme, host and port. */
  readonly origin: string;
  /** Attempts made, this one included. */
  readonly attempts: number;
}

function of({ client, method, origin, attempts }: HttpCallFacts): string {
  return `${method} ${origin} of the client "${client}", attempt ${attempts}`;
}

abstract class HttpCallError extends Error implements HttpCallFacts {
  readonly client: string;
  readonly method: string;
  readonly origin: string;
  readonly attempts: number;

  constructor(facts: HttpCallFacts, message: string, options?: ErrorOptions) {
    super(message, options);
    this.client = facts.client;
    this.method = facts.method;
    this.origin = facts.origin;
    this.attempts = facts.attempts;
  }
}

/** A limit of time was reached; `kind` says which. */
export class HttpTimeoutError extends HttpCallError {
  readonly code = 'HTTP_TIMEOUT';
  override readonly name = 'HttpTimeoutError';
  constructor(
    facts: HttpCallFacts,
    readonly kind: HttpTimeoutKind,
    readonly timeoutMs: number,
    /** What it waited for when time was up. */
    readonly phase: HttpPhase,
    options?: ErrorOptions,
  ) {
    super(
      facts,
      `Expected the ${kind} time of ${of(facts)} to be at most ${timeoutMs} ms (in: ${phase})`,
      options,
    );
  }
}

/** There was no whole answer: no connection, or one that broke. `reason` is the code of what happened. */
export class HttpConnectionError extends HttpCallError {
  readonly code = 'HTTP_CONNECTION';
  override readonly name = 'HttpConnectionError';
  constructor(
    facts: HttpCallFacts,
    /** Such as `ECONNREFUSED`, `UND_ERR_SOCKET` or `ERR_TLS_CERT_ALTNAME_INVALID`. */
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(facts, `Expected an answer to ${of(facts)}, got ${reason}`, options);
  }
}

/** The caller's AbortSignal ended the call; `cause` is the signal's reason. */
export class HttpAbortedError extends HttpCallError {
  readonly code = 'HTTP_ABORTED';
  override readonly name = 'HttpAbortedError';
  constructor(facts: HttpCallFacts, options?: ErrorOptions) {
    super(facts, `The signal ended ${of(facts)}`, options);
  }
}

/** The body, as it came or decoded, is larger than `maxBodyBytes`. */
export class HttpBodyTooLargeError extends HttpCallError {
  readonly code = 'HTTP_BODY_TOO_LARGE';
  override readonly name = 'HttpBodyTooLargeError';
  constructor(
    facts: HttpCallFacts,
    readonly limit: number,
    /** Whether it became too large by decoding. */
    readonly decoding: boolean,
  ) {
    super(
      facts,
      `Expected a body of at most ${limit} bytes${decoding ? ' once decoded' : ''} from ${of(facts)}, got more`,
    );
  }
}

/** The body is not what its Content-Encoding says; `cause` is zlib's error. */
export class HttpDecodingError extends HttpCallError {
  readonly code = 'HTTP_DECODING';
  override readonly name = 'HttpDecodingError';
  constructor(
    facts: HttpCallFacts,
    readonly encoding: string,
    options?: ErrorOptions,
  ) {
    super(
      facts,
      `Expected a body encoded by ${encoding} from ${of(facts)}, got none that can be decoded`,
      options,
    );
  }
}

/** As many requests wait for a connection to the origin as may. Nothing was sent. */
export class HttpQueueFullError extends HttpCallError {
  readonly code = 'HTTP_QUEUE_FULL';
  override readonly name = 'HttpQueueFullError';
  constructor(
    facts: HttpCallFacts,
    readonly limit: number,
  ) {
    super(
      facts,
      `Expected at most ${limit} requests to wait for a connection to ${facts.origin}, got one more`,
    );
  }
}

/** Connections to as many origins are in use as may be. Nothing was sent. */
export class HttpOriginLimitError extends HttpCallError {
  readonly code = 'HTTP_ORIGIN_LIMIT';
  override readonly name = 'HttpOriginLimitError';
  constructor(
    facts: HttpCallFacts,
    readonly limit: number,
  ) {
    super(
      facts,
      `Expected the client "${facts.client}" to use at most ${limit} origins at once, got ${facts.origin} besides`,
    );
  }
}

/** The client was closed before the call, or while it ran. */
export class HttpClientClosedError extends HttpCallError {
  readonly code = 'HTTP_CLIENT_CLOSED';
  override readonly name = 'HttpClientClosedError';
  constructor(facts: HttpCallFacts, options?: ErrorOptions) {
    super(facts, `Expected the client "${facts.client}" to be open, got one that was closed`, options);
  }
}

/** A JSON helper got an answer that is not 2xx. */
export class HttpStatusError extends Error {
  readonly code = 'HTTP_STATUS';
  override readonly name = 'HttpStatusError';
  constructor(
    readonly client: string,
    readonly method: string,
    readonly origin: string,
    readonly status: number,
    /** The answer, with its body. */
    readonly response: unknown,
  ) {
    super(`Expected a status of 2xx from ${method} ${origin} of the client "${client}", got ${status}`);
  }
}

/** The body is no JSON; `cause` is not kept, since its text has parts of the body. */
export class HttpJsonError extends Error {
  readonly code = 'HTTP_JSON';
  override readonly name = 'HttpJsonError';
  constructor(
    readonly status: number,
    readonly contentType: string | undefined,
    readonly bytes: number,
  ) {
    super(`Expected JSON, got ${bytes} bytes of ${contentType ?? 'no type'} with status ${status}`);
  }
}

/** The package `undici` is not installed, or too old; `cause` says what was looked for. */
export class UndiciMissingError extends Error {
  readonly code = 'HTTP_UNDICI_MISSING';
  override readonly name = 'UndiciMissingError';
  constructor(options?: ErrorOptions) {
    super(
      'Expected the package undici 6 or 7 beside the application, got none: npm install undici@7',
      options,
    );
  }
}
