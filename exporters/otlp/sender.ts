/** How a receiver took one try. */
export type Answer =
  | { readonly status: 'taken'; readonly body: Uint8Array }
  | { readonly status: 'refused'; readonly error: SendError }
  /** It may take the same batch later, after `afterMs` if it says so. */
  | { readonly status: 'busy'; readonly error: SendError; readonly afterMs?: number };

/** Puts a batch before the receiver once. */
export interface Sender {
  /** Never rejects. Neither sockets nor timers keep the process alive. */
  send(body: Uint8Array, timeoutMs: number, signal: AbortSignal): Promise<Answer>;
  close(): void;
}

/** A batch was not delivered. */
export class SendError extends Error {
  readonly code = 'OTLP_NOT_DELIVERED';
  /** @param type what failed as a short word from a small set: a status, an error code, `timeout` */
  constructor(
    readonly type: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** An answer is a short message; the rest of an error page says nothing more. */
export const maxAnswerBytes = 64 * 1024;
/** Characters of an answer that a message shows. */
export const maxErrorText = 200;

/** Failures of the network that may pass by themselves. */
const passing = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENOTFOUND',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ERR_HTTP2_GOAWAY_SESSION',
  'ERR_HTTP2_SESSION_ERROR',
  'ERR_HTTP2_STREAM_CANCEL',
  'ERR_HTTP2_INVALID_SESSION',
]);

/** The answer that a failed connection amounts to. */
export function failedConnection(error: Error): Answer {
  const code = codeOf(error);
  const found = new SendError(code ?? 'error', textOf(error), { cause: error });
  return code !== undefined && passing.has(code)
    ? { status: 'busy', error: found }
    : { status: 'refused', error: found };
}

/** A name with several addresses fails with one error for each. */
function codeOf(error: Error): string | undefined {
  const own = (error as NodeJS.ErrnoException).code;
  return (
    own ??
    (error instanceof AggregateError && error.errors[0] instanceof Error
      ? codeOf(error.errors[0])
      : undefined)
  );
}

function textOf(error: Error): string {
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map(part => textOf(part as Error)).join('; ');
  }
  const code = codeOf(error);
  return code === undefined || error.message.includes(code) ? error.message : `${error.message} (${code})`;
}
