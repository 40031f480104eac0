import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Channel, type ChannelStats, select } from '../../toolkit/channel';
import { channelSource } from '../../toolkit/channel/stats';
import { liveSources } from '../../toolkit/sources';
import { assertChannelLaws, countedSignal, turns } from '../helpers/channels';
import { collectUntil } from '../helpers/garbage';

const registered = (name: string) =>
  liveSources<ChannelStats>(channelSource.kind, channelSource.layout).filter(one => one.name === name);

/** Fills the buffer, so that the next who sends waits. */
function full(capacity: number): Channel<number> {
  const channel = new Channel<number>({ name: 'orders', capacity });
  for (let i = 0; i < capacity; i++) assert.equal(channel.trySend(-1), true);
  return channel;
}

for (const capacity of [0, 1, 3, 40]) {
  describe(`a channel of capacity ${capacity}`, () => {
    test('brings every message of every sender to one receiver, in the order of sending', async () => {
      const channel = new Channel<[number, number]>({ name: 'orders', capacity });
      const got: [number, number][] = [];
      const receivers = Array.from({ length: 3 }, async () => {
        for await (const message of channel) {
          got.push(message);
          if (message[1] % 7 === 0) await turns(1);
          assertChannelLaws(channel);
        }
      });
      await Promise.all(
        Array.from({ length: 4 }, async (_, sender) => {
          for (let i = 0; i < 50; i++) await channel.send([sender, i]);
        }),
      );
      channel.close();
      await Promise.all(receivers);
      assert.equal(got.length, 200);
      for (let sender = 0; sender < 4; sender++) {
        const mine = got.filter(([from]) => from === sender).map(([, i]) => i);
        assert.deepEqual(
          mine,
          Array.from({ length: 50 }, (_, i) => i),
        );
      }
      const { sent, received } = assertChannelLaws(channel);
      assert.deepEqual([sent, received], [200, 200]);
    });

    test('senders who wait are served in order, and one who comes later does not overtake', async () => {
      const channel = full(capacity);
      const order: number[] = [];
      for (let i = 0; i < 3; i++) void channel.send(i).then(() => order.push(i));
      assert.equal(channel.trySend(9), false, 'overtook those who wait');
      const got: number[] = [];
      for (let i = 0; i < capacity + 3; i++) got.push(channel.tryReceive()!);
      assert.equal(channel.tryReceive(), undefined);
      await turns();
      assert.deepEqual(order, [0, 1, 2]);
      assert.deepEqual(got.slice(capacity), [0, 1, 2]);
      const { send } = assertChannelLaws(channel);
      assert.deepEqual([send.blocked, send.refused, send.waiting], [3, 1, 0]);
    });

    test('receivers who wait are served in order, and one who comes later does not overtake', async () => {
      const channel = new Channel<number>({ name: 'orders', capacity });
      const got: string[] = [];
      for (const who of ['a', 'b', 'c']) void channel.receive().then(value => got.push(`${who}${value}`));
      for (let i = 0; i < 3; i++) {
        assert.equal(channel.trySend(i), true);
        assert.equal(channel.tryReceive(), undefined, 'overtook those who wait');
      }
      await turns();
      assert.deepEqual(got, ['a0', 'b1', 'c2']);
      const { receive } = assertChannelLaws(channel);
      assert.deepEqual([receive.blocked, receive.waiting], [3, 0]);
    });

    test('who waits too long gives up: its message is sent to nobody, and it takes none', async () => {
      const channel = full(capacity);
      const first = channel.send(1);
      const gone = channel.sendWithTimeout(2, 10);
      const last = channel.send(3);
      await assert.rejects(gone, { code: 'CHANNEL_TIMEOUT', operation: 'send', timeoutMs: 10 });
      const got: number[] = [];
      for (let i = 0; i < capacity + 2; i++) got.push(await channel.receive());
      await Promise.all([first, last]);
      assert.deepEqual(got.slice(capacity), [1, 3]);
      const late = channel.receiveWithTimeout(10);
      const next = channel.receive();
      await assert.rejects(late, { code: 'CHANNEL_TIMEOUT', operation: 'receive' });
      await channel.send(4);
      assert.equal(await next, 4);
      const { send, receive } = assertChannelLaws(channel);
      assert.deepEqual([send.timeouts, receive.timeouts], [1, 1]);
    });

    test('a signal ends a wait with its reason as the cause, and keeps no listener after', async () => {
      const channel = full(capacity);
      const counted = countedSignal();
      const gone = channel.send(1, { signal: counted.signal, timeoutMs: 60_000 });
      counted.abort(new RangeError('leaving'));
      const aborted = (error: Error & { code?: string }): boolean =>
        error.code === 'CHANNEL_ABORTED' && error.cause instanceof RangeError;
      await assert.rejects(gone, aborted);
      await assert.rejects(channel.receive({ signal: counted.signal }), aborted);
      assert.equal(channel.length, capacity, 'an aborted receive took a message');
      const served = countedSignal();
      const sending = channel.send(2, { signal: served.signal });
      assert.equal(served.listeners(), 1);
      for (let i = 0; i < capacity; i++) await channel.receive();
      assert.equal(await channel.receive(), 2);
      await sending;
      assert.equal(served.listeners(), 0);
      const { send } = assertChannelLaws(channel);
      assert.deepEqual([send.aborted, send.waiting], [1, 0]);
    });

    test('close refuses senders, also those who wait, and lets what it holds be received', async () => {
      const channel = full(capacity);
      const refused = assert.rejects(channel.send(5), { code: 'CHANNEL_CLOSED', channel: 'orders' });
      channel.close();
      channel.close();
      await refused;
      assert.equal(channel.closed, true);
      assert.throws(() => channel.trySend(6), { code: 'CHANNEL_CLOSED' });
      await assert.rejects(channel.send(6), { code: 'CHANNEL_CLOSED' });
      const got: number[] = [];
      for await (const message of channel) got.push(message);
      assert.deepEqual(got, new Array(capacity).fill(-1));
      await assert.rejects(channel.receive(), { code: 'CHANNEL_CLOSED' });
      assert.throws(() => channel.tryReceive(), { code: 'CHANNEL_CLOSED' });
      assert.equal(assertChannelLaws(channel).send.closed, 3);
    });

    test('close ends receivers who wait, and iterations', async () => {
      const channel = new Channel<number>({ name: 'orders', capacity });
      const receiving = assert.rejects(channel.receive(), { code: 'CHANNEL_CLOSED' });
      const iterating = channel[Symbol.asyncIterator]().next();
      channel.close();
      await receiving;
      assert.deepEqual(await iterating, { value: undefined, done: true });
    });

    test('a consumer that vanishes takes no message with it', async () => {
      const channel = new Channel<number>({ name: 'orders', capacity });
      const left = channel[Symbol.asyncIterator]();
      const pending = [left.next(), left.next()];
      const controller = new AbortController();
      const gone = assert.rejects(channel.receive({ signal: controller.signal }));
      const selecting = assert.rejects(select([{ receive: channel }], { signal: controller.signal }));
      await left.return!();
      controller.abort();
      await Promise.all([gone, selecting]);
      assert.deepEqual(await Promise.all(pending), [
        { value: undefined, done: true },
        { value: undefined, done: true },
      ]);
      const sending = channel.send(7);
      assert.equal(await channel.receive(), 7);
      await sending;
      void channel.send(8);
      for await (const _ of channel) {
        // Left by a break after its first message.
        break;
      }
      assert.deepEqual(await left.next(), { value: undefined, done: true });
      assertChannelLaws(channel);
    });

    test('receiveMany waits for the first and takes those that are there, no more than it is told to', async () => {
      const channel = full(capacity);
      const sending = [0, 1, 2].map(i => channel.send(i));
      const got: number[] = [];
      while (got.length < capacity + 3) {
        const some = await channel.receiveMany(2);
        assert.ok(some.length >= 1 && some.length <= 2);
        got.push(...some);
      }
      await Promise.all(sending);
      assert.deepEqual(got.slice(capacity), [0, 1, 2]);
      const waiting = channel.receiveMany();
      channel.trySend(7);
      assert.deepEqual(await waiting, [7]);
      await assert.rejects(channel.receiveMany(0), /Expected max to be an integer above zero/);
      await assert.rejects(channel.receiveMany(1, { timeoutMs: 5 }), { code: 'CHANNEL_TIMEOUT' });
      channel.close();
      await assert.rejects(channel.receiveMany(), { code: 'CHANNEL_CLOSED' });
      assertChannelLaws(channel);
    });

    test('times of waiting are those of the clock', async () => {
      let now = 0;
      const channel = new Channel<number>({ name: 'orders', capacity, clock: () => now });
      const receiving = channel.receive();
      now = 250;
      await channel.send(1);
      await receiving;
      for (let i = 0; i < capacity; i++) channel.trySend(i);
      const sending = channel.send(2);
      now = 300;
      channel.tryReceive();
      await sending;
      const { send, receive } = channel.stats();
      assert.deepEqual([receive.waitTime.count, receive.waitTime.sum], [1, 0.25]);
      assert.deepEqual([send.waitTime.count, send.waitTime.sum], [1, 0.05]);
    });

    test('is among the live sources under its name until it is closed and empty, or dropped', async () => {
      const channel = full(capacity);
      assert.equal(registered('orders').filter(one => one.stats().capacity === capacity).length > 0, true);
      const visible = new Channel<number>({ name: `visible ${capacity}`, capacity: capacity + 1 });
      visible.trySend(1);
      visible.close();
      assert.equal(registered(visible.name).length, 1);
      visible.tryReceive();
      assert.equal(registered(visible.name).length, 0);
      const name = `dropped ${capacity}`;
      (() => {
        const dropped = new Channel<object>({ name, capacity });
        dropped.trySend({});
        void dropped.send({}).catch(() => {});
      })();
      await collectUntil(() => registered(name).length === 0);
      channel.close();
    });
  });
}
