import { type BatchStats, batchSource } from '../../toolkit/channel/batch-stats';
import { batchMetrics as m } from '../catalogue/channel';
import { meterSources, seriesOf } from './sources';

const { counter, gauge, histogram } = seriesOf<BatchStats>();

/** The toolkit's batch processors; what their items wait for is shown by the channel of the same name. */
export const meterBatchProcessor = meterSources<BatchStats>(batchSource, name => ({ 'channel.name': name }), [
  histogram(m.size, {}, stats => stats.size),
  ...(['size', 'time', 'flush', 'close'] as const).map(reason =>
    counter(m.flushes, { 'batch.flush.reason': reason }, stats => stats.flushes[reason]),
  ),
  ...(['processed', 'failed'] as const).map(outcome =>
    counter(m.items, { 'batch.outcome': outcome }, stats => stats[outcome]),
  ),
  counter(m.retries, {}, stats => stats.retries),
  counter(m.unreported, {}, stats => stats.unreported),
  gauge(m.running, {}, stats => stats.running),
  histogram(m.runTime, {}, stats => stats.runTime),
]);
