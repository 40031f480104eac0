/** A failure that is the answer to a request: `code` is stable, `status` is its meaning in HTTP. */
export class ProfilingError extends Error {
  override readonly name: string = 'ProfilingError';
  constructor(
    readonly code: string,
    readonly status: number,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A capture of this kind, or one that needs the same profiler, is running. */
export class CaptureBusyError extends ProfilingError {
  override readonly name = 'CaptureBusyError';
  constructor(message: string) {
    super('CAPTURE_BUSY', 409, message);
  }
}

/** Node.js, the platform or the configuration does not offer this. */
export class CaptureUnsupportedError extends ProfilingError {
  override readonly name = 'CaptureUnsupportedError';
  constructor(message: string, options?: ErrorOptions) {
    super('CAPTURE_UNSUPPORTED', 501, message, options);
  }
}

/** Nobody waits for the result any more. */
export class CaptureCancelledError extends ProfilingError {
  override readonly name = 'CaptureCancelledError';
  constructor() {
    super('CAPTURE_CANCELLED', 499, 'the capture was cancelled');
  }
}

/** The main thread did not answer in time: it is blocked. */
export class MainThreadBlockedError extends ProfilingError {
  override readonly name = 'MainThreadBlockedError';
  constructor(what: string, waitedMs: number) {
    super(
      'MAIN_THREAD_BLOCKED',
      503,
      `the main thread did not answer within ${Math.round(waitedMs)} ms (${what}): its event loop is blocked; ` +
        'a cpu or block profile shows by what',
    );
  }
}

/** A capture can't be kept. */
export class StoreError extends ProfilingError {
  override readonly name = 'StoreError';
}

/** A request that asks for what there isn't, with what was expected. */
export class BadRequestError extends ProfilingError {
  override readonly name = 'BadRequestError';
  constructor(message: string) {
    super('BAD_REQUEST', 400, message);
  }
}
