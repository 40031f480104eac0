import type { AsyncResource } from 'node:async_hooks';
import type { LostTask, TaskOptions } from './options';

/** An accepted task on its way. */
export class Job {
  state: 'waiting' | 'running' | 'ended' = 'waiting';
  /** Where it stands in the order: the time it was accepted, made earlier by its priority. */
  readonly rank: number;
  /** When it began. */
  startedAt = 0;
  /** The worker that runs it. */
  worker: object | undefined = undefined;
  /** Of its time limit, first of waiting and then of running. */
  timer: NodeJS.Timeout | undefined = undefined;
  onAbort: (() => void) | undefined = undefined;
  /** In which asynchronous context it was submitted, where it had to wait. */
  scope: AsyncResource | undefined = undefined;
  resolve!: (value: unknown) => void;
  reject!: (error: unknown) => void;
  // Neighbours in the list of its priority.
  previous: Job | undefined = undefined;
  next: Job | undefined = undefined;

  constructor(
    readonly task: unknown,
    readonly options: TaskOptions,
    readonly priority: number,
    readonly acceptedAt: number,
    ageingMs: number,
  ) {
    this.rank = acceptedAt - priority * ageingMs;
  }

  /** As a pool that closes tells of it. */
  asLost(): LostTask {
    const { task, priority, state, options } = this;
    return { label: options.label, priority, running: state === 'running', task };
  }
}
