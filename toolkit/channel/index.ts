export type { HistogramSnapshot } from '../histogram';
export { Channel } from './channel';
export type { ChannelOperation } from './errors';
export { ChannelAbortedError, ChannelClosedError, ChannelTimeoutError } from './errors';
export type { ChannelMessage, ChannelOptions, ChannelOverflow, ChannelWaitOptions } from './options';
export type { ReceiveCase, SelectCase, SelectOptions, SelectOutcome, SelectResult, SendCase } from './select';
export { select, trySelect } from './select';
export type { ChannelSideStats, ChannelStats } from './stats';
