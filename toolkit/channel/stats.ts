import { FixedHistogram, type HistogramSnapshot } from '../histogram';

/** The registered kind of a channel and the layout of {@link ChannelStats}, for whoever reads the registry of sources. */
export const channelSource = { kind: 'channel', layout: 1 } as const;

/**
 * A channel's counters since it was made, and its present length. They are exact at any moment:
 *
 * - `sent = received + dropped + length`
 * - of each side, `blocked = waitTime.count + waiting` where every wait is timed
 */
export interface ChannelStats {
  /** Messages that the channel took. */
  readonly sent: number;
  /** Messages handed to a receiver. */
  readonly received: number;
  /** Messages that the channel took and let go: for others where it is to do so when full, or by `clear`. */
  readonly dropped: number;
  /** Messages in the buffer. */
  readonly length: number;
  /** Most messages in the buffer; 0 where sender and receiver meet. */
  readonly capacity: number;
  readonly send: ChannelSideStats;
  readonly receive: ChannelSideStats;
}

/** The calls of one side of a channel. A select that waits counts at each of its channels. */
export interface ChannelSideStats {
  /** Calls that had to wait. */
  readonly blocked: number;
  /** Calls that wait now. */
  readonly waiting: number;
  /** `trySend` that found no room. Of `tryReceive` it is not counted: asking an empty channel is no failure. */
  readonly refused: number;
  /** Waits that ended because time was up. */
  readonly timeouts: number;
  /** Waits that a signal ended. */
  readonly aborted: number;
  /** Sends to a closed channel, or that waited when it was closed. Always 0 for receiving, which ends that way. */
  readonly closed: number;
  /** Time of those waits that were timed, however they ended, in seconds. */
  readonly waitTime: HistogramSnapshot;
}

/** Bucket bounds of waiting for a channel, in seconds. */
export const channelWaitBounds = [
  1e-5, 5e-5, 1e-4, 5e-4, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

/** The numbers behind {@link ChannelSideStats}. */
export class ChannelSideCounters {
  blocked = 0;
  waiting = 0;
  refused = 0;
  timeouts = 0;
  aborted = 0;
  closed = 0;
  readonly waitTime = new FixedHistogram(channelWaitBounds);

  snapshot(): ChannelSideStats {
    const { blocked, waiting, refused, timeouts, aborted, closed } = this;
    return { blocked, waiting, refused, timeouts, aborted, closed, waitTime: this.waitTime.snapshot() };
  }
}

/**
 * The numbers behind {@link ChannelStats}. They hold no message, so that the registry of sources may hold them without
 * keeping a dropped channel alive.
 */
export class ChannelCounters {
  sent = 0;
  received = 0;
  dropped = 0;
  readonly send = new ChannelSideCounters();
  readonly receive = new ChannelSideCounters();

  constructor(readonly capacity: number) {}

  snapshot(): ChannelStats {
    const { sent, received, dropped, capacity } = this;
    return {
      sent,
      received,
      dropped,
      length: sent - received - dropped,
      capacity,
      send: this.send.snapshot(),
      receive: this.receive.snapshot(),
    };
  }
}
