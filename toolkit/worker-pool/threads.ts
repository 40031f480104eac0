import type { Crew, Hired } from './crew';
import { TaskResultError, TaskThrewError, WorkerCrashError, WorkerStartError } from './errors';
import type { Job } from './job';
import type { WorkerTaskOptions } from './options';
import type { Scheduler } from './scheduler';
import { isUnsent, Thread, type ThreadEvents, type ThreadOptions, type Unsent } from './thread';

/** A thread as the scheduler knows it. */
export interface Hand extends Hired {
  /** Undefined while it is being made, and where Node.js could not make it. */
  thread: Thread | undefined;
  job: Job | undefined;
  state: 'starting' | 'started' | 'gone';
  /** Ends its start when that takes too long. */
  late: NodeJS.Timeout | undefined;
}

interface ThreadsOptions {
  readonly pool: string;
  readonly file: string;
  readonly startTimeoutMs: number;
  readonly thread: ThreadOptions;
}

/** The threads of a pool. */
export function threads(
  { pool, file, startTimeoutMs, thread: threadOptions }: ThreadsOptions,
  scheduler: () => Scheduler<Hand>,
): Crew<Hand> {
  const hands = new Set<Hand>();
  // Those on their way out, too.
  const threads = new Set<Thread>();

  const leave = (hand: Hand): void => {
    hand.state = 'gone';
    clearTimeout(hand.late);
    hands.delete(hand);
    hand.thread?.end();
  };
  const failed = (hand: Hand, cause: unknown): void => {
    leave(hand);
    scheduler().lost(hand, undefined, new WorkerStartError(pool, file, { cause }));
  };
  const eventsOf = (hand: Hand): ThreadEvents => ({
    ready() {
      clearTimeout(hand.late);
      hand.state = 'started';
      scheduler().ready(hand);
    },
    crashed({ error, exitCode }) {
      const cause = error ?? (hand.job ? undefined : new Error(`it ended with exit code ${exitCode}`));
      if (hand.state === 'starting') {
        failed(hand, cause);
        return;
      }
      leave(hand);
      const options = cause === undefined ? {} : { cause };
      scheduler().lost(hand, hand.job, new WorkerCrashError(pool, exitCode, options));
    },
  });

  return {
    kind: 'thread',
    hire() {
      const hand: Hand = {
        thread: undefined,
        job: undefined,
        state: 'starting',
        used: false,
        late: undefined,
      };
      hands.add(hand);
      try {
        const thread = new Thread(file, threadOptions, eventsOf(hand));
        hand.thread = thread;
        threads.add(thread);
        void thread.gone.then(() => threads.delete(thread));
      } catch (error) {
        // Such as no memory for its stack, or an option that Node.js refuses. Whoever hires does not expect it now.
        setImmediate(() => {
          if (hand.state === 'starting') failed(hand, error);
        });
        return hand;
      }
      // It does not keep the process alive: the thread does, where a task waits for it.
      hand.late = setTimeout(() => {
        failed(hand, new Error(`it took longer than ${startTimeoutMs} ms`));
      }, startTimeoutMs).unref();
      return hand;
    },
    run(hand, job) {
      hand.job = job;
      const { handler, transfer } = job.options as WorkerTaskOptions;
      const { thread } = hand as { thread: Thread };
      thread.run(job.task, handler, transfer).then(
        value => {
          if (hand.job === job) hand.job = undefined;
          scheduler().ended(hand, job, 'completed', value);
        },
        (error: unknown) => {
          // The thread went with it, of which we are told by the thread.
          if (thread.over) return;
          if (hand.job === job) hand.job = undefined;
          scheduler().ended(hand, job, 'failed', isUnsent(error) ? failureOf(pool, job, error) : error);
        },
      );
    },
    breakOff(hand) {
      leave(hand);
      return false;
    },
    dismiss: leave,
    hold() {
      for (const hand of hands) if (hand.state === 'starting') hand.thread?.hold();
    },
    async end() {
      for (const hand of [...hands]) leave(hand);
      await Promise.all([...threads].map(({ gone }) => gone));
    },
  };
}

function failureOf(pool: string, { options }: Job, unsent: Unsent): Error {
  const Failure = unsent['otel-vitals.task'] === 'threw' ? TaskThrewError : TaskResultError;
  return new Failure(pool, options.label, unsent.text);
}
