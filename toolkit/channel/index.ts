export type { HistogramSnapshot } from '../histogram';
export type { BatchContext, BatchFailure, BatchProcessorOptions, BatchRetryOptions } from './batch-options';
export type { CloseBatchProcessorOptions } from './batch-processor';
export { BatchProcessor } from './batch-processor';
export type { BatchReason, BatchStats } from './batch-stats';
export { Channel } from './channel';
export type { ChannelOperation } from './errors';
export {
  BatchAbandonedError,
  BatchTimeoutError,
  ChannelAbortedError,
  ChannelClosedError,
  ChannelTimeoutError,
} from './errors';
export type { ChannelMessage, ChannelOptions, ChannelOverflow, ChannelWaitOptions } from './options';
export type { ReceiveCase, SelectCase, SelectOptions, SelectOutcome, SelectResult, SendCase } from './select';
export { select, trySelect } from './select';
export type { ChannelSideStats, ChannelStats } from './stats';
