/** The queue of the pool is full; the task was not accepted. */
export class TaskQueueFullError extends Error {
  readonly code = 'TASK_QUEUE_FULL';
  override readonly name = 'TaskQueueFullError';
  constructor(
    readonly pool: string,
    readonly maxQueue: number,
  ) {
    super(`Expected at most ${maxQueue} tasks to wait for the pool "${pool}", got one more`);
  }
}

/** The pool was closed; the task was not accepted. */
export class WorkerPoolClosedError extends Error {
  readonly code = 'WORKER_POOL_CLOSED';
  override readonly name = 'WorkerPoolClosedError';
  constructor(readonly pool: string) {
    super(`Expected the pool "${pool}" to be open, got one that was closed`);
  }
}

/** The task waited too long for a worker; it never ran. */
export class TaskQueueTimeoutError extends Error {
  readonly code = 'TASK_QUEUE_TIMEOUT';
  override readonly name = 'TaskQueueTimeoutError';
  constructor(
    readonly pool: string,
    readonly timeoutMs: number,
  ) {
    super(`Expected a worker of the pool "${pool}" within ${timeoutMs} ms`);
  }
}

/** The task ran too long. Its thread was ended; a function on the event loop had its signal aborted. */
export class TaskRunTimeoutError extends Error {
  readonly code = 'TASK_RUN_TIMEOUT';
  override readonly name = 'TaskRunTimeoutError';
  constructor(
    readonly pool: string,
    readonly timeoutMs: number,
  ) {
    super(`Expected a task of the pool "${pool}" to end within ${timeoutMs} ms`);
  }
}

/** The caller's AbortSignal ended the task, or its waiting; `cause` is the signal's reason. */
export class TaskAbortedError extends Error {
  readonly code = 'TASK_ABORTED';
  override readonly name = 'TaskAbortedError';
  constructor(
    readonly pool: string,
    /** Whether it had begun. */
    readonly running: boolean,
    options?: ErrorOptions,
  ) {
    super(`A task of the pool "${pool}" was aborted while it ${running ? 'ran' : 'waited'}`, options);
  }
}

/** The pool was closed before the task had ended. */
export class TaskDroppedError extends Error {
  readonly code = 'TASK_DROPPED';
  override readonly name = 'TaskDroppedError';
  constructor(
    readonly pool: string,
    /** Whether it had begun. */
    readonly running: boolean,
  ) {
    super(`The pool "${pool}" was closed while a task ${running ? 'ran' : 'waited'}`);
  }
}

/** The task threw what is no error or can't be copied from its thread, such as null or a function. */
export class TaskThrewError extends Error {
  readonly code = 'TASK_THREW';
  override readonly name = 'TaskThrewError';
  constructor(
    readonly pool: string,
    /** The task's. */
    readonly label: string | undefined,
    /** What it threw, as text. */
    readonly thrown: string,
  ) {
    super(`Expected ${taskText(pool, label)} to throw an error that can be copied, got ${thrown}`);
  }
}

/** The task gave what can't be copied from its thread, such as a function. */
export class TaskResultError extends Error {
  readonly code = 'TASK_RESULT';
  override readonly name = 'TaskResultError';
  constructor(
    readonly pool: string,
    /** The task's. */
    readonly label: string | undefined,
    /** What Node.js says of it. */
    readonly reason: string,
  ) {
    super(`Expected ${taskText(pool, label)} to give what can be copied to another thread: ${reason}`);
  }
}

/** The thread ended under its task: an uncaught error, process.exit(), out of memory. `cause` is the error, if any. */
export class WorkerCrashError extends Error {
  readonly code = 'WORKER_CRASHED';
  override readonly name = 'WorkerCrashError';
  constructor(
    readonly pool: string,
    readonly exitCode: number | undefined,
    options?: ErrorOptions,
  ) {
    const how = exitCode === undefined ? '' : ` with exit code ${exitCode}`;
    super(
      `A thread of the pool "${pool}" ended under its task${how}${causeText(options?.cause)}; another takes its place`,
      options,
    );
  }
}

/** No thread of the pool could be started. `cause` is why, such as what its file threw. */
export class WorkerStartError extends Error {
  readonly code = 'WORKER_START_FAILED';
  override readonly name = 'WorkerStartError';
  constructor(
    readonly pool: string,
    readonly file: string,
    options?: ErrorOptions,
  ) {
    super(`Expected ${file} to load in a thread of the pool "${pool}"${causeText(options?.cause)}`, options);
  }
}

function taskText(pool: string, label: string | undefined): string {
  return label === undefined ? `a task of the pool "${pool}"` : `the task "${label}" of the pool "${pool}"`;
}

function causeText(cause: unknown): string {
  return cause === undefined ? '' : `: ${cause instanceof Error ? cause.message : String(cause)}`;
}
