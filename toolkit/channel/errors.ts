/** Which side of a channel a call is on. */
export type ChannelOperation = 'send' | 'receive';

/** The channel was closed: it takes no more messages and, for who receives, has none left. */
export class ChannelClosedError extends Error {
  readonly code = 'CHANNEL_CLOSED';
  override readonly name = 'ChannelClosedError';
  constructor(readonly channel: string) {
    super(`Expected the channel "${channel}" to be open, got one that was closed`);
  }
}

/** The channel had no room, or no message, in the time its caller waits. */
export class ChannelTimeoutError extends Error {
  readonly code = 'CHANNEL_TIMEOUT';
  override readonly name = 'ChannelTimeoutError';
  constructor(
    /** The channel's name, of a select those of all. */
    readonly channel: string,
    readonly operation: ChannelOperation | 'select',
    readonly timeoutMs: number,
  ) {
    super(`Expected ${operation} of the channel "${channel}" to succeed within ${timeoutMs} ms`);
  }
}

/** The caller's AbortSignal ended its wait; `cause` is the signal's reason. */
export class ChannelAbortedError extends Error {
  readonly code = 'CHANNEL_ABORTED';
  override readonly name = 'ChannelAbortedError';
  constructor(
    /** The channel's name, of a select those of all. */
    readonly channel: string,
    readonly operation: ChannelOperation | 'select',
    options?: ErrorOptions,
  ) {
    super(`The ${operation} of the channel "${channel}" was aborted`, options);
  }
}

/** A batch was not processed in the time that an attempt may take. */
export class BatchTimeoutError extends Error {
  readonly code = 'BATCH_TIMEOUT';
  override readonly name = 'BatchTimeoutError';
  constructor(
    readonly processor: string,
    readonly timeoutMs: number,
  ) {
    super(`Expected a batch of "${processor}" to be processed within ${timeoutMs} ms`);
  }
}

/** The batch processor was closed, and its time ran out before the batch was processed. */
export class BatchAbandonedError extends Error {
  readonly code = 'BATCH_ABANDONED';
  override readonly name = 'BatchAbandonedError';
  constructor(
    readonly processor: string,
    readonly timeoutMs: number,
  ) {
    super(
      `Expected "${processor}" to be done within ${timeoutMs} ms of being closed; the batch was given up`,
    );
  }
}
