import { type ChannelStats, channelSource } from '../../toolkit/channel/stats';
import { channelMetrics as m } from '../catalogue/channel';
import { meterSources, type SourceSeries, seriesOf } from './sources';

const { counter, gauge, histogram } = seriesOf<ChannelStats>();
const failures = { refused: 'refused', timeout: 'timeouts', aborted: 'aborted', closed: 'closed' } as const;
/** Those that a receiver cannot have. */
const ofSendersOnly: readonly string[] = ['refused', 'closed'];

const side = (operation: 'send' | 'receive'): SourceSeries<ChannelStats>[] => {
  const at = { 'channel.operation': operation };
  return [
    counter(m.blocked, at, stats => stats[operation].blocked),
    gauge(m.waiters, at, stats => stats[operation].waiting),
    histogram(m.waitTime, at, stats => stats[operation].waitTime),
    ...Object.entries(failures)
      .filter(([failure]) => operation === 'send' || !ofSendersOnly.includes(failure))
      .map(([failure, key]) =>
        counter(m.failures, { ...at, 'channel.failure': failure }, stats => stats[operation][key]),
      ),
  ];
};

/** The toolkit's channels. */
export const meterChannel = meterSources<ChannelStats>(channelSource, name => ({ 'channel.name': name }), [
  counter(m.sent, {}, stats => stats.sent),
  counter(m.received, {}, stats => stats.received),
  counter(m.dropped, {}, stats => stats.dropped),
  gauge(m.length, {}, stats => stats.length),
  gauge(m.capacity, {}, stats => stats.capacity),
  ...side('send'),
  ...side('receive'),
]);
