import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Channel, type ChannelOptions, type ChannelOverflow } from '../../../toolkit/channel';
import { RingBuffer } from '../../../toolkit/channel/ring-buffer';
import { assertChannelLaws, turns } from '../../helpers/channels';
import { collectUntil } from '../../helpers/garbage';

/** What a channel should do, written down as plainly as can be. */
class Model {
  readonly buffer: number[] = [];
  senders: { id: number; message: number }[] = [];
  receivers: number[] = [];
  closed = false;
  readonly dropped: number[] = [];
  /** What became of each call that has ended. */
  readonly ended = new Map<number, unknown>();
  constructor(
    readonly capacity: number,
    readonly overflow: ChannelOverflow,
  ) {}

  send(id: number, message: number, wait: boolean): void {
    if (this.closed) this.ended.set(id, 'CHANNEL_CLOSED');
    else if (this.receivers.length > 0) {
      this.ended.set(this.receivers.shift()!, message);
      this.ended.set(id, 'sent');
    } else if (this.buffer.length < this.capacity) {
      this.buffer.push(message);
      this.ended.set(id, 'sent');
    } else if (this.overflow !== 'wait') {
      this.buffer.push(message);
      this.dropped.push(this.overflow === 'drop-oldest' ? this.buffer.shift()! : this.buffer.pop()!);
      this.ended.set(id, 'sent');
    } else if (wait) this.senders.push({ id, message });
    else this.ended.set(id, 'full');
  }

  receive(id: number, wait: boolean): void {
    const message = this.buffer.shift() ?? this.takeSender();
    this.refill();
    if (message !== undefined) this.ended.set(id, message);
    else if (this.closed) this.ended.set(id, 'CHANNEL_CLOSED');
    else if (wait) this.receivers.push(id);
    else this.ended.set(id, 'empty');
  }

  abort(id: number): void {
    const waiting = this.senders.length + this.receivers.length;
    this.senders = this.senders.filter(one => one.id !== id);
    this.receivers = this.receivers.filter(one => one !== id);
    if (this.senders.length + this.receivers.length < waiting) this.ended.set(id, 'CHANNEL_ABORTED');
  }

  clear(): void {
    this.dropped.push(...this.buffer.splice(0));
    this.refill();
  }

  close(): void {
    this.closed = true;
    for (const id of [...this.senders.splice(0).map(one => one.id), ...this.receivers.splice(0)]) {
      this.ended.set(id, 'CHANNEL_CLOSED');
    }
  }

  private takeSender(): number | undefined {
    const sender = this.senders.shift();
    if (sender !== undefined) this.ended.set(sender.id, 'sent');
    return sender?.message;
  }

  private refill(): void {
    while (this.senders.length > 0 && this.buffer.length < this.capacity)
      this.buffer.push(this.takeSender()!);
  }
}

test('does what a plain model does under any calls, and its statistics hold after each', async () => {
  const command = fc.oneof(
    { weight: 8, arbitrary: fc.record({ do: fc.constantFrom('send', 'receive') }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('trySend', 'tryReceive') }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('abort'), which: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('clear', 'turn') }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('close') }) },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(command, { maxLength: 60 }),
      fc.constantFrom(
        ...([0, 1, 2, 5] as const).map(capacity => ({ capacity, overflow: 'wait' as ChannelOverflow })),
        { capacity: 2, overflow: 'drop-oldest' as const },
        { capacity: 2, overflow: 'drop-newest' as const },
      ),
      async (commands, { capacity, overflow }) => {
        const model = new Model(capacity, overflow);
        const dropped: number[] = [];
        const channel = new Channel<number>({
          name: 'model',
          capacity,
          overflow,
          timeEvery: 1,
          onDrop: message => void dropped.push(message),
        });
        const ended = new Map<number, unknown>();
        const controllers: AbortController[] = [];
        const note = (id: number, call: () => unknown): void => {
          try {
            const result = call();
            if (!(result instanceof Promise)) ended.set(id, result);
            else
              void result.then(
                value => ended.set(id, value ?? 'sent'),
                (error: { code: string }) => ended.set(id, error.code),
              );
          } catch (error) {
            ended.set(id, (error as { code: string }).code);
          }
        };
        for (const one of commands as { do: string; which?: number }[]) {
          const id = controllers.push(new AbortController()) - 1;
          const { signal } = controllers[id]!;
          if (one.do === 'send') {
            note(id, () => channel.send(id, { signal }));
            model.send(id, id, true);
          } else if (one.do === 'trySend') {
            note(id, () => (channel.trySend(id) ? 'sent' : 'full'));
            model.send(id, id, false);
          } else if (one.do === 'receive') {
            note(id, () => channel.receive({ signal }));
            model.receive(id, true);
          } else if (one.do === 'tryReceive') {
            note(id, () => channel.tryReceive() ?? 'empty');
            model.receive(id, false);
          } else if (one.do === 'abort') {
            const which = one.which! % controllers.length;
            controllers[which]!.abort();
            model.abort(which);
          } else if (one.do === 'clear') {
            assert.equal(channel.clear(), model.buffer.length);
            model.clear();
          } else if (one.do === 'close') {
            channel.close();
            model.close();
          } else await turns(1);
          const { send, receive } = assertChannelLaws(channel, 1);
          assert.equal(channel.length, model.buffer.length);
          assert.deepEqual([send.waiting, receive.waiting], [model.senders.length, model.receivers.length]);
        }
        await turns(1);
        const byId = (all: Map<number, unknown>) => [...all].sort(([a], [b]) => a - b);
        assert.deepEqual(byId(ended), byId(model.ended));
        assert.deepEqual(dropped, model.dropped);
        const outcomes = [...ended.values()];
        const stats = channel.stats();
        assert.equal(stats.sent, outcomes.filter(one => one === 'sent').length);
        assert.equal(stats.received, outcomes.filter(one => typeof one === 'number').length);
        assert.equal(stats.dropped, dropped.length);
        assert.equal(stats.send.refused, outcomes.filter(one => one === 'full').length);
      },
    ),
    { numRuns: 60 },
  );
});

test('the ring keeps the order while it grows and turns', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 300 }), puts => {
      const ring = new RingBuffer<number>(1000);
      const plain: number[] = [];
      puts.forEach((put, i) => {
        if (put) {
          ring.push(i);
          plain.push(i);
        } else assert.equal(ring.shift(), plain.shift());
        assert.equal(ring.length, plain.length);
      });
      while (plain.length > 0) assert.equal(ring.shift(), plain.shift());
      assert.equal(ring.shift(), undefined);
    }),
  );
});

test('a message that was taken is kept alive no longer', async () => {
  const ring = new RingBuffer<object>(4);
  let collected = false;
  const registry = new FinalizationRegistry(() => {
    collected = true;
  });
  (() => {
    const message = {};
    registry.register(message, undefined);
    ring.push(message);
    ring.shift();
  })();
  await collectUntil(() => collected);
  assert.equal(ring.length, 0);
});

test('a full channel that drops the oldest keeps the latest, and says what it dropped', () => {
  const dropped: number[] = [];
  const channel = new Channel<number>({
    name: 'prices',
    capacity: 2,
    overflow: 'drop-oldest',
    onDrop: message => {
      dropped.push(message);
      throw new RangeError('an application that fails here loses no other message');
    },
  });
  for (let i = 0; i < 5; i++) assert.equal(channel.trySend(i), true);
  assert.deepEqual(dropped, [0, 1, 2]);
  assert.deepEqual([channel.tryReceive(), channel.tryReceive()], [3, 4]);
  assert.equal(assertChannelLaws(channel).dropped, 3);
});

test('clear inside onDrop, and sending there, keep the laws', () => {
  const channel: Channel<number> = new Channel<number>({
    name: 'nested',
    capacity: 3,
    onDrop: message => {
      channel.clear();
      if (message === 0) channel.trySend(7);
    },
  });
  for (let i = 0; i < 3; i++) channel.trySend(i);
  channel.clear();
  const { sent, received, dropped } = assertChannelLaws(channel);
  assert.deepEqual([sent, received, sent - dropped], [4, 0, channel.length]);
});

test('null, false, zero and the empty text are messages; undefined is not', async () => {
  const channel = new Channel<unknown & (null | boolean | number | string)>({ name: 'any', capacity: 9 });
  for (const message of [null, false, 0, '']) await channel.send(message);
  assert.deepEqual([channel.tryReceive(), channel.tryReceive()], [null, false]);
  assert.deepEqual([await channel.receive(), await channel.receive()], [0, '']);
  assert.throws(() => channel.trySend(undefined as never), /Expected a message other than undefined/);
  await assert.rejects(channel.send(undefined as never), TypeError);
});

test('wrong options are refused, saying what was expected and what came', async () => {
  const make = (options: Partial<ChannelOptions<number>>) => () =>
    new Channel<number>({ name: 'x', ...options });
  assert.throws(make({ name: '' }), /Expected name to be a string of at least one character/);
  assert.throws(make({ capacity: -1 }), /Expected capacity to be an integer of zero or more, got -1/);
  assert.throws(
    make({ capacity: Infinity }),
    /Expected capacity to be an integer of zero or more, got Infinity/,
  );
  assert.throws(
    make({ overflow: 'drop' as 'wait' }),
    /Expected overflow to be wait, drop-newest, drop-oldest, got/,
  );
  assert.throws(
    make({ overflow: 'drop-oldest' }),
    /Expected a capacity of at least 1 where overflow is drop-/,
  );
  assert.throws(make({ timeEvery: 0 }), /Expected timeEvery to be an integer above zero, got 0/);
  assert.throws(make({ onDrop: 5 as never }), /Expected onDrop to be a function, got number/);
  const channel = make({ capacity: 1 })();
  await assert.rejects(channel.sendWithTimeout(1, 0), /Expected timeoutMs to be milliseconds above 0/);
  await assert.rejects(
    channel.receiveWithTimeout(Number.NaN),
    /Expected timeoutMs to be milliseconds above 0/,
  );
  assert.equal(channel.length, 0);
});
