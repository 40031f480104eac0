import assert from 'node:assert/strict';
import { BatchProcessor, Channel, select } from '../../toolkit/channel';
import { assertBatchLaws } from '../helpers/batches';
import { assertChannelLaws } from '../helpers/channels';
import { type Chance, crowd, type Part, Tally } from './part';

/** Senders that lose patience, consumers that vanish, batches that fail, hang and are tried again. */
export function channelsPart(chance: Chance): Part {
  const tally = new Tally('channels', ['FAULT', 'CHANNEL_TIMEOUT', 'CHANNEL_ABORTED', 'CHANNEL_CLOSED']);
  const queue = new Channel<number>({ name: 'soak queue', capacity: 10 });
  const meet = new Channel<number>({ name: 'soak meet' });
  const latest = new Channel<number>({ name: 'soak latest', capacity: 2, overflow: 'drop-oldest' });
  const channels = [queue, meet, latest];
  let reported = 0;
  const rows = new BatchProcessor<number>({
    name: 'soak rows',
    maxSize: 7,
    maxWaitMs: 3,
    concurrency: 2,
    capacity: 20,
    timeoutMs: 15,
    retry: { attempts: 2, delayMs: 1 },
    process: async (_, { signal }) => {
      await chance.pause();
      chance.fault(0.2);
      if (chance.of(0.02)) await new Promise(resolve => signal.addEventListener('abort', resolve));
    },
    onFailed({ items }) {
      reported += items.length;
      chance.fault(0.2);
    },
  });

  const limits = (): { timeoutMs: number; signal: AbortSignal } => ({
    timeoutMs: 1 + chance.below(10),
    signal: chance.signal(0.2),
  });
  const sendOrReceive = async (i: number): Promise<void> => {
    const channel = channels[i % channels.length]!;
    const way = chance.below(6);
    if (way < 2) await channel.send(i, limits());
    else if (way < 4) await channel.receive(limits());
    else if (way === 4) await select([{ send: queue, message: i }, { receive: meet }], limits());
    else channel.tryReceive();
  };
  /** A channel whose consumers leave when they like, and whose senders then find nobody. */
  const makeAndLeave = async (i: number): Promise<void> => {
    const channel = new Channel<number>({ name: `soak short ${i % 3}`, capacity: chance.below(4) });
    const consumers = crowd(3, async () => {
      for await (const _ of channel) if (chance.of(0.3)) break;
    });
    const senders = crowd(3, async () => {
      for (let n = 0; n < 4; n++) await tally.of(() => channel.send(n, { timeoutMs: 5 }));
    });
    await senders;
    assertChannelLaws(channel);
    if (chance.of(0.3)) {
      const waiting = new Channel<number>({ name: `soak short ${i % 3}` });
      // Nobody ever answers, and nobody holds it.
      void waiting.send(1).catch(() => {});
    }
    channel.close();
    await consumers;
    await channel.send(1);
  };

  return {
    tally,
    async round() {
      await Promise.all([
        crowd(120, i => tally.of(() => sendOrReceive(i))),
        crowd(60, i => tally.of(() => rows.add(i, { timeoutMs: 20 }))),
        crowd(2, i => tally.of(() => makeAndLeave(i))),
        tally.of(async () => {
          await chance.pause();
          chance.fault(0.1);
        }),
      ]);
      await rows.flush();
      for (const channel of channels) while (channel.tryReceive() !== undefined);
    },
    check() {
      for (const channel of channels) assertChannelLaws(channel);
      assertBatchLaws(rows);
    },
    settled() {
      for (const channel of channels) {
        const { length, send, receive } = channel.stats();
        assert.deepEqual([length, send.waiting, receive.waiting], [0, 0, 0], JSON.stringify(channel.stats()));
      }
      const { waiting, working, running, failed } = rows.stats();
      assert.deepEqual(
        [waiting, working, running, failed],
        [0, 0, 0, reported],
        JSON.stringify(rows.stats()),
      );
    },
    async close() {
      for (const channel of channels) channel.close();
      assert.deepEqual(await rows.close(), { abandoned: [] });
    },
  };
}
