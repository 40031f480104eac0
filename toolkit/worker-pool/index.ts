export type { HistogramSnapshot } from '../histogram';
export {
  TaskAbortedError,
  TaskDroppedError,
  TaskQueueFullError,
  TaskQueueTimeoutError,
  TaskResultError,
  TaskRunTimeoutError,
  TaskThrewError,
  WorkerCrashError,
  WorkerPoolClosedError,
  WorkerStartError,
} from './errors';
export type {
  CloseReport,
  CloseWorkerPoolOptions,
  CommonWorkerPoolOptions,
  LostTask,
  TaskOptions,
  WorkerTaskOptions,
} from './options';
export type { TaskOutcome, WorkerPoolKind, WorkerPoolStats } from './stats';
export type { WorkerPoolStatus } from './status';
export type { Task, TaskContext, TaskFunction, TaskPoolOptions } from './task-pool';
export { TaskPool } from './task-pool';
export type { ThreadOptions } from './thread';
export type { WorkerPoolOptions } from './worker-pool';
export { WorkerPool } from './worker-pool';
