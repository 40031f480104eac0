export type { HistogramSnapshot } from '../histogram';
export type { Held, HoldWatchOptions } from '../hold-watch';
export type { AcquireBufferOptions, BufferPoolOptions } from './buffer-pool';
export { BufferPool } from './buffer-pool';
export type { ConnectionPoolOptions } from './connection-options';
export type { CloseConnectionPoolOptions } from './connection-pool';
export { ConnectionPool } from './connection-pool';
export {
  AcquireAbortedError,
  AcquireTimeoutError,
  ConnectionCreateError,
  DoubleReleaseError,
  ForeignObjectError,
  InvalidObjectError,
  PoolCallbackTimeoutError,
  PoolClosedError,
  PoolExhaustedError,
  PoolQueueFullError,
} from './errors';
export { HttpResponse } from './http-response';
export type { HttpResponsePoolOptions } from './http-response-pool';
export { HttpResponsePool } from './http-response-pool';
export type { CommonPoolOptions, LeakDetectionOptions, PoolLeak } from './ledger';
export type { ObjectPoolOptions } from './object-pool';
export { ObjectPool } from './object-pool';
export type { RegistrablePool } from './pool-registry';
export { DuplicatePoolError, PoolRegistry } from './pool-registry';
export type { PoolFailures, PoolKind, PoolStats } from './stats';
